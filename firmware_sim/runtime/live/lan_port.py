"""The TCP port of each device in a live world, and its LAN clients.

Bare sockets and readers: an `asyncio.Server` and its transports take several times the memory,
and they gather what is written in one turn of the loop, while LAN clients expect every frame in a
segment of its own (codetheweb/tuyapi does not put a cut frame together again).

Nothing that one client does reaches beyond its own connection. The kernel's send buffer is all
there is: a client that lets it fill up does not read and is cut off.
"""

import asyncio
import errno
import socket
import struct
from collections.abc import Callable
from functools import partial

from firmware_sim.errors import UsageError
from firmware_sim.events import Event, LanClosed, LanOpened, LanReceived
from firmware_sim.runtime.live.lan_way import LanWay

BACKLOG = 5  # of the vendor's device
READ_MAX = 4096  # at once; then the loop sees to the others
SEND_BUFFER_B = 32_768
UNREAD_MS_MAX = 30_000  # then the kernel gives up a client that takes nothing
PAUSE_S = 1.0  # before trying again when the process has no files left
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing forgets the connection at once


class LanPort:
    """The listening port of one device and its clients; silent once it is closed.

    `tell` gets what happens to clients. When the process runs out of files or memory, the port
    tries again later, and `report` gets one line for the operator. Where faults lie between the
    device and its clients, everything goes by `way`.
    """

    __slots__ = (
        "_address",
        "_clients",
        "_count",
        "_listener",
        "_loop",
        "_report",
        "_retry",
        "_short",
        "_tell",
        "way",
    )

    def __init__(
        self, ip: str, port: int, tell: Callable[[Event], None], report: Callable[[str], None]
    ) -> None:
        """Accept clients on `ip`:`port`; raises UsageError when the port is taken."""
        self._address = (ip, port)
        self._tell = tell
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._clients: dict[int, socket.socket] = {}
        self._count = 0
        self._listener: socket.socket | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._short = False
        self.way: LanWay | None = None
        try:
            self._open()
        except OSError as error:
            if error.errno not in _SHORTAGES:
                raise UsageError(
                    f"cannot listen on {ip}:{port} ({error.strerror}); "
                    "stop what holds the port, or choose other addresses"
                ) from error
            self._try_later(error)

    def _open(self) -> None:
        self._listener = _listen(self._address)
        self._loop.add_reader(self._listener, self._accept)

    def _try_later(self, error: OSError) -> None:
        """Wait until there may be files again; say so once per shortage."""
        self._retry = self._loop.call_later(PAUSE_S, self._try_again)
        if not self._short:
            self._short = True
            self._report(f"{self._address[0]} takes no LAN clients: {error.strerror}")

    def _try_again(self) -> None:
        self._retry = None
        if self._listener is not None:
            self._loop.add_reader(self._listener, self._accept)
            return
        try:
            self._open()
        except OSError as error:
            self._try_later(error)

    def _accept(self) -> None:
        """Take one client; the loop comes back at once when more stand in line."""
        assert self._listener is not None, "closing takes the reader away"
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # gone again
        except OSError as error:
            self._loop.remove_reader(self._listener)  # or the loop would come back for ever
            self._try_later(error)
            return
        self._short = False
        client.settimeout(0)
        self._count += 1
        self._clients[self._count] = client
        self._loop.add_reader(client, self._read, self._count)
        self._hear(self._count, LanOpened(self._count))

    def _hear(self, number: int, event: Event, size: int = 0) -> None:
        """Tell the device, now or later; a client that says too much meanwhile is cut off."""
        if self.way is None:
            self._tell(event)
        elif not self.way.inward(number, partial(self._tell, event), size):
            self._lose(number, hard=True)

    def _read(self, number: int) -> None:
        try:
            data = self._clients[number].recv(READ_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._hear(number, LanReceived(number, data), len(data))
        else:
            self._lose(number)

    def _lose(self, number: int, *, hard: bool = False) -> None:
        self._close(number, hard=hard)
        self._hear(number, LanClosed(number))

    def send(self, number: int, data: bytes) -> None:
        """Write to a client, as one segment; one that does not read is cut off."""
        send = partial(self._send, number, data)
        if self.way is None:
            send()
        elif number in self._clients and not self.way.outward(number, send, len(data)):
            self._lose(number, hard=True)

    def _send(self, number: int, data: bytes) -> None:
        client = self._clients.get(number)
        if client is None:
            return
        try:
            sent = client.send(data)
        except OSError:
            sent = 0
        if sent < len(data):
            self._lose(number, hard=True)

    def drop(self, number: int) -> None:
        """Close one client after what was written."""
        if self.way is None:
            self._drop(number)
        else:
            self.way.outward(number, partial(self._drop, number))

    def _drop(self, number: int) -> None:
        if number in self._clients:
            self._close(number)

    def _close(self, number: int, *, hard: bool = False) -> None:
        client = self._clients.pop(number)
        self._loop.remove_reader(client)
        if hard:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        if self.way is None:
            client.close()
        else:
            self.way.bury(client)

    def close(self, *, hard: bool = False) -> None:
        """Stop listening and close all clients; `hard` as when the power is cut."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for number in tuple(self._clients):
            self._close(number, hard=hard)
        if self.way is not None:
            self.way.forget()


def _listen(address: tuple[str, int]) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Each accepted connection inherits these.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_B)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS_MAX)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
