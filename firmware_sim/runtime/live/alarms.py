"""One heap of deadlines for all devices of a world, and one timer of the event loop for the heap.

An entry whose device has changed its mind stays in the heap and is skipped when it comes up; when
such entries are the most, the heap is made anew.
"""

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from time import time

_STALE_MIN = 64


class Clock:
    """Milliseconds since the Unix epoch that never run backwards, from the loop's own clock."""

    __slots__ = ("_loop", "_offset_s")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tie the loop's monotonic clock to the wall clock, once."""
        self._loop = loop
        self._offset_s = time() - loop.time()

    def now_ms(self) -> int:
        """Return the time."""
        return int(1000 * (self._loop.time() + self._offset_s))

    def advance(self, duration_ms: int) -> None:
        """Make it later by so much than the wall clock says."""
        self._offset_s += duration_ms / 1000

    def loop_time(self, moment_ms: int) -> float:
        """Return the loop's time for a moment."""
        return moment_ms / 1000 - self._offset_s


class Alarms:
    """Calls `ring(index)` when the deadline that device `index` wants has come."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Clock, ring: Callable[[int], None]
    ) -> None:
        """Start without deadlines."""
        self._loop = loop
        self._clock = clock
        self._ring = ring
        self._heap: list[tuple[int, int]] = []
        self._wanted: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0

    def want(self, index: int, deadline_ms: int | None) -> None:
        """Let device `index` be woken at `deadline_ms` and at no other time."""
        if index >= len(self._wanted):
            self._wanted.extend([0] * (index + 1 - len(self._wanted)))
        if self._wanted[index] == (deadline_ms or 0):
            return
        self._wanted[index] = deadline_ms or 0
        if deadline_ms is not None:
            heappush(self._heap, (deadline_ms, index))
            if len(self._heap) > _STALE_MIN + 2 * len(self._wanted):
                self._heap = [(due_ms, i) for i, due_ms in enumerate(self._wanted) if due_ms]
                heapify(self._heap)
            self._set_timer()

    def _set_timer(self) -> None:
        first_ms = self._heap[0][0]
        if self._timer is not None:
            if self._timer_ms <= first_ms:
                return
            self._timer.cancel()
        self._timer_ms = first_ms
        # One millisecond more than asked: the clock is cut to whole ones.
        self._timer = self._loop.call_at(self._clock.loop_time(first_ms + 1), self._run)

    def _run(self) -> None:
        self._timer = None
        now_ms = self._clock.now_ms()
        try:
            while self._heap and self._heap[0][0] <= now_ms:
                deadline_ms, index = heappop(self._heap)
                if self._wanted[index] == deadline_ms:
                    self._wanted[index] = 0
                    self._ring(index)
        finally:  # the mistake of one device does not put all others to sleep
            if self._heap:
                self._set_timer()

    def close(self) -> None:
        """Wake nobody any more."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
