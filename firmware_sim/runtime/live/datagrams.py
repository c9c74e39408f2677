"""The datagrams of a live world: what all devices hear on UDP 7000, and what each of them sends.

One pair of sockets serves all devices. On Linux the source address of each datagram is chosen with
IP_PKTINFO, so that LAN clients, which tell devices apart by it, see as many as there are. A
solicitation is heard by sockets bound to the two broadcast addresses of the LAN and never to
0.0.0.0: on a host that has LAN clients of its own such a socket would share their port, and the
kernel would hand it a part of the answers that are meant for them.
"""

import asyncio
import socket
import struct
from collections.abc import Callable

from firmware_sim.errors import PeerError, UsageError
from firmware_sim.wire.discovery import PORT_SOLICITED, decode_solicitation

IP_PKTINFO = 8  # linux/in.h; the socket module of Python 3.11 has no name for it
LIMITED_BROADCAST = "255.255.255.255"
SIZE_MAX = 4096  # the largest frame of the vendor's device; a larger datagram is none
READS_AT_ONCE_MAX = 64  # then the loop sees to the others
BUFFER_B = 1 << 20  # thousands of answers at once; the kernel gives what it allows
WINDOW_S = 1.0  # clients ask again after some seconds; copies of one question come at once
# One question makes every device send an answer, to whatever address it names, as real ones do. A
# flood of them may cost a fifth of a core, and no more answers than this reach who is named in it.
TOLD_PER_WINDOW_MAX = 20_000
COST_MIN = 100  # of a question, in devices: it is kept for a while even if nobody answers it

Source = list[tuple[int, int, bytes]]


def source(ip: str) -> Source:
    """Return what makes a datagram leave from the address `ip` (dotted quad) of this host."""
    info = struct.pack("=I4s4s", 0, socket.inet_aton(ip), bytes(4))
    return [(socket.IPPROTO_IP, IP_PKTINFO, info)]


class Datagrams:
    """The sockets. `heard` and `dropped` count what came in and what did not get through.

    `hear(data)` is called with a question to the whole LAN and returns how many devices were told.
    Whatever else arrives is dropped here: thousands would be told in vain.
    """

    def __init__(self, broadcast_ip: str, hear: Callable[[bytes], int]) -> None:
        """Listen to `broadcast_ip`; raises UsageError when UDP 7000 belongs to somebody else."""
        self.heard = 0
        self.dropped = 0
        self._broadcast_ip = broadcast_ip
        self._hear = hear
        self._gate = Gate()
        self._loop = asyncio.get_running_loop()
        self._sockets: list[socket.socket] = []
        try:
            for ip in (broadcast_ip, LIMITED_BROADCAST):
                self._sockets.append(_open(ip))
        except UsageError:
            self.close()
            raise
        # What is bound to a broadcast address sends from any, and answers leave from port 7000.
        self._sender = self._sockets[0]
        for each in self._sockets:
            self._loop.add_reader(each, self._read, each)

    def send(self, source: Source, ip: str, port: int, data: bytes) -> None:
        """Send one datagram; like a real network it may drop it when the kernel has no room."""
        try:
            self._sender.sendmsg((data,), source, 0, (ip, port))
        except OSError:
            self.dropped += 1

    def broadcast(self, source: Source, port: int, data: bytes) -> None:
        """Send one datagram to all of the LAN; it may be dropped as well."""
        self.send(source, self._broadcast_ip, port, data)

    def _read(self, listener: socket.socket) -> None:
        for _ in range(READS_AT_ONCE_MAX):
            try:
                data = listener.recv(SIZE_MAX + 1)
            except OSError:  # nothing more for now
                return
            admitted = len(data) <= SIZE_MAX and self._gate.admits(data, self._loop.time())
            if admitted and _asks(data):
                self.heard += 1
                self._gate.spent(data, self._hear(data))
            else:
                self.dropped += 1

    def close(self) -> None:
        """Close the sockets."""
        for each in self._sockets:
            self._loop.remove_reader(each)
            each.close()
        self._sockets.clear()


class Gate:
    """Lets each question through once, and not more of them than the devices can answer.

    One datagram arrives several times where a device has an interface of its own: each interface
    brings a copy. Real questions differ, because each is sealed with another nonce.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._window = 0
        self._seen: set[bytes] = set()
        self._before: set[bytes] = set()
        self._told = 0

    def admits(self, data: bytes, now_s: float) -> bool:
        """Say whether devices should be told; `now_s` is any clock that never runs backwards."""
        window = int(now_s / WINDOW_S)
        if window != self._window:
            self._before = self._seen if window == self._window + 1 else set()
            self._seen, self._told, self._window = set(), 0, window
        known = data in self._seen or data in self._before
        return not known and self._told < TOLD_PER_WINDOW_MAX

    def spent(self, data: bytes, told: int) -> None:
        """Remember a question, and count how many devices were told of it."""
        self._seen.add(data)
        self._told += max(told, COST_MIN)


def _asks(data: bytes) -> bool:
    try:
        decode_solicitation(data)
    except PeerError:
        return False
    return True


def _open(ip: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        # Both, or neither other worlds nor LAN clients on this host could listen as well.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_B)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_B)
        opened.bind((ip, PORT_SOLICITED))
    except OSError as error:
        opened.close()
        raise UsageError(
            f"cannot listen on UDP {ip}:{PORT_SOLICITED} ({error.strerror}); "
            "stop the program that keeps the port for itself or runs as another user "
            "(ss -lunp shows it)"
        ) from error
    return opened
