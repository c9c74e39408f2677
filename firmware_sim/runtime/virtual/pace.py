"""Virtual time at the pace of a clock on the wall: a world that people can watch and touch.

A loop without a pace jumps from moment to moment. One with a pace waits until the next moment is
due, at so many virtual seconds per real one, and takes in meanwhile what is posted from other
threads: hands, which come between two events and never in one. Time can stand still, and go on by
single moments. What is too slow for its pace is late and skips nothing: time slips instead.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from firmware_sim.errors import UsageError
from firmware_sim.runtime.virtual.agenda import Agenda

FLAT_OUT = math.inf
"""The rate of a world that waits for nothing."""
SLIP_S = 0.25  # being late by less than this is made up for


class Clock(Protocol):
    """A clock on the wall that never goes back, and a way to sleep by it."""

    def now_s(self) -> float:
        """Return the time in seconds."""
        ...

    def sleep(self, for_s: float) -> None:
        """Return after so long, which may be for ever (inf), or as soon as somebody rings."""
        ...

    def ring(self) -> None:
        """Wake who sleeps, or who is about to. May be called from any thread."""
        ...


class WallClock:
    """The machine's steady clock."""

    def __init__(self) -> None:
        """Be silent."""
        self._rung = threading.Event()

    def now_s(self) -> float:
        """Return the time in seconds."""
        return time.monotonic()

    def sleep(self, for_s: float) -> None:
        """Return after so long, or as soon as somebody rings."""
        self._rung.wait(None if math.isinf(for_s) else for_s)
        self._rung.clear()

    def ring(self) -> None:
        """Wake who sleeps, or who is about to."""
        self._rung.set()


class Reading(NamedTuple):
    """A virtual instant, and how many virtual seconds pass per real one from then on: 0, or inf."""

    at_ms: int
    rate: float


class _Anchor(NamedTuple):
    """At which real time it was which virtual time, and how they go on together."""

    real_s: float
    virtual_ms: float
    rate: float


class Pace:
    """The pace of one agenda; give it to the loop (`VirtualLoop.pace`) before that runs.

    `post`, `let_go` and `reading` may be called from any thread, everything else in the loop's own:
    post it. `slipped_s` is how much real time was lost because the world was too slow.
    """

    def __init__(self, agenda: Agenda, rate: float = 1.0, clock: Clock | None = None) -> None:
        """Begin now at `rate`, virtual seconds per real second. UsageError for one that is not."""
        self._agenda = agenda
        self._clock = clock or WallClock()
        self._hands: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._free = False
        self._enough: Callable[[], bool] | None = None
        self._steps = -1  # of the agenda when a step began; -1 before
        self._paused = False
        self._rate = _checked(rate)
        self.slipped_s = 0.0
        self._anchor = _Anchor(self._clock.now_s(), agenda.now_ms, rate)

    # --- from any thread ------------------------------------------------------------------------

    def post(self, call: Callable[..., object], *args: Any) -> None:
        """Have something done between two events, at the virtual instant that it is then."""
        self._hands.append((call, args))
        self._clock.ring()

    def let_go(self) -> None:
        """Wait for nothing any more: the world is about to end."""
        self._free = True
        self._clock.ring()

    def reading(self) -> Reading:
        """Return what virtual time it is, and how it goes on."""
        anchor = self._anchor
        if math.isinf(anchor.rate):
            return Reading(self._agenda.now_ms, FLAT_OUT)
        since_s = self._clock.now_s() - anchor.real_s
        return Reading(int(anchor.virtual_ms + since_s * 1000 * anchor.rate), anchor.rate)

    # --- in the loop's thread -------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """Return how many virtual seconds pass per real one when time does not stand still."""
        return self._rate

    @property
    def paused(self) -> bool:
        """Say whether time stands still."""
        return self._paused

    def set_rate(self, rate: float) -> None:
        """Go on at another rate, or have one for later where time stands still. UsageError."""
        self._rate = _checked(rate)
        self._drop_anchor(self._instant_ms())

    def pause(self) -> None:
        """Let time stand still after this moment; what is due at the same instant still happens."""
        now_ms = self._instant_ms()
        self._paused, self._enough = True, None
        self._drop_anchor(now_ms)

    def go_on(self) -> None:
        """Let time pass again, if it stands still."""
        if self._paused:
            now_ms = self._instant_ms()
            self._paused, self._enough = False, None
            self._drop_anchor(now_ms)

    def step(self, enough: Callable[[], bool] = lambda: True) -> None:
        """Where time stands still, go on from moment to moment, waiting for nothing, until `enough`.

        It is asked after each moment.
        """
        self._enough, self._steps = enough, -1

    # --- asked by the loop ----------------------------------------------------------------------

    def hold(self) -> None:
        """Return when what is planned next is due; hands are planned for the present instant."""
        while True:
            self._end_step()
            self._take_in()
            wait_s = 0.0 if self._free else self._wait_s()
            if wait_s <= 0:
                return
            self._clock.sleep(wait_s)

    def _take_in(self) -> None:
        agenda = self._agenda
        while self._hands:
            call, args = self._hands.popleft()
            agenda.now_ms = self._instant_ms()
            agenda.at(agenda.now_ms, call, *args)

    def _wait_s(self) -> float:
        next_ms = self._agenda.next_ms
        if next_ms is None:
            return math.inf
        if next_ms <= self._agenda.now_ms:
            return 0.0  # no time passes
        if self._enough is not None:
            return 0.0
        rate = self._anchor.rate
        if rate == 0:
            return math.inf
        if math.isinf(rate):
            return 0.0
        due_s = self._anchor.real_s + (next_ms - self._anchor.virtual_ms) / 1000 / rate
        wait_s = due_s - self._clock.now_s()
        if wait_s < -SLIP_S:
            self.slipped_s -= wait_s
            self._drop_anchor(next_ms)
        return wait_s

    def _end_step(self) -> None:
        if self._enough is None:
            return
        if self._steps < 0:
            self._steps = self._agenda.steps
        elif self._steps != self._agenda.steps and self._enough():
            self._enough = None
            self._drop_anchor(self._agenda.now_ms)

    def _instant_ms(self) -> int:
        """Return what time it is: never before what has happened, nor after what is to happen."""
        agenda = self._agenda
        if self._enough is not None:
            return agenda.now_ms
        instant_ms = max(agenda.now_ms, self.reading().at_ms)
        next_ms = agenda.next_ms
        return instant_ms if next_ms is None else max(agenda.now_ms, min(instant_ms, next_ms))

    def _drop_anchor(self, virtual_ms: float) -> None:
        rate = 0.0 if self._paused else self._rate
        self._anchor = _Anchor(self._clock.now_s(), virtual_ms, rate)


def _checked(rate: float) -> float:
    if not rate > 0:
        raise UsageError(f"{rate:g} is no rate of time; to let it stand still, pause it")
    return rate
