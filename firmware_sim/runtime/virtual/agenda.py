"""What is to happen when, in virtual time: the only clock of a virtual world.

Time is integer milliseconds since the Unix epoch. What is due in the same millisecond happens in
the order in which it was planned, so a run depends on nothing but what is planned. Millions of
things may be planned, many for the same millisecond: there is one queue for each of those, and a
heap of their times only.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any

AT_ONCE_MAX = 20_000_000
"""Things in one millisecond; with more, something goes round in circles."""

_Plan = tuple[Callable[..., object], tuple[Any, ...]]


class Agenda:
    """Plans and the time. `steps` counts what has happened, `stop` ends a `run` early."""

    __slots__ = ("_due", "_heap", "at_once_max", "now_ms", "steps", "stop")

    def __init__(self, start_ms: int) -> None:
        """Start with nothing planned."""
        self.now_ms = start_ms
        self.steps = 0
        self.stop = False
        self.at_once_max = AT_ONCE_MAX
        self._heap: list[int] = []
        self._due: dict[int, list[_Plan]] = {}

    def at(self, due_ms: int, call: Callable[..., object], *args: Any) -> None:
        """Plan a call; what should have happened long ago happens now."""
        if due_ms < self.now_ms:
            due_ms = self.now_ms
        try:
            self._due[due_ms].append((call, args))
        except KeyError:
            self._due[due_ms] = [(call, args)]
            heappush(self._heap, due_ms)

    def after(self, delay_ms: int, call: Callable[..., object], *args: Any) -> None:
        """Plan a call `delay_ms` from now."""
        due_ms = self.now_ms + delay_ms if delay_ms > 0 else self.now_ms
        try:  # as `at` does: another call would cost as much as this
            self._due[due_ms].append((call, args))
        except KeyError:
            self._due[due_ms] = [(call, args)]
            heappush(self._heap, due_ms)

    def drop(self, is_void: Callable[[Callable[..., object], tuple[Any, ...]], bool]) -> int:
        """Forget the calls that are void, those of this very moment excepted; return what is left.

        Call it between two moments: it costs as much as everything that is planned.
        """
        kept: dict[int, list[_Plan]] = {}
        for due_ms, plans in self._due.items():
            left = [plan for plan in plans if due_ms == self.now_ms or not is_void(*plan)]
            if left:
                kept[due_ms] = left
        self._due, self._heap = kept, list(kept)
        heapify(self._heap)
        return sum(map(len, kept.values()))

    @property
    def next_ms(self) -> int | None:
        """Return when something happens next, None when nothing ever will."""
        return self._heap[0] if self._heap else None

    def run_next(self) -> None:
        """Go to the next moment at which something is planned, and do all of that, or until `stop`.

        Raises RuntimeError when that moment never ends, and whatever a call raises; what was
        planned behind it stays planned.
        """
        self.now_ms = moment_ms = self._heap[0]
        plans = self._due[moment_ms]
        done, done_max = 0, self.at_once_max
        try:
            for call, args in plans:  # grows while it is worked off
                done += 1
                call(*args)
                if self.stop:
                    break
                if done > done_max:
                    last = getattr(call, "__qualname__", type(call).__name__)
                    raise RuntimeError(f"{done_max} things in one millisecond, the last {last}")
        finally:
            self.steps += done
            if done == len(plans):
                del self._due[moment_ms]
                heappop(self._heap)
            else:
                self._due[moment_ms] = list(islice(plans, done, None))

    def run_until(self, end_ms: int) -> None:
        """Do everything that is due up to and including `end_ms`; it is `end_ms` then."""
        while self._heap and self._heap[0] <= end_ms:
            self.run_next()
        self.now_ms = max(self.now_ms, end_ms)
