"""The process that writes a recording: from a packet socket into a .pcap file, until it is told.

Scapy writes the records, byte strings and no packet objects: those would take a hundred times as
long. Of Scapy only this part is loaded, which does not look at the host's addresses.
"""

import selectors
import signal
import socket
import struct
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from fleet.lan.packet_filter import SNAP_BYTES

if TYPE_CHECKING:
    from scapy.utils import RawPcapWriter

FILE_BYTES_MAX = 1 << 30
PAUSE_S = 0.5
TIMESTAMPS = 35  # SO_TIMESTAMPNS, asm-generic/socket.h

_SOL_PACKET = 263
_PACKET_STATISTICS = 6  # linux/if_packet.h
_STATISTICS = struct.Struct("@II")
_TIME = struct.Struct("@ll")
_LINK_ETHERNET = 1
_FILE_HEAD, _RECORD_HEAD = 24, 16
_BATCH = 256
_NS = 1_000_000_000

ANCILLARY_BYTES = socket.CMSG_SPACE(_TIME.size)
"""Room for the time that comes with a packet."""


class Counts(msgspec.Struct):
    """What became of the packets: written, lost in the kernel, or left out beyond a limit."""

    packets: int = 0
    file_bytes: int = _FILE_HEAD
    lost: int = 0
    left_out: int = 0

    def __str__(self) -> str:
        """Return it as part of a sentence."""
        parts = [f"{self.packets:,} packets in {self.file_bytes:,} bytes"]
        if self.lost:
            parts.append(f"{self.lost:,} lost because the recorder was too slow")
        if self.left_out:
            parts.append(f"{self.left_out:,} left out because the file was full")
        return ", ".join(parts)


class Limits(msgspec.Struct, frozen=True):
    """How large a recording may grow; what would go beyond `file_bytes` is left out and counted.

    With `packets` it ends by itself after so many.
    """

    file_bytes: int = FILE_BYTES_MAX
    packets: int | None = None


def record(heard: socket.socket, path: str, line: Connection, limits: Limits) -> None:
    """Write what `heard` receives into the file `path` until `line` says something or ends.

    Answers on `line` with Counts, or with a text that says what went wrong.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    try:
        with Path(path).open("wb", buffering=1 << 20) as file:
            recorder = Recorder(heard, file, limits)
            signal.signal(signal.SIGTERM, lambda *_: recorder.end())
            recorder.run(line)
            recorder.counts.lost = _lost(heard)
        answer: Counts | str = recorder.counts
    except OSError as error:
        answer = f"failed: {error.strerror or error}"
    with suppress(OSError):  # nobody may be there to hear it
        line.send(answer)


class Recorder:
    """Writes packets and counts them."""

    def __init__(self, heard: socket.socket, file: BinaryIO, limits: Limits) -> None:
        """Begin the file."""
        self.counts = Counts()
        self._heard = heard
        self._file = file
        self._limits = limits
        self._writer = _writer(file)
        self._over = False

    def end(self) -> None:
        """Have `run` end within PAUSE_S, from a signal handler."""
        self._over = True

    def run(self, line: Connection) -> None:
        """Write until `line` says something or ends, and then what has come by then.

        Ends also at the limit of packets. Raises OSError when the file cannot be written.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._heard, selectors.EVENT_READ)
            selector.register(line, selectors.EVENT_READ)
            while not self.is_full() and not self._says(line, selector):
                self._take()
                self._file.flush()
        while not self.is_full() and self._take():
            pass

    def is_full(self) -> bool:
        """Say whether as many packets are written as were wanted."""
        wanted = self._limits.packets
        return wanted is not None and self.counts.packets >= wanted

    def _says(self, line: Connection, selector: selectors.BaseSelector) -> bool:
        ready = selector.select(PAUSE_S)
        return self._over or any(key.fileobj is line for key, _ in ready)

    def _take(self) -> bool:
        """Write some packets; say whether there may be more."""
        for _ in range(_BATCH):
            try:
                data, ancillary, _, _ = self._heard.recvmsg(
                    SNAP_BYTES, ANCILLARY_BYTES, socket.MSG_DONTWAIT
                )
            except BlockingIOError:
                return False
            except OSError:
                continue  # once, when an interface goes down; it may come back
            self._write(data, ancillary)
            if self.is_full():
                return False
        return True

    def _write(self, data: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        counts = self.counts
        size = _RECORD_HEAD + len(data)
        if counts.file_bytes + size > self._limits.file_bytes:
            counts.left_out += 1
            return
        self._writer.write_packet(data, *divmod(time_of(ancillary), _NS))
        counts.packets += 1
        counts.file_bytes += size


def time_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return when a packet came, in nanoseconds since the epoch, by what was received with it."""
    for _, kind, value in ancillary:
        if kind == TIMESTAMPS:
            seconds, ns = _TIME.unpack(value)
            return int(seconds) * _NS + int(ns)
    return time.time_ns()


def _writer(file: BinaryIO) -> "RawPcapWriter":
    from scapy.utils import RawPcapWriter

    writer = RawPcapWriter(file, linktype=_LINK_ETHERNET, nano=True, snaplen=SNAP_BYTES)
    writer.write_header(None)
    return writer


def _lost(heard: socket.socket) -> int:
    """Return how many packets found no room in the kernel."""
    data = heard.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
    return int(_STATISTICS.unpack(data)[1])
