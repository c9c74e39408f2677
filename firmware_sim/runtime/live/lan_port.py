"""The LAN side of a live world: broadcasts from each device's own address, and its TCP port.

One datagram socket serves all devices: on Linux the source address of each datagram is chosen
with IP_PKTINFO, so that LAN clients, which tell devices apart by it, see as many as there are.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from firmware_sim.errors import UsageError
from firmware_sim.events import Event, LanClosed, LanOpened, LanReceived

IP_PKTINFO = 8  # linux/in.h; the socket module of Python 3.11 has no name for it
BACKLOG = 5  # of the vendor's device
WRITE_BUFFER_MAX = 65536


class Broadcaster:
    """Sends datagrams to the broadcast address of the LAN, each from a device's address."""

    def __init__(self, broadcast_ip: str) -> None:
        """Open the socket."""
        self._broadcast_ip = broadcast_ip
        self.dropped = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def send(self, source_ip: str, port: int, data: bytes) -> None:
        """Send one datagram; like a real network it may drop it when the kernel has no room."""
        info = struct.pack("=I4s4s", 0, socket.inet_aton(source_ip), bytes(4))
        source = [(socket.IPPROTO_IP, IP_PKTINFO, info)]
        try:
            self._socket.sendmsg([data], source, 0, (self._broadcast_ip, port))
        except OSError:
            self.dropped += 1

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class LanConnection(asyncio.Protocol):
    """One LAN client of one device."""

    __slots__ = ("_port", "number", "transport")

    transport: asyncio.Transport

    def __init__(self, port: "LanPort") -> None:
        """Belong to `port`."""
        self._port = port
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the device."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._port.opened(self)

    def data_received(self, data: bytes) -> None:
        """Tell the device, unless it has closed the connection."""
        self._port.received(self.number, data)

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the device, unless it closed the connection itself."""
        self._port.lost(self.number)


class LanPort:
    """The listening TCP port of one device and its clients; silent once it is closed.

    A bare socket and a reader: an `asyncio.Server` takes three times the memory, and binds some
    turns of the loop later, when the port may have been closed and opened again.
    """

    __slots__ = ("_connections", "_count", "_greetings", "_loop", "_socket", "_tell")

    def __init__(self, ip: str, port: int, tell: Callable[[Event], None]) -> None:
        """Accept clients on `ip`:`port`; raises UsageError when the port is taken."""
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._connections: dict[int, LanConnection] = {}
        self._count = 0
        self._greetings: set[asyncio.Task[object]] = set()
        self._socket: socket.socket | None = _listen(ip, port)
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        """Take one client; the loop comes back at once when more stand in line."""
        assert self._socket is not None  # closing takes the reader away
        try:
            client, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self.close()  # or the loop would come back for ever
            raise UsageError(f"cannot accept LAN clients: {error.strerror}") from error
        client.settimeout(0)
        greeting = self._loop.create_task(
            self._loop.connect_accepted_socket(lambda: LanConnection(self), client)
        )
        self._greetings.add(greeting)
        greeting.add_done_callback(self._greetings.discard)

    def opened(self, connection: LanConnection) -> None:
        """Number a new connection."""
        self._count += 1
        connection.number = self._count
        if self._socket is None:  # closed since the client was accepted
            connection.transport.abort()
            return
        self._connections[self._count] = connection
        self._tell(LanOpened(self._count))

    def received(self, number: int, data: bytes) -> None:
        """Hand bytes on."""
        if number in self._connections:
            self._tell(LanReceived(number, data))

    def lost(self, number: int) -> None:
        """Hand a loss on."""
        if self._connections.pop(number, None) is not None:
            self._tell(LanClosed(number))

    def send(self, number: int, data: bytes) -> None:
        """Write to a client; one that does not read is cut off."""
        connection = self._connections.get(number)
        if connection is not None:
            connection.transport.write(data)
            if connection.transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
                connection.transport.abort()

    def drop(self, number: int) -> None:
        """Close one client after what was written."""
        connection = self._connections.pop(number, None)
        if connection is not None:
            connection.transport.close()

    def close(self, *, hard: bool = False) -> None:
        """Stop listening and close all clients; `hard` as when the power is cut."""
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        connections = list(self._connections.values())
        self._connections.clear()
        for connection in connections:
            (connection.transport.abort if hard else connection.transport.close)()


def _listen(ip: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ip, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {ip}:{port} ({error.strerror}); "
            "stop what holds the port, or choose other addresses"
        ) from error
    return listener
