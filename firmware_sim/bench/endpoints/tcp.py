"""A serial line on a TCP port: a few clients hear it, and all of them may type.

Bytes pass as they are (`Raw`), or as in RFC 2217 (`rfc2217.ComPort`). A client that does not read
loses what is more than `UNREAD_MAX`; the line goes on for the others.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Protocol, cast

from firmware_sim.errors import UsageError

HOST = "127.0.0.1"
CLIENTS_MAX = 4
UNREAD_MAX = 64 * 1024  # bytes per client, besides those that the kernel keeps


class Dialect(Protocol):
    """How bytes of the line are written on the wire, for one client."""

    def hello(self) -> bytes:
        """Return what a client is told at first."""
        ...

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes from the client; return those for the line, and the answer to the client."""
        ...

    def wrap(self, data: bytes) -> bytes:
        """Return bytes of the line as they are sent."""
        ...


class Raw:
    """Nothing but the bytes."""

    def hello(self) -> bytes:
        """Return nothing."""
        return b""

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the bytes, and no answer."""
        return data, b""

    def wrap(self, data: bytes) -> bytes:
        """Return the bytes."""
        return data


class TcpLine:
    """One line on one port of this machine; made by `open_line`."""

    def __init__(self, feed: Callable[[bytes], None], dialect: Callable[[], Dialect]) -> None:
        """Serve nobody yet. `feed` is told what clients type."""
        self.port = 0
        self._feed = feed
        self._dialect = dialect
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, listener: socket.socket) -> None:
        """Let clients of a bound socket in."""
        self.port = listener.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._client, sock=listener, backlog=CLIENTS_MAX)

    @property
    def clients(self) -> int:
        """Return how many are connected."""
        return len(self._clients)

    def send(self, data: bytes) -> None:
        """Tell all clients; never waits."""
        for client in self._clients:
            client.send(data)

    def close(self) -> None:
        """Let nobody in any more, and drop all clients."""
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            client.transport.abort()

    def _client(self) -> "_Client":
        return _Client(self._clients, self._feed, self._dialect())


class _Client(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(
        self, clients: "set[_Client]", feed: Callable[[bytes], None], dialect: Dialect
    ) -> None:
        self._clients = clients
        self._feed = feed
        self._dialect = dialect

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if len(self._clients) >= CLIENTS_MAX:
            self.transport.abort()
            return
        self._clients.add(self)
        self._write(self._dialect.hello())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
        self._clients.discard(self)

    def data_received(self, data: bytes) -> None:
        for_line, answer = self._dialect.receive(data)
        self._write(answer)
        if for_line:
            self._feed(for_line)

    def send(self, data: bytes) -> None:
        self._write(self._dialect.wrap(data))

    def _write(self, data: bytes) -> None:
        if data and self.transport.get_write_buffer_size() + len(data) <= UNREAD_MAX:
            self.transport.write(data)


async def open_line(
    feed: Callable[[bytes], None], dialect: Callable[[], Dialect] = Raw, port: int = 0
) -> TcpLine:
    """Serve a line on `port` of this machine, or on any free one (0, or if that one is taken)."""
    line = TcpLine(feed, dialect)
    await line.listen(bound_near(port))
    return line


def bound_near(port: int) -> socket.socket:
    """Return a socket that is bound to `port` of loopback if that is free, else to any free one.

    Raises UsageError when there is none.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(CLIENTS_MAX)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            listener.close()
            if not port:
                raise
            return bound_near(0)
    except OSError as error:
        listener.close()
        raise UsageError(f"no TCP port for a serial line: {error.strerror}") from None
    return listener
