"""From TCP segments back to frames: in order, each byte once, and in step again after a loss.

One `Direction` for each half of a connection. It may begin in the middle (the recording did), miss
segments (the recorder did), and hold bytes that are no frames. What it keeps is bounded, whatever
the numbers in the segments are.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from firmware_sim.errors import PeerError
from firmware_sim.wire import lan_frame
from firmware_sim.wire.lan_frame import FAMILY_55AA, FAMILY_6699, SIZE_MAX, RawFrame
from fleet.lan.packets import Segment

AHEAD_BYTES_MAX = 2 * SIZE_MAX
AHEAD_SEGMENTS_MAX = 32
"""How much may come before what is missing, until that counts as lost."""

_WINDOW = 1 << 32
_MAGIC = re.compile(rb"\0\0(?:\x55\xaa|\x66\x99|[\x55\x66]?\Z)|\0\Z")
"""A magic, or its beginning at the end of what has come."""


class Cut(NamedTuple):
    """A frame, and when its last byte came; or None, and how many bytes were `lost` or `foreign`."""

    time_ns: int
    frame: RawFrame | None
    lost: int = 0
    foreign: int = 0


class Direction:
    """What one end of a connection said."""

    __slots__ = ("_ahead", "_ahead_bytes", "_cutter", "_next")

    def __init__(self) -> None:
        """Begin before the first segment."""
        self._next: int | None = None
        self._ahead: dict[int, tuple[int, bytes]] = {}
        self._ahead_bytes = 0
        self._cutter = _Cutter()

    def take(self, segment: Segment) -> Iterator[Cut]:
        """Yield what `segment` completes."""
        sequence = segment.sequence
        if segment.opens:
            sequence += 1  # the opening itself has a number
        if self._next is None:
            self._next = sequence
        if segment.data:
            self._keep(sequence % _WINDOW, segment.time_ns, segment.data)
            yield from self._advance()
            while self._ahead_bytes > AHEAD_BYTES_MAX or len(self._ahead) > AHEAD_SEGMENTS_MAX:
                yield from self._skip()

    def acknowledged(self, ack: int) -> Iterator[Cut]:
        """Yield what is complete because the other end has all bytes before the number `ack`.

        What is missing before that was sent, but not recorded.
        """
        while self._ahead and self._distance(self._nearest()) < self._distance(ack):
            yield from self._skip()

    def end(self) -> Iterator[Cut]:
        """Yield what there is, though nothing completes it any more."""
        while self._ahead:
            yield from self._skip()
        yield from self._cutter.end()

    def _distance(self, sequence: int) -> int:
        """Return how far `sequence` is ahead of what was taken; negative when it is behind."""
        assert self._next is not None, "some segment was taken"
        half = _WINDOW // 2
        return (sequence - self._next + half) % _WINDOW - half

    def _nearest(self) -> int:
        return min(self._ahead, key=self._distance)

    def _keep(self, sequence: int, time_ns: int, data: bytes) -> None:
        """Keep `data` until its turn comes, unless longer data is there for the same place."""
        _, known = self._ahead.get(sequence, (0, b""))
        if len(data) > len(known) and self._distance(sequence) + len(data) > 0:
            self._ahead[sequence] = time_ns, data
            self._ahead_bytes += len(data) - len(known)

    def _advance(self) -> Iterator[Cut]:
        """Yield what follows without a hole."""
        while self._ahead and self._distance(nearest := self._nearest()) <= 0:
            time_ns, data = self._ahead.pop(nearest)
            self._ahead_bytes -= len(data)
            fresh = data[-self._distance(nearest) :]
            self._next = (nearest + len(data)) % _WINDOW if fresh else self._next
            yield from self._cutter.take(time_ns, fresh)

    def _skip(self) -> Iterator[Cut]:
        """Give up what is missing in front of the nearest segment."""
        nearest = self._nearest()
        lost = self._distance(nearest)
        time_ns, _ = self._ahead[nearest]
        yield from self._cutter.end()
        yield Cut(time_ns, None, lost=lost)
        self._next = nearest
        yield from self._advance()


class _Cutter:
    """Cuts what came in order into frames, and goes on at the next magic behind anything else."""

    __slots__ = ("_foreign", "_pending", "_time_ns")

    def __init__(self) -> None:
        self._pending = b""
        self._foreign = 0
        self._time_ns = 0

    def take(self, time_ns: int, data: bytes) -> Iterator[Cut]:
        """Yield the frames that `data` completes, and before each what is none."""
        self._time_ns = time_ns
        data, at = self._pending + data, 0
        while found := _MAGIC.search(data, at):
            self._foreign += found.start() - at
            at = found.start()
            size = _size(data, at)
            if size > len(data) - at:
                break
            frame = _frame(data[at : at + size])
            if frame is None:
                self._foreign += 1
                at += 1
            else:
                yield from self._tell()
                yield Cut(time_ns, frame)
                at += size
        else:
            self._foreign += len(data) - at
            at = len(data)
        self._pending = data[at:]

    def end(self) -> Iterator[Cut]:
        """Yield what is left over."""
        self._foreign += len(self._pending)
        self._pending = b""
        yield from self._tell()

    def _tell(self) -> Iterator[Cut]:
        if self._foreign:
            yield Cut(self._time_ns, None, foreign=self._foreign)
            self._foreign = 0


def _size(data: bytes, start: int) -> int:
    """Return the size of the frame at `start`, as far as it can be told; 0 when it is none."""
    family = FAMILY_6699 if data.startswith(FAMILY_6699.magic, start) else FAMILY_55AA
    if len(data) - start < family.head.size:
        return family.head.size
    size = family.head.size + int(family.head.unpack_from(data, start)[3]) + family.uncounted
    return size if family.size_min <= size <= SIZE_MAX else 0


def _frame(data: bytes) -> RawFrame | None:
    try:
        return lan_frame.cut(data)
    except PeerError:
        return None
