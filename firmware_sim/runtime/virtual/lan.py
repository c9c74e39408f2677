"""The LAN of a virtual world: datagrams to everybody, and the TCP port of each device.

People's programs use it as they use the real one: `connect` is what asyncio's `open_connection`
ends in, `listen` hears announcements. All devices of a world are on one LAN, as on one loopback.
Faults lie between a device and everybody else, and are asked when something sets out.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from firmware_sim import events as ev
from firmware_sim.rng import Rng
from firmware_sim.runtime.faults import copies_ms, parted, resend_ms
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.place import Place

TRIP_MS = 1
_OUT, _IN = 0, 1  # to a client, to the device
_ONCE = (0,)  # a datagram on a healthy LAN: one copy, and not late
Take = Callable[[bytes, str], None]


class Ear:
    """Somebody who hears a UDP port."""

    __slots__ = ("_lan", "_port", "take")

    def __init__(self, lan: "Lan", port: int, take: Take) -> None:
        """Hear what is said to everybody on `port`."""
        self._lan = lan
        self._port = port
        self.take = take

    def close(self) -> None:
        """Hear nothing more."""
        self._lan.ears[self._port].remove(self)


class Lan:
    """Everybody on it."""

    def __init__(self, agenda: Agenda, rng: Rng) -> None:
        """Start with nobody; `rng` says what is lost where faults lie."""
        self.agenda = agenda
        self.rng = rng
        self.ears: dict[int, list[Ear]] = {}
        self._ports: dict[tuple[str, int], LanPort] = {}
        self._held: dict[Place, list[tuple[Callable[..., object], tuple[Any, ...]]]] = {}

    async def listen(self, take: Take, _ip: str, port: int) -> Ear:
        """Hear what is said to everybody on a UDP port: `take(datagram, source_ip)`."""
        ear = Ear(self, port, take)
        self.ears.setdefault(port, []).append(ear)
        return ear

    def broadcast(self, place: Place, port: int, data: bytes) -> None:
        """Let a device say something to everybody."""
        faults = place.faults
        for late_ms in copies_ms(faults, self.rng) if faults else _ONCE:
            for ear in self.ears.get(port, ()):
                self.agenda.after(TRIP_MS + late_ms, ear.take, data, place.ip)

    def open(self, place: Place, port: int) -> "LanPort":
        """Let a device take clients."""
        opened = self._ports[place.ip, port] = LanPort(self, place, port)
        return opened

    def forget(self, ip: str, port: int) -> None:
        """Let a device take no more clients."""
        self._ports.pop((ip, port), None)

    async def connect(
        self, factory: Callable[[], asyncio.BaseProtocol], ip: str, port: int
    ) -> tuple["Line", asyncio.BaseProtocol]:
        """Connect to the port of a device; raises ConnectionRefusedError."""
        await asyncio.sleep(2 * TRIP_MS / 1000)
        lan_port = self._ports.get((ip, port))
        if lan_port is not None and lan_port.place.faults:
            await self._get_through(lan_port.place)
            lan_port = self._ports.get((ip, port))
        if lan_port is None:
            raise ConnectionRefusedError(f"{ip}:{port} takes no connections")
        protocol = factory()
        line = Line(protocol, lan_port)
        protocol.connection_made(line)
        lan_port.take(line)
        return line, protocol

    async def _get_through(self, place: Place) -> None:
        """Suffer what lies between a phone and a device before they are connected."""
        await asyncio.sleep(sum(resend_ms(place.faults, self.rng) for _ in range(2)) / 1000)
        while parted(place.faults):
            whole = asyncio.Event()
            self.hold(place, whole.set)
            await whole.wait()

    def hold(self, place: Place, call: Callable[..., object], *args: Any) -> None:
        """Let something wait until `place` is not parted any more."""
        self._held.setdefault(place, []).append((call, args))

    def let_go(self, place: Place) -> None:
        """Let everything set out that was held."""
        for call, args in self._held.pop(place, ()):
            call(*args)


_NOBODY: dict[int, "Line"] = {}
"""The clients of a port that has never had one: most have none."""


class LanPort:
    """The listening port of one device and its clients."""

    __slots__ = ("_clients", "_count", "_port", "lan", "place")

    def __init__(self, lan: Lan, place: Place, port: int) -> None:
        """Start without clients."""
        self.lan = lan
        self.place = place
        self._port = port
        self._clients = _NOBODY
        self._count = 0

    def take(self, line: "Line") -> None:
        """Take a client."""
        self._count += 1
        line.number = self._count
        if self._clients is _NOBODY:
            self._clients = {}
        self._clients[self._count] = line
        self.place.tell(ev.LanOpened(self._count))

    def heard(self, number: int, data: bytes) -> None:
        """Take a client's bytes."""
        if number in self._clients:
            self.place.tell(ev.LanReceived(number, data))

    def left(self, number: int) -> None:
        """Hear that a client is gone."""
        if self._clients.pop(number, None) is not None:
            self.place.tell(ev.LanClosed(number))

    def send(self, number: int, data: bytes) -> None:
        """Send a client something."""
        line = self._clients.get(number)
        if line is not None:
            line.pass_on(_OUT, line.arrive, data)

    def drop(self, number: int) -> None:
        """Close one client after what was sent."""
        line = self._clients.pop(number, None)
        if line is not None:
            line.pass_on(_OUT, line.lose)

    def close(self, *, hard: bool = False) -> None:
        """Stop listening and lose all clients; `hard` as when the power is cut."""
        self.lan.forget(self.place.ip, self._port)
        for number, line in list(self._clients.items()):
            if hard:
                line.cut()
            self.drop(number)


