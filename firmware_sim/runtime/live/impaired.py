"""A connection with a fault on it: what passes comes later, not for now, or never.

It stands between a connection and its end, is a protocol to the one and a transport to the other,
and is put there only where a fault asks for it; healthy connections know nothing of all this.
Faults lie on the way and not on an end: a connection which its device has left, and whose last
words are still on the way, has them too.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, cast

from firmware_sim.rng import Rng
from firmware_sim.runtime.faults import Fault, blocked, impairs, segment_ms

UNREAD_MAX = 65536  # what has arrived and is not due yet; more is left to the kernel


class Line(Protocol):
    """As much of a transport as the ends of our connections use."""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def close(self) -> None:
        """Close after what was written."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...

    def is_closing(self) -> bool:
        """Say whether it is closed, or about to be."""
        ...

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        ...

    def get_extra_info(self, name: str) -> Any:
        """Return what the loop knows of the connection."""
        ...


class End(Protocol):
    """The device's end of a connection: a protocol that keeps its `line`."""

    line: Line | None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        ...

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        ...

    def eof_received(self) -> bool | None:
        """Hear that the other end says no more."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is gone."""
        ...


Late = Callable[[Sequence[Fault]], int]
"""Returns by how many ms the next thing is late, where such faults lie."""


class Lane:
    """One direction: things arrive in the order in which they set out, as late as they were then.

    While it is `held` nothing gets through. `size` is that of all that is on the way, in bytes.
    """

    __slots__ = ("_faults", "_late", "_loop", "_queue", "_timer", "held", "size")

    def __init__(self, loop: asyncio.AbstractEventLoop, late: Late) -> None:
        """Start as if there were nothing in the way."""
        self._loop = loop
        self._late = late
        self._faults: Sequence[Fault] = ()
        self._queue: deque[tuple[float, int, Callable[[], object]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.held = False
        self.size = 0

    def treat(self, faults: Sequence[Fault], *, held: bool) -> None:
        """Treat what sets out from now on as `faults` say; what is on the way keeps its pace."""
        self._faults = faults
        self.held = held
        self.go_on()

    @property
    def idle(self) -> bool:
        """Say whether nothing lies or is on the way."""
        return not (self._queue or self.held or self._faults)

    def send(self, arrive: Callable[[], object], size: int = 0) -> None:
        """Let something set out; `arrive` is called when it is there."""
        late_s = self._late(self._faults) / 1000 if self._faults else 0.0
        if self._queue or self.held or late_s:
            self._queue.append((self._loop.time() + late_s, size, arrive))
            self.size += size
            self.go_on()
        else:
            arrive()

    def go_on(self) -> None:
        """Wait for what is first, unless nothing gets through for now."""
        if self._timer is None and self._queue and not self.held:
            self._timer = self._loop.call_at(self._queue[0][0], self._run)

    def _run(self) -> None:
        self._timer = None
        now_s = self._loop.time()
        while self._queue and not self.held and self._queue[0][0] <= now_s:
            _, size, arrive = self._queue.popleft()
            self.size -= size
            arrive()
        self.go_on()

    def clear(self) -> None:
        """Lose whatever is on the way."""
        self._queue.clear()
        self.size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Traveller(Protocol):
    """Whoever has faults on the way to the cloud."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Return the faults of this moment."""
        ...


Family = dict["Impaired", None]


class Impaired(asyncio.Protocol):
    """One connection under faults; it is one of `family` as long as its socket is open.

    Once it is `dead`, neither end hears anything of the other.
    """

    __slots__ = ("_end", "_family", "_in", "_loop", "_out", "_paused", "_transport", "dead")

    def __init__(
        self, end: End, loop: asyncio.AbstractEventLoop, family: Family, late: Late
    ) -> None:
        """Stand before `end`: on the connection that it has, or else on one that is being made."""
        self._end = end
        self._loop = loop
        self._in, self._out = Lane(loop, late), Lane(loop, late)
        self.dead = self._paused = False
        self._family = family
        self._transport: asyncio.Transport | None = None
        if end.line is not None:
            transport = cast("asyncio.Transport", end.line)
            self._take(transport)
            transport.set_protocol(self)
            end.line = self

    def _take(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._family[self] = None

    def set(self, faults: Sequence[Fault]) -> None:
        """Treat what passes from now on as `faults` say; what is on the way keeps its pace."""
        for lane in (self._in, self._out):
            lane.treat(faults, held=blocked(faults))

    def die(self) -> None:
        """Swallow everything from now on.

        The socket stays open until the other end hangs up, whatever ours does: nobody is there to
        say goodbye.
        """
        self.dead = True
        self._in.clear()
        self._out.clear()
        self._resume()

    def bury(self) -> None:
        """Close the socket, whoever is or was at either end."""
        if self._transport is not None:
            self._transport.abort()

    # --- what the end asks of its line ----------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes, now or later."""
        if self._transport is not None and not self.dead:
            self._out.send(partial(self._put, data), len(data))

    def _put(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Say goodbye after what was said before."""
        if self._transport is not None and not self.dead:
            self._out.send(self._transport.close)

    def abort(self) -> None:
        """Close at once; where nothing gets through, the other end does not hear of it."""
        if self._transport is None or self.dead:
            return
        if self._out.held:
            self.die()
            self._loop.call_soon(self._end.connection_lost, None)
            return
        self._in.clear()
        self._out.clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        """Say whether it is closed; a dead connection never is, as far as its end can tell."""
        return not self.dead and (self._transport is None or self._transport.is_closing())

    def get_write_buffer_size(self) -> int:
        """Return how many bytes have not left this host."""
        if self._transport is None or self.dead:
            return 0
        return self._transport.get_write_buffer_size() + self._out.size

    def get_extra_info(self, name: str) -> Any:
        """Return what the loop knows of the connection."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    # --- what the connection tells --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves to the end as its transport."""
        self._take(transport)
        self._end.connection_made(cast("asyncio.BaseTransport", self))

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, now or later; too many have to wait where they are."""
        if self.dead:
            return
        self._in.send(partial(self._deliver, data), len(data))
        if self._transport is not None and self._in.size > UNREAD_MAX and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _deliver(self, data: bytes) -> None:
        self._end.data_received(data)
        if self._in.size <= UNREAD_MAX:
            self._resume()

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def eof_received(self) -> None:
        """Pass it on."""
        if not self.dead:
            self._in.send(self._end.eof_received)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on; the end of a dead connection has heard nothing for long."""
        self._transport = None
        self._out.clear()
        self._family.pop(self, None)
        if not self.dead:
            self._in.send(partial(self._end.connection_lost, exc))


class Impairments:
    """All impaired connections of a world, by whose they are."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: Rng) -> None:
        """Start with none; `rng` says what is lost."""
        self._loop = loop
        self._late = partial(segment_ms, rng=rng)
        self._families: dict[Traveller, Family] = {}

    def before(self, whose: Traveller, end: End) -> asyncio.Protocol:
        """Return who is to get a new connection: `end` itself unless faults lie on its way."""
        if not impairs(whose.faults):
            return cast("asyncio.Protocol", end)
        return self._stand_before(whose, end)

    def treat(self, whose: Traveller, *ends: End | None) -> None:
        """Let the connections that stand have what lies on the way now, those of `ends` first of all.

        The others are those which their ends have left already.
        """
        if impairs(whose.faults):
            for end in _plain(ends):
                self._stand_before(whose, end)
        for line in list(self._families.get(whose, ())):
            line.set(whose.faults)

    def kill(self, whose: Traveller, *ends: End | None) -> None:
        """Let the connections that stand die without a word, those of `ends` and what was left."""
        for end in _plain(ends):
            self._stand_before(whose, end)
        for line in list(self._families.get(whose, ())):
            line.die()

    @property
    def lines(self) -> list[Impaired]:
        """Return those whose sockets are open, the dead ones too."""
        return [line for family in self._families.values() for line in family]

    def _stand_before(self, whose: Traveller, end: End) -> Impaired:
        line = Impaired(end, self._loop, self._families.setdefault(whose, {}), self._late)
        line.set(whose.faults)
        return line

    def close(self) -> None:
        """Close the sockets of all of them, the dead ones' too."""
        for line in self.lines:
            line.bury()


def _plain(ends: Iterable[End | None]) -> Iterator[End]:
    """Yield those whose connection stands and is not impaired so far."""
    for end in ends:
        if end is not None and end.line is not None and not isinstance(end.line, Impaired):
            yield end
