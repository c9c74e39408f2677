"""The violations that were found while a run went on: each once, a bounded number per invariant."""

from collections import Counter
from collections.abc import Callable

import msgspec

VIOLATIONS_PER_INVARIANT_MAX = 20


class Violation(msgspec.Struct, frozen=True):
    """One violation: which invariant, who, what, and when, in milliseconds since the Unix epoch."""

    invariant: str
    who: str
    what: str
    at_ms: int


class Findings:
    """All violations of one run so far.

    Whoever wants to know at once adds itself to `on_found`, which is called with each new one.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        """Start without any; times are shown since now."""
        self._now_ms = now_ms
        self._start_ms = now_ms()
        self._found: dict[tuple[str, str, str], Violation] = {}
        self._counts: Counter[str] = Counter()
        self.on_found: list[Callable[[Violation], None]] = []

    def add(self, invariant: str, who: str, what: str) -> None:
        """Note a violation; one that is found again counts once."""
        key = (invariant, who, what)
        if key in self._found:
            return
        self._counts[invariant] += 1
        if self._counts[invariant] > VIOLATIONS_PER_INVARIANT_MAX:
            return
        violation = self._found[key] = Violation(invariant, who, what, self._now_ms())
        for tell in self.on_found:
            tell(violation)

    @property
    def violations(self) -> list[Violation]:
        """Return what is kept, in the order in which it was found."""
        return list(self._found.values())

    def lines(self) -> list[str]:
        """Return one line per violation, and how many more there were of an invariant."""
        lines = [
            f"{one.invariant}: {one.who}: {one.what}, "
            f"at {(one.at_ms - self._start_ms) / 1000:.3f} s"
            for one in self._found.values()
        ]
        for invariant, count in self._counts.items():
            if count > VIOLATIONS_PER_INVARIANT_MAX:
                lines.append(f"{invariant}: and {count - VIOLATIONS_PER_INVARIANT_MAX} more")
        return lines
