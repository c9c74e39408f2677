"""The way from devices to their cloud in virtual time: calls over HTTP, streams of MQTT.

Bytes are those of the live world; TCP is what programs see of it: connecting takes a trip there
and back, bytes arrive in order or not at all, and a lost packet is a late one. Faults lie on the
link of a device (`firmware_sim.runtime.faults`) and are asked when something sets out. What a
blocked link holds sets out when it is free again, also of a connection that its device has left.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from firmware_sim import events as ev
from firmware_sim.effects import OpenMqtt, SendHttp
from firmware_sim.rng import Rng
from firmware_sim.runtime.faults import (
    ConnectRefused,
    DnsRefused,
    Fault,
    blocked,
    connect_ms,
    lies,
    segment_ms,
)
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.place import Place

TIMEOUT_MS = 5000  # of a call and of connecting, as in the live world
TRIPS_TCP, TRIPS_TLS = 1, 3
HEAD_SIZE = 128  # of an HTTP reply, as far as firmware's buffer is concerned


class Host(Protocol):
    """A server on the WAN."""

    @property
    def up(self) -> bool:
        """Say whether it takes connections."""
        ...

    def post(self, call: "Call") -> None:
        """Take a request; answered by `Call.answer` or `Call.lose`, later or never."""
        ...

    def opened(self, stream: "Stream") -> None:
        """Take a new connection of a client of the broker."""
        ...

    def heard(self, stream: "Stream", data: bytes) -> None:
        """Take bytes."""
        ...

    def lost(self, stream: "Stream") -> None:
        """Hear that the client is gone."""
        ...


class Wan:
    """The network between all devices and the servers, by name and port."""

    __slots__ = ("_held", "_rng", "agenda", "hosts", "jitter_ms", "trip_ms")

    def __init__(
        self,
        agenda: Agenda,
        hosts: Mapping[tuple[str, int], Host],
        rng: Rng,
        trip_ms: int = 10,
        jitter_ms: int = 10,
    ) -> None:
        """Each way takes `trip_ms`, and up to `jitter_ms` more."""
        self.agenda = agenda
        self.hosts = hosts
        self.trip_ms = trip_ms
        self.jitter_ms = jitter_ms
        self._rng = rng
        self._held: dict[Place, list[End]] = {}  # whose connections hold something

    def latency_ms(self, faults: Sequence[Fault]) -> int:
        """Return how long the next packet takes."""
        duration_ms = self.trip_ms
        if self.jitter_ms:
            duration_ms += self._rng.next_u64() % (self.jitter_ms + 1)
        return duration_ms + segment_ms(faults, self._rng) if faults else duration_ms

    def connect_ms(self, faults: Sequence[Fault], trips: int) -> int:
        """Return how long connecting takes, with so many `trips` there and back."""
        duration_ms = 2 * trips * self.latency_ms(())
        return duration_ms + connect_ms(faults, trips, self._rng) if faults else duration_ms

    def hold(self, place: Place, end: "End") -> None:
        """Remember a connection that holds something until the link of `place` is free."""
        self._held.setdefault(place, []).append(end)

    def let_go(self, place: Place) -> None:
        """Let everything set out that was held."""
        for end in self._held.pop(place, ()):
            end.go_on()

    def lose(self, place: Place) -> None:
        """Lose everything that was held, and the connections that it was held on."""
        for end in self._held.pop(place, ()):
            end.die()


class End:
    """One connection of one device, from its end.

    `dead`: neither end hears the other any more, and neither knows. `wanted`: the device is
    interested. `line`: it stands.
    """

    __slots__ = ("_arrive_in_ms", "_arrive_out_ms", "_held", "_host", "dead", "line", "place",
                 "wan", "wanted")  # fmt: skip

    def __init__(self, wan: Wan, place: Place, host: str, port: int) -> None:
        """Prepare; nothing has set out yet."""
        self.wan = wan
        self.place = place
        self.dead = self.line = False
        self.wanted = True
        self._host = wan.hosts.get((host, port))
        self._arrive_out_ms = self._arrive_in_ms = 0
        self._held: list[tuple[Callable[..., object], tuple[Any, ...]]] | None = None

    def knock(self, trips: int) -> None:
        """Ask for a connection; `connected` or `fail` follows, after `trips` there and back."""
        faults = self.place.faults
        if self._host is None or (faults and lies(DnsRefused, faults)):
            self.wan.agenda.after(0, self.fail, "dns")
        elif faults and blocked(faults):
            self._hold(self.knock, trips)
        else:
            self.wan.agenda.after(self.wan.connect_ms(faults, trips), self._arrived)

    def _arrived(self) -> None:
        if not self.wanted:
            return
        assert self._host is not None
        faults = self.place.faults
        if not self._host.up or (faults and lies(ConnectRefused, faults)):
            self.fail("ConnectionRefusedError")
            return
        self.line = True
        self.connected(self._host)

    def connected(self, host: Host) -> None:
        """Go on: there is a connection."""
        raise NotImplementedError

    def fail(self, reason: str) -> None:
        """Tell the device, once, that it came to nothing."""
        raise NotImplementedError

    # --- what sets out ----------------------------------------------------------------------------

    def send(self, arrive: Callable[..., object], *args: Any) -> None:
        """Let something set out for the server; `arrive(*args)` when it is there."""
        if self.dead:
            return
        faults = self.place.faults
        if faults and blocked(faults):
            self._hold(self.send, arrive, *args)
            return
        agenda = self.wan.agenda
        due_ms = agenda.now_ms + self.wan.latency_ms(faults)
        if due_ms < self._arrive_out_ms:
            due_ms = self._arrive_out_ms
        self._arrive_out_ms = due_ms
        agenda.at(due_ms, arrive, *args)

    def send_back(self, arrive: Callable[..., object], *args: Any) -> None:
        """Let something set out for the device."""
        if self.dead:
            return
        faults = self.place.faults
        if faults and blocked(faults):
            self._hold(self.send_back, arrive, *args)
            return
        agenda = self.wan.agenda
        due_ms = agenda.now_ms + self.wan.latency_ms(faults)
        if due_ms < self._arrive_in_ms:
            due_ms = self._arrive_in_ms
        self._arrive_in_ms = due_ms
        agenda.at(due_ms, arrive, *args)

    def _hold(self, call: Callable[..., object], *args: Any) -> None:
        if self._held is None:
            self._held = []
            self.wan.hold(self.place, self)
        self._held.append((call, args))

    def go_on(self) -> None:
        """Let what was held set out."""
        held, self._held = self._held, None
        for call, args in held or ():
            call(*args)

    def die(self) -> None:
        """Let neither end hear the other any more."""
        if self.line:
            self.dead = True
            self._held = None

    def cut(self) -> None:
        """Lose what is held: nobody is there any more to say it again."""
        if self._held is not None:
            self.die()


class Call(End):
    """One HTTP request of a device and its reply."""

    __slots__ = ("_host_of", "wish")

    def __init__(self, wan: Wan, place: Place, wish: SendHttp) -> None:
        """Set out; the five seconds begin now."""
        super().__init__(wan, place, wish.host, wish.port)
        self.wish = wish
        self._host_of: Host | None = None
        wan.agenda.after(TIMEOUT_MS, self.fail, "timeout")
        self.knock(TRIPS_TLS if wish.anchor else TRIPS_TCP)

    def connected(self, host: Host) -> None:
        """Send the request."""
        self._host_of = host
        self.send(self._asked)

    def _asked(self) -> None:
        assert self._host_of is not None
        if self.dead or not self._host_of.up:
            self.lose()
            return
        self._host_of.post(self)

    def answer(self, status: int, body: bytes) -> None:
        """Send the reply back."""
        self.send_back(self._answered, status, body)

    def lose(self) -> None:
        """Break the connection from the server's side."""
        self.send_back(self.fail, "connection_lost")

    def _answered(self, status: int, body: bytes) -> None:
        if self.dead or not self.wanted:
            return
        if len(body) + HEAD_SIZE > self.wish.reply_size_max:
            self.fail("reply_too_large")
            return
        self.wanted = False
        self.place.call = None
        self.place.tell(ev.HttpReplied(self.wish.call, status, body))

    def fail(self, reason: str) -> None:
        """Tell the device, once, that there is no usable reply."""
        if self.wanted and not (self.dead and reason != "timeout"):
            self.wanted = False
            self.place.call = None
            self.place.tell(ev.HttpFailed(self.wish.call, reason))

    def abandon(self) -> None:
        """Forget it; the server finds out when it answers."""
        self.wanted = False
        self.cut()


