"""Recording the traffic of a LAN into a .pcap file, in a process of its own.

    async with Recording(Path("lan.pcap"), "127.16.0.0/16") as recording:
        ...
    recording.counts.packets

The socket is opened by whoever starts the recording, so nothing that happens later is missed, in
the network namespace that this thread is in; a child reads from it. Times are the kernel's, in
nanoseconds. At the end the socket is closed to further packets first and then emptied.
"""

import asyncio
import multiprocessing
import os
import signal
import socket
import stat
import time
from contextlib import suppress
from ipaddress import IPv4Network
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware_sim.errors import UsageError
from fleet.lan import packet_filter
from fleet.lan.recorder import ANCILLARY_BYTES, TIMESTAMPS, Counts, Limits, record, time_of

EVERYWHERE = "0.0.0.0/0"
BUFFER_BYTES = 64 << 20
"""Room in the kernel for packets that the recorder has not read yet: some 50,000 small ones."""
STOP_S = 30.0

_SPAWN = multiprocessing.get_context("spawn")
_ETH_P_ALL = 3
_SO_RCVBUFFORCE = 33
_PROBES_MAX = 200


class Recording:
    """The recording of one LAN: UDP 6666, 6667 and 7000, TCP 6668."""

    def __init__(
        self,
        path: Path,
        network: str = EVERYWHERE,
        interface: str = "",
        limits: Limits | None = None,
    ) -> None:
        """Prepare; `network` is the devices' (a.b.c.d/n), `interface` one of them or "" for all."""
        self.counts = Counts()
        self._path = path
        self._network = network
        self._interface = interface
        self._limits = limits or Limits()
        self._socket: socket.socket | None = None
        self._line: Connection | None = None
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Record from now on. Raises UsageError when that is not possible."""
        self._socket = _open(self._interface, self._network)
        try:
            _begin(self._path)
        except OSError as error:
            self._socket.close()
            raise UsageError(
                f"{self._path}: cannot be written: {error.strerror}; choose another place"
            ) from None
        self._line, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(
            target=record,
            args=(self._socket, str(self._path), theirs, self._limits),
            daemon=True,
        )
        # Ctrl-C is for the parent, from the first instruction of the child on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()

    def ended(self, timeout_s: float | None) -> bool:
        """Wait until the recording ends by itself, at a limit or by a mishap; say whether it did."""
        assert self._line is not None, "it was started"
        return self._line.poll(timeout_s)

    def stop(self) -> Counts:
        """Write what has come until now, and end; a second call changes nothing.

        Raises UsageError when the recording failed.
        """
        if self._socket is None or self._line is None or self._process is None:
            return self.counts
        packet_filter.attach(self._socket, packet_filter.nothing())
        answer = _ask(self._line)
        self._line.close()
        self._socket.close()
        self._socket = None
        self._process.join(1)
        self._process.kill()  # no harm to one that has ended
        self._process.join()
        self._process.close()
        if not isinstance(answer, Counts):
            raise UsageError(f"{self._path}: the recorder {answer}; the recording is incomplete")
        self.counts = answer
        return answer

    async def __aenter__(self) -> Self:
        """Start."""
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, without keeping the loop waiting."""
        try:
            await asyncio.to_thread(self.stop)
        except UsageError:
            if error is None:
                raise


def _begin(path: Path) -> None:
    """Make the file, empty and its owner's alone: tokens sent in the clear may be in it.

    Raises OSError.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):  # it may be a device, which is everybody's
            os.fchmod(file, 0o600)
    finally:
        os.close(file)


def _ask(line: Connection) -> Counts | str:
    """Have the recorder end; return what it counted, or what went wrong."""
    try:
        if not line.poll():
            line.send(None)
        answer: Counts | str = line.recv() if line.poll(STOP_S) else "did not end in time"
    except (EOFError, OSError):
        return "ended before its time"
    return answer


def _open(interface: str, network: str) -> socket.socket:
    """Return a socket that hears the LAN, and nothing else."""
    try:
        program = packet_filter.lan_filter(IPv4Network(network))
    except ValueError as error:
        raise UsageError(f"network {network}: {error}; use one such as 127.16.0.0/16") from None
    if not hasattr(socket, "AF_PACKET"):
        raise UsageError(
            "recording takes Linux; elsewhere use: tcpdump -i lo0 -w FILE.pcap "
            "'tcp port 6668 or udp port 6666 or udp port 6667 or udp port 7000'"
        )
    try:
        heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    except PermissionError:
        raise UsageError(
            "recording takes the right to see all packets (CAP_NET_RAW): run it as root, with sudo"
        ) from None
    try:
        _listen(heard, program, interface)
    except OSError as error:
        heard.close()
        raise UsageError(
            f"interface {interface}: {error.strerror}; `ip link` names those that are here"
        ) from None
    return heard


def _listen(heard: socket.socket, program: bytes, interface: str) -> None:
    """Prepare a socket that hears everything from its first moment. Raises OSError."""
    packet_filter.attach(heard, packet_filter.nothing())
    if interface:
        heard.bind((interface, _ETH_P_ALL))
    with suppress(BlockingIOError):
        while heard.recv(1, socket.MSG_DONTWAIT):
            pass  # of before
    heard.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
    try:
        heard.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    except PermissionError:  # as much as everybody may have
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    _await_clock()
    packet_filter.attach(heard, program)


def _await_clock() -> None:
    """Wait until the kernel notes when packets come.

    It begins a moment after it was asked to; until then a packet gets the time at which it is read.
    """
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
        probe.bind(("127.0.0.1", 0))
        for _ in range(_PROBES_MAX):
            probe.sendto(b"", probe.getsockname())
            time.sleep(0.001)
            read_ns = time.time_ns()
            _, ancillary, _, _ = probe.recvmsg(1, ANCILLARY_BYTES, socket.MSG_DONTWAIT)
            if time_of(ancillary) < read_ns:
                return
