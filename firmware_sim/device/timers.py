"""The device's timers: an enum, one fixed array of deadlines, and the signal each one raises.

Nothing is scheduled. The driver asks for the smallest deadline and comes back then. A state of a
machine owns its timers: `Machine.step` disarms them whenever the state changes.
"""

from array import array
from enum import IntEnum

from firmware_sim.device import signals
from firmware_sim.events import Event

UNARMED = 0


class Timer(IntEnum):
    """The index of a deadline."""

    BOOT = 0
    ERASE = 1
    FAILURE = 2
    JOIN = 3
    RETRY = 4
    ANNOUNCE = 5
    HOLD = 6
    CONNECT = 7
    PING = 8
    PONG = 9
    BACKOFF = 10
    LAN_IDLE = 11
    STEP = 12
    ASK = 13
    ANSWER = 14
    CHILDREN = 15


# In the order of their numbers, which is that of the deadlines.
SIGNALS: dict[Timer, Event] = {
    Timer.BOOT: signals.BootElapsed(),
    Timer.ERASE: signals.EraseElapsed(),
    Timer.FAILURE: signals.FailureElapsed(),
    Timer.JOIN: signals.JoinElapsed(),
    Timer.RETRY: signals.RetryElapsed(),
    Timer.ANNOUNCE: signals.AnnounceElapsed(),
    Timer.HOLD: signals.HoldElapsed(),
    Timer.CONNECT: signals.ConnectElapsed(),
    Timer.PING: signals.PingElapsed(),
    Timer.PONG: signals.PongElapsed(),
    Timer.BACKOFF: signals.BackoffElapsed(),
    Timer.LAN_IDLE: signals.IdleElapsed(),
    Timer.STEP: signals.StepElapsed(),
    Timer.ASK: signals.AskElapsed(),
    Timer.ANSWER: signals.AnswerElapsed(),
    Timer.CHILDREN: signals.ChildrenDue(),
}

_SIGNALS = tuple(SIGNALS.values())


class Timers:
    """Deadlines in milliseconds since the Unix epoch, one per `Timer`.

    The smallest is kept until that one changes: a driver asks for it after every event.
    """

    __slots__ = ("_deadlines", "_next_ms")

    def __init__(self) -> None:
        """Start with everything disarmed."""
        self._deadlines = array("q", (UNARMED,)) * len(Timer)  # which takes no more than it needs
        self._next_ms: int | None = UNARMED  # which is no deadline, so nobody has looked

    def arm(self, timer: Timer, deadline_ms: int) -> None:
        """Let `timer` run out at `deadline_ms`; an earlier arming is forgotten."""
        if self._next_ms is None or deadline_ms < self._next_ms:
            self._next_ms = deadline_ms
        elif self._deadlines[timer] == self._next_ms:
            self._next_ms = UNARMED
        self._deadlines[timer] = deadline_ms

    def disarm(self, *timers: Timer) -> None:
        """Forget these timers."""
        deadlines = self._deadlines
        for timer in timers:
            due_ms = deadlines[timer]
            if due_ms != UNARMED:
                deadlines[timer] = UNARMED
                if due_ms == self._next_ms:
                    self._next_ms = UNARMED

    def postpone(self, by_ms: int) -> None:
        """Let everything that is running run out so much later."""
        for timer, due_ms in enumerate(self._deadlines):
            if due_ms != UNARMED:
                self._deadlines[timer] = due_ms + by_ms
        self._next_ms = UNARMED

    def armed(self, timer: Timer) -> bool:
        """Say whether `timer` is running."""
        return self._deadlines[timer] != UNARMED

    def next_ms(self) -> int | None:
        """Return the smallest deadline, or None when nothing is armed."""
        if self._next_ms == UNARMED:
            self._next_ms = min(filter(None, self._deadlines), default=None)
        return self._next_ms

    def expired(self, now_ms: int) -> list[Event]:
        """Disarm what has run out by now and return its signals, earliest first."""
        due: list[Event] = []
        next_ms = self.next_ms()
        while next_ms is not None and next_ms <= now_ms:
            timer = self._deadlines.index(next_ms)  # of those that are due together the first
            self._deadlines[timer] = UNARMED
            self._next_ms = UNARMED
            due.append(_SIGNALS[timer])
            next_ms = self.next_ms()
        return due
