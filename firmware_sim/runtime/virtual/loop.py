"""An event loop of asyncio whose clock is an agenda: people written as coroutines live in it.

Nothing waits: when everybody waits for something later, it is later. Tasks, events, locks and
time limits are those of asyncio, so whoever lives in real time lives here unchanged. There are no
sockets, threads or signals. When nothing is planned any more and somebody still waits, that is
said instead of hanging (the idea of trio's autojump clock).
"""

import asyncio
import math
from asyncio import base_events
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from typing import Any

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.pace import Pace

LOOK_EVERY = 64  # moments
VOID_MIN = 1_000  # calls that were taken back, before anybody cares
NOISE_MS = 0.001  # of a time in seconds since the Unix epoch, as a float has it
NEVER_MS = 1 << 62
GRACE_MS, GRACE_STEPS = 600_000, 1_000_000  # for whoever is called off by `Endless`
Connect = Callable[
    [Callable[[], asyncio.BaseProtocol], str, int],
    Awaitable[tuple[asyncio.Transport, asyncio.BaseProtocol]],
]


class Stalled(RuntimeError):
    """Somebody waits for what will never happen."""


class Endless(RuntimeError):
    """It was to be over by now."""


class Planned:
    """One planned call, as asyncio's handles: it can be taken back."""

    __slots__ = ("_args", "_call", "_context", "_loop", "_when_s")

    def __init__(
        self,
        loop: "VirtualLoop",
        when_s: float,
        call: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> None:
        """Keep what to call, in the caller's context unless another one is given."""
        self._loop = loop
        self._when_s = when_s
        self._call: Callable[..., object] | None = call
        self._args = args
        self._context = copy_context() if context is None else context  # an empty one is false

    def run(self) -> None:
        """Do it, unless it was taken back."""
        call = self._call
        if call is not None:
            self._context.run(call, *self._args)

    def cancel(self) -> None:
        """Take it back."""
        if self._call is not None:
            self._call = None
            self._args = ()
            self._loop.voided += 1

    def cancelled(self) -> bool:
        """Say whether it was taken back."""
        return self._call is None

    def when(self) -> float:
        """Return when it is due, by the loop's clock in seconds."""
        return self._when_s


class VirtualLoop(base_events.BaseEventLoop):
    """The loop of one agenda. Its `time` is the agenda's, in seconds since the Unix epoch.

    asyncio's own base class keeps the books of tasks, generators and errors; the four methods by
    which a loop plans, and the one by which it goes on, are the agenda's.
    """

    def __init__(self, agenda: Agenda) -> None:
        """Live by `agenda`, which others may plan in as well."""
        super().__init__()
        self.agenda = agenda
        self.connect: Connect | None = None  # how people reach the ports of devices
        self.on_moment: Callable[[], None] | None = None  # called often, between two moments
        self.pace: Pace | None = None  # without one nothing waits
        self.end_ms = NEVER_MS  # by then, and in so many steps of the agenda, it has to be over
        self.steps_max = NEVER_MS
        self.voided = 0  # calls that were taken back since it was cleared of them
        self._left = 0  # what was planned when it was
        self._rounds = 0

    def time(self) -> float:
        """Return the time in seconds."""
        return self.agenda.now_ms / 1000

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Planned:
        """Plan a call for now, behind what is planned for now already."""
        planned = Planned(self, 0.0, callback, args, context)
        self.agenda.at(0, Planned.run, planned)
        return planned

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Planned:
        """Plan a call for a time in seconds: never a millisecond early, and not now if it is later.

        Whoever sleeps until a time has come, and looks again, would otherwise never see it come.
        """
        planned = Planned(self, when, callback, args, context)
        due_ms = math.ceil(1000 * when - NOISE_MS)
        if due_ms <= self.agenda.now_ms and when > self.time():
            due_ms = self.agenda.now_ms + 1
        self.agenda.at(due_ms, Planned.run, planned)
        return planned

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Planned:
        """Plan a call for `delay` seconds from now."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str,
        port: int,
        **_: Any,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to a device on the virtual LAN; raises OSError."""
        if self.connect is None:
            raise OSError("no network in this loop")
        return await self.connect(protocol_factory, host, port)

    def stop(self) -> None:
        """End the run after what is done this very moment."""
        super().stop()
        self.agenda.stop = True

    def _run_once(self) -> None:
        """Go to the next moment; called by the base class until the loop is stopped."""
        if self.pace is not None:
            self.pace.hold()
        next_ms = self.agenda.next_ms
        if next_ms is None:
            raise Stalled("everybody waits, and nothing is planned that could end it")
        if next_ms > self.end_ms:
            self.end_ms = next_ms + GRACE_MS
            raise Endless("it is not over in time")
        self.agenda.run_next()
        self._rounds += 1
        if self._rounds % LOOK_EVERY == 0:
            self._look()
        if self._stopping:  # type: ignore[attr-defined]
            self.agenda.stop = False

    def _look(self) -> None:
        # Who waits with a time limit that is far away leaves one behind each time; as asyncio does,
        # they are cleared away when there are as many of them as of all others.
        if self.voided > max(VOID_MIN, self._left):
            self._left, self.voided = self.agenda.drop(_is_void), 0
        if self.on_moment is not None:
            self.on_moment()
        if self.agenda.steps > self.steps_max:
            self.steps_max = self.agenda.steps + GRACE_STEPS
            raise Endless("it is not over in so many steps")


def _is_void(call: Callable[..., object], args: tuple[Any, ...]) -> bool:
    return call is Planned.run and args[0].cancelled()
