"""The LAN of a virtual world: datagrams to everybody, and the TCP port of each device.

People's programs use it as they use the real one: `connect` is what asyncio's `open_connection`
ends in, `listen` hears announcements. All devices of a world are on one LAN, as on one loopback.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from firmware_sim import events as ev
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.place import Place

TRIP_MS = 1
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

    def __init__(self, agenda: Agenda) -> None:
        """Start with nobody."""
        self.agenda = agenda
        self.ears: dict[int, list[Ear]] = {}
        self._ports: dict[tuple[str, int], LanPort] = {}

    async def listen(self, take: Take, _ip: str, port: int) -> Ear:
        """Hear what is said to everybody on a UDP port: `take(datagram, source_ip)`."""
        ear = Ear(self, port, take)
        self.ears.setdefault(port, []).append(ear)
        return ear

    def broadcast(self, place: Place, port: int, data: bytes) -> None:
        """Let a device say something to everybody."""
        for ear in self.ears.get(port, ()):
            self.agenda.after(TRIP_MS, ear.take, data, place.ip)

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
        if lan_port is None:
            raise ConnectionRefusedError(f"{ip}:{port} takes no connections")
        protocol = factory()
        line = Line(protocol, lan_port)
        protocol.connection_made(line)
        lan_port.take(line)
        return line, protocol


class LanPort:
    """The listening port of one device and its clients."""

    __slots__ = ("_clients", "_count", "_lan", "_place", "_port")

    def __init__(self, lan: Lan, place: Place, port: int) -> None:
        """Start without clients."""
        self._lan = lan
        self._place = place
        self._port = port
        self._clients: dict[int, Line] = {}
        self._count = 0

    def take(self, line: "Line") -> None:
        """Take a client."""
        self._count += 1
        line.number = self._count
        self._clients[self._count] = line
        self._place.tell(ev.LanOpened(self._count))

    def hear(self, number: int, data: bytes) -> None:
        """Let a client's bytes arrive."""
        self._lan.agenda.after(TRIP_MS, self._heard, number, data)

    def _heard(self, number: int, data: bytes) -> None:
        if number in self._clients:
            self._place.tell(ev.LanReceived(number, data))

    def leave(self, number: int) -> None:
        """Let a client go."""
        self._lan.agenda.after(TRIP_MS, self._left, number)

    def _left(self, number: int) -> None:
        if self._clients.pop(number, None) is not None:
            self._place.tell(ev.LanClosed(number))

    def send(self, number: int, data: bytes) -> None:
        """Send a client something."""
        line = self._clients.get(number)
        if line is not None:
            self._lan.agenda.after(TRIP_MS, line.arrive, data)

    def drop(self, number: int) -> None:
        """Close one client after what was sent."""
        line = self._clients.pop(number, None)
        if line is not None:
            self._lan.agenda.after(TRIP_MS, line.lose)

    def close(self) -> None:
        """Stop listening and lose all clients."""
        self._lan.forget(self._place.ip, self._port)
        for number in list(self._clients):
            self.drop(number)


class Line(asyncio.Transport):
    """A client's end of a connection to a device."""

    def __init__(self, protocol: Any, port: LanPort) -> None:
        """Stand between a protocol and the device's port."""
        super().__init__()
        self._protocol = protocol
        self._port = port
        self._closing = self._lost = False
        self.number = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        if not self._closing:
            self._port.hear(self.number, bytes(data))

    def close(self) -> None:
        """Close after what was written."""
        if not self._closing:
            self._closing = True
            self._port.leave(self.number)
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
        if not self._closing:
            self._protocol.data_received(data)

    def lose(self) -> None:
        """Tell the client that the device is gone."""
        self._closing = True
        self._say_lost()

    def _say_lost(self) -> None:
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(None)
