"""What a hand can do with one device, as a line of text: `p; hold 3s; wait waiting; show code.png`.

The same words serve `fleet device --script`, its standard input, and (by one key each) its
terminal. Pure: text in, steps out; `fleet.commands.hands` carries them out.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from firmware_sim.device.indicator import LIGHTS, OUTPUTS
from firmware_sim.errors import UsageError

WAIT_MS = 60_000
CHILD_VERBS = ("add", "remove", "lose", "find")
"""Pair a sub-device with this device, or give it up; take it out of reach, or bring it back."""

MOODS = tuple(sorted({*LIGHTS, *(line.operator for line in OUTPUTS if line.operator)}))
"""What can be waited for: a light by its name in the profile, or what the operator reads."""


class Power(msgspec.Struct, frozen=True):
    """Apply the supply voltage if it is off, else remove it."""


class Button(msgspec.Struct, frozen=True):
    """Press the reset button if it is up, else let go of it."""


class Hold(msgspec.Struct, frozen=True):
    """Hold the reset button for `hold_ms`; None: as long as this model's reset takes."""

    hold_ms: int | None = None


class Show(msgspec.Struct, frozen=True):
    """Hold the QR code in picture file `path` before the lens."""

    path: Path


class Hide(msgspec.Struct, frozen=True):
    """Take the QR code away."""


class Cable(msgspec.Struct, frozen=True):
    """Pull the Ethernet cable if it is in, else plug it in."""


class Child(msgspec.Struct, frozen=True):
    """Do to sub-device `number`, counted from 1, what `verb` says: one of `CHILD_VERBS`."""

    verb: str
    number: int


class Wait(msgspec.Struct, frozen=True):
    """Go on once the device shows `mood`; it is an error if that takes more than `timeout_ms`."""

    mood: str
    timeout_ms: int = WAIT_MS


class Sleep(msgspec.Struct, frozen=True):
    """Do nothing for `sleep_ms`."""

    sleep_ms: int


class Quit(msgspec.Struct, frozen=True):
    """Let go of everything and end."""


Step = Power | Button | Hold | Show | Hide | Cable | Child | Wait | Sleep | Quit


def parse(text: str) -> list[Step]:
    """Return the steps of a script: words separated by `;` or line ends, `#` begins a comment.

    Raises `UsageError` naming the step that cannot be understood, and what can be.
    """
    lines = (line.partition("#")[0] for line in text.splitlines())
    pieces = (piece.split() for line in lines for piece in line.split(";"))
    return [_step(words) for words in pieces if words]


def duration_ms(text: str) -> int:
    """Return the milliseconds in `3s`, `1.5s` or `250ms`; a bare number is seconds."""
    number, unit_ms = text.removesuffix("s"), 1000
    if text.endswith("ms"):
        number, unit_ms = text.removesuffix("ms"), 1
    try:
        value_ms = float(number) * unit_ms
    except ValueError:
        value_ms = -1
    if not 0 <= value_ms <= 86_400_000:
        raise UsageError(f"{text!r} is no duration; say 3s, 1.5s or 250ms, at most a day")
    return round(value_ms)


def _step(words: list[str]) -> Step:
    name, *rest = words
    known = _STEPS.get(name)
    if known is None:
        raise UsageError(f"no step {name!r}; there are: {', '.join(_STEPS)}")
    make, least, most = known
    if not least <= len(rest) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        raise UsageError(f"step {' '.join(words)!r}: {name} takes {count} words after it")
    return make(*rest)


def _wait(mood: str, timeout: str = f"{WAIT_MS}ms") -> Step:
    if mood not in MOODS:
        raise UsageError(f"wait {mood}: no device shows that; there are: {', '.join(MOODS)}")
    return Wait(mood, duration_ms(timeout))


def child(verb: str, number: str) -> Step:
    """Return what to do with a sub-device; raises `UsageError` for what is no number."""
    if not (number.isascii() and number.isdigit()):
        raise UsageError(f"{verb} {number}: say which sub-device by its number, from 1")
    return Child(verb, int(number))


_STEPS: dict[str, tuple[Callable[..., Step], int, int]] = {
    "p": (Power, 0, 0),
    "b": (Button, 0, 0),
    "hold": (lambda *hold: Hold(duration_ms(hold[0]) if hold else None), 0, 1),
    "show": (lambda *path: Show(Path(" ".join(path))), 1, 99),
    "hide": (Hide, 0, 0),
    "c": (Cable, 0, 0),
    **{verb: (partial(child, verb), 1, 1) for verb in CHILD_VERBS},
    "wait": (_wait, 1, 2),
    "sleep": (lambda text: Sleep(duration_ms(text)), 1, 1),
    "x": (Quit, 0, 0),
}
