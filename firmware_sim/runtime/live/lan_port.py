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

    def __init__(self, port: "LanPort") -> None:
        """Belong to `port`."""
        self._port = port
        self.number = 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the device."""
        self.transport = cast("asyncio.Transport", transport)
        self._port.opened(self)

    def data_received(self, data: bytes) -> None:
        """Tell the device, unless it has closed the connection."""
        self._port.received(self.number, data)

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the device, unless it closed the connection itself."""
        self._port.lost(self.number)


class LanPort:
    """The listening TCP port of one device and its clients.

    `opened_to(conn)`, `received_from(conn, data)` and `lost_from(conn)` tell the device.
    """

    def __init__(
        self,
        opened_to: Callable[[int], None],
        received_from: Callable[[int, bytes], None],
        lost_from: Callable[[int], None],
    ) -> None:
        """Listen to nobody yet."""
        self._opened_to = opened_to
        self._received_from = received_from
        self._lost_from = lost_from
        self._connections: dict[int, LanConnection] = {}
        self._count = 0
        self._server: asyncio.Server | None = None
        self._closed = False

    async def listen(self, ip: str, port: int) -> None:
        """Accept clients on `ip`:`port`; raises UsageError when the port is taken."""
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: LanConnection(self), ip, port, reuse_address=True, backlog=BACKLOG
            )
        except OSError as error:
            raise UsageError(
                f"cannot listen on {ip}:{port} ({error.strerror or error}); "
                "stop what holds the port, or choose other addresses"
            ) from error
        if self._closed:
            server.close()
        else:
            self._server = server

    def opened(self, connection: LanConnection) -> None:
        """Number a new connection."""
        self._count += 1
        connection.number = self._count
        self._connections[self._count] = connection
        self._opened_to(self._count)

    def received(self, number: int, data: bytes) -> None:
        """Hand bytes on."""
        if number in self._connections:
            self._received_from(number, data)

    def lost(self, number: int) -> None:
        """Hand a loss on."""
        if self._connections.pop(number, None) is not None:
            self._lost_from(number)

    def send(self, number: int, data: bytes) -> None:
        """Write to a client; one that does not read is cut off."""
        connection = self._connections.get(number)
        if connection is None or connection.transport is None:
            return
        connection.transport.write(data)
        if connection.transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            connection.transport.abort()

    def drop(self, number: int) -> None:
        """Close one client after what was written."""
        connection = self._connections.pop(number, None)
        if connection is not None and connection.transport is not None:
            connection.transport.close()

    def close(self, *, hard: bool = False) -> None:
        """Stop listening and close all clients; `hard` as when the power is cut."""
        self._closed = True
        if self._server is not None:
            self._server.close()
        connections = list(self._connections.values())
        self._connections.clear()
        for connection in connections:
            if connection.transport is not None:
                (connection.transport.abort if hard else connection.transport.close)()
