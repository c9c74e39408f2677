"""The sequence mode of a Feasa LED Analyser: many short captures, and when a light was on.

Public (Feasa, "LED Analyser User Manual Functional Version", section "Sequence Capture Mode"): the
settings, their digits and limits and how they are read back; that intensities above the threshold
are 1 and the others 0, one to a line; the form of the three times; that 21 patterns can be
stored. Inferred: the settings ex factory, that a channel of 00 is all of them, that the second
off time ends where the light comes on again, and that two patterns are one if nine tenths agree.
"""

from typing import NamedTuple

import msgspec

PATTERNS_MAX = 21
ALIKE = 0.9
STORED_MAX = (3500, 9999)  # captures that fit, by mode

Bits = tuple[tuple[bool, ...], ...]  # by fibre, then by capture


class Setting(NamedTuple):
    """One number of the sequence mode: how many digits it is sent with, and how it is read back."""

    initial: int
    digits: tuple[int, ...]
    lowest: int
    answer: str


SETTINGS: dict[str, Setting] = {
    "mode": Setting(0, (1,), 0, "{:d}"),
    "channel": Setting(0, (2,), 0, "{:02d}"),
    "capture": Setting(5, (2, 3), 1, "{:03d} ms"),
    "wait": Setting(5, (2, 3), 0, "{:03d} ms"),
    "number": Setting(100, (3, 4), 0, "{:04d}"),
    "threshold": Setting(5000, (5,), 0, "{:d}"),
    "startdelay": Setting(0, (3,), 0, "{:03d} ms"),
}


class Sequence(msgspec.Struct):
    """Settings, what the last capture of a sequence found, and the patterns stored to compare."""

    values: dict[str, int] = msgspec.field(
        default_factory=lambda: {name: each.initial for name, each in SETTINGS.items()}
    )
    bits: Bits = ()
    period_ms: int = 0
    patterns: dict[int, Bits] = {}

    def put(self, name: str, digits: str) -> bool:
        """Take a setting; False for a wrong number of digits or a value that there is not."""
        setting, value = SETTINGS[name], int(digits)
        limits = {"mode": 1, "channel": 20, "number": STORED_MAX[self.values["mode"]]}
        if len(digits) not in setting.digits or value < setting.lowest:
            return False
        if value > limits.get(name, 99_999):
            return False
        self.values[name] = value
        return True

    def shown(self, name: str) -> str:
        """Return a setting as it is read back."""
        return SETTINGS[name].answer.format(self.values[name])

    def keep(self, intensities: list[list[int]]) -> None:
        """Take the intensities of a captured sequence, by fibre, then by capture."""
        threshold = self.values["threshold"]
        self.bits = tuple(tuple(each > threshold for each in row) for row in intensities)
        self.period_ms = self.values["capture"] + self.values["wait"]

    def lines(self, fibre: int) -> str:
        """Return what a fibre showed, 0 or 1 to a line; "" before anything was captured."""
        return "\r\n".join("01"[bit] for bit in self._row(fibre))

    def times(self, fibre: int) -> str:
        """Return how long a fibre was off, then on, then off again."""
        row = self._row(fibre)
        off = next((i for i, bit in enumerate(row) if bit), len(row))
        on = next((i for i, bit in enumerate(row[off:]) if not bit), len(row) - off)
        rest = row[off + on :]
        last = next((i for i, bit in enumerate(rest) if bit), len(rest))
        first_ms, on_ms, last_ms = (count * self.period_ms for count in (off, on, last))
        return f"Toff1 = {first_ms:05d}ms Ton = {on_ms:05d} ms Toff2 = {last_ms:05d}ms"

    def store(self, number: int) -> bool:
        """Keep the last sequence as a pattern; False if there is none, or no such number."""
        if number >= PATTERNS_MAX or not self.bits:
            return False
        self.patterns[number] = self.bits
        return True

    def identified(self) -> int | None:
        """Return the lowest number of a stored pattern that the last sequence is like."""
        numbers = (n for n in sorted(self.patterns) if _alike(self.bits, self.patterns[n]))
        return next(numbers, None)

    def _row(self, fibre: int) -> tuple[bool, ...]:
        return self.bits[fibre - 1] if fibre <= len(self.bits) else ()


def _alike(one: Bits, other: Bits) -> bool:
    pairs = [
        a == b
        for row, stored in zip(one, other, strict=False)
        for a, b in zip(row, stored, strict=False)
    ]
    same_size = [len(row) for row in one] == [len(row) for row in other]
    return same_size and bool(pairs) and sum(pairs) >= ALIKE * len(pairs)
