"""What was the case when: changes with their times, and no more of them than are worth keeping."""

from bisect import bisect_right
from typing import Generic, NamedTuple, TypeVar

KEPT_MS = 600_000
CHANGES_MAX = 20_000

T = TypeVar("T")


class Period(NamedTuple, Generic[T]):
    """A stretch of time with one value; `since_ms` is when that value came, at or before start."""

    start_ms: int
    end_ms: int
    since_ms: int
    value: T


class Timeline(Generic[T]):
    """Values over time, of the last ten minutes and at most 20,000 of them."""

    __slots__ = ("_since_ms", "_values")

    def __init__(self, value: T) -> None:
        """Begin with a value that has always been."""
        self._since_ms = [-(1 << 62)]
        self._values = [value]

    @property
    def last(self) -> T:
        """Return the newest value."""
        return self._values[-1]

    def change(self, value: T, now_ms: int) -> None:
        """Take a new value; a time before the last change counts as that change's."""
        self._since_ms.append(max(now_ms, self._since_ms[-1]))
        self._values.append(value)
        keep = bisect_right(self._since_ms, now_ms - KEPT_MS) - 1
        if len(self._values) > CHANGES_MAX:  # a quarter at once: cutting off the front costs
            keep = max(keep, CHANGES_MAX // 4)
        if keep > 0 and (keep >= len(self._values) // 4):
            del self._since_ms[:keep], self._values[:keep]

    def at(self, at_ms: int) -> tuple[int, T]:
        """Return since when, and which value, was the case; before all that is kept the oldest."""
        place = max(0, bisect_right(self._since_ms, at_ms) - 1)
        return self._since_ms[place], self._values[place]

    def between(self, start_ms: int, end_ms: int) -> list[Period[T]]:
        """Return the periods of a window, the first and the last cut to it; none are empty."""
        place = max(0, bisect_right(self._since_ms, start_ms) - 1)
        periods = []
        at_ms = start_ms
        while at_ms < end_ms:
            more = place + 1 < len(self._values)
            until_ms = min(end_ms, self._since_ms[place + 1]) if more else end_ms
            if until_ms > at_ms:
                since = self._since_ms[place]
                periods.append(Period(at_ms, until_ms, since, self._values[place]))
                at_ms = until_ms
            place += 1
        return periods