class Stream(End):
    """One connection of a device to its broker. `conn` is the server's name for it, 0: none."""

    __slots__ = ("_host_of", "conn")

    def __init__(self, wan: Wan, place: Place, wish: OpenMqtt) -> None:
        """Set out; connecting takes five seconds at most."""
        super().__init__(wan, place, wish.host, wish.port)
        self.conn = 0
        self._host_of: Host | None = None
        wan.agenda.after(TIMEOUT_MS, self._not_connected)
        self.knock(TRIPS_TLS if wish.anchor else TRIPS_TCP)

    def _not_connected(self) -> None:
        if not self.line:
            self.fail("TimeoutError")

    def connected(self, host: Host) -> None:
        """Introduce both ends to each other."""
        self._host_of = host
        host.opened(self)
        self.place.tell(ev.MqttOpened())

    def fail(self, reason: str, *, fin: bool = False) -> None:
        """Tell the device, once, that the connection is gone or could not be made."""
        if self.wanted and not self.dead:
            self.wanted = False
            self.place.tell(ev.MqttClosed(reason, fin))

    @property
    def severed(self) -> bool:
        """Say whether its session is gone: without a word, or by one that is still on its way."""
        return self.dead or not self.wanted or (self.line and not self.conn)

    # --- the device's end -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes, if the connection stands."""
        if self.line and self.wanted:
            self.send(self._heard, data)

    def _heard(self, data: bytes) -> None:
        if self.conn and not self.dead and self._host_of is not None:
            self._host_of.heard(self, data)

    def leave(self) -> None:
        """Close after what was written."""
        self.wanted = False
        if self.line:
            self.send(self._left)

    def abandon(self) -> None:
        """Cut the connection, as when the power is cut: a last packet says so, if it gets through."""
        if blocked(self.place.faults):
            self.die()
            self.wanted = False
        else:
            self.leave()

    def _left(self) -> None:
        if self.conn and not self.dead and self._host_of is not None:
            self._host_of.lost(self)

    # --- the server's end -----------------------------------------------------------------------

    def deliver(self, data: bytes) -> None:
        """Send bytes to the device."""
        self.send_back(self._delivered, data)

    def _delivered(self, data: bytes) -> None:
        if self.wanted and not self.dead:
            self.place.tell(ev.MqttReceived(data))

    def hang_up(self) -> None:
        """Close from the server's side, after what was sent."""
        self.conn = 0
        self.send_back(self._hung_up)

    def _hung_up(self) -> None:
        self.fail("closed", fin=True)