class Line(asyncio.Transport):
    """A client's end of a connection to a device."""

    def __init__(self, protocol: Any, port: LanPort) -> None:
        """Stand between a protocol and the device's port."""
        super().__init__()
        self._protocol = protocol
        self._port = port
        self._closing = self._lost = self._cut = False
        self._arrive_ms = [0, 0]  # what set out last for the client, and for the device
        self.number = 0

    def pass_on(self, direction: int, arrive: Callable[..., object], *args: Any) -> None:
        """Let something set out; `arrive(*args)` when it is there, in order."""
        lan, place = self._port.lan, self._port.place
        faults = place.faults
        if faults and parted(faults):
            lan.hold(place, self.pass_on, direction, arrive, *args)
            return
        late_ms = resend_ms(faults, lan.rng) if faults else 0
        due_ms = max(lan.agenda.now_ms + TRIP_MS + late_ms, self._arrive_ms[direction])
        self._arrive_ms[direction] = due_ms
        lan.agenda.at(due_ms, arrive, *args)

    def cut(self) -> None:
        """Lose what the device has said and the client has not heard: nobody will say it again."""
        self._cut = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        if not self._closing:
            self.pass_on(_IN, self._port.heard, self.number, bytes(data))

    def close(self) -> None:
        """Close after what was written."""
        if not self._closing:
            self._closing = True
            self.pass_on(_IN, self._port.left, self.number)
            asyncio.get_running_loop().call_soon(self._say_lost)

    def abort(self) -> None:
        """Close at once."""
        self.close()

    def is_closing(self) -> bool:
        """Say whether it is closed, or about to be."""
        return self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Change whom to tell."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who is told."""
        told: asyncio.BaseProtocol = self._protocol
        return told

    def get_write_buffer_size(self) -> int:
        """Return 0: whatever is written sets out at once."""
        return 0

    def arrive(self, data: bytes) -> None:
        """Tell the client what the device has sent."""
        if not (self._closing or self._cut):
            self._protocol.data_received(data)

    def lose(self) -> None:
        """Tell the client that the device is gone."""
        self._closing = True
        self._say_lost()

    def _say_lost(self) -> None:
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(None)
