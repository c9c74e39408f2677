"""What has happened in a virtual world: a digest of everything, and the last of it in full.

Two runs are the same if and only if their digests are: time, node, kind and content of every event
go into it. It depends on no hash seed and no address in memory.
"""

from collections import deque
from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from zlib import crc32

import msgspec

from firmware_sim import events as ev
from firmware_sim.events import Event

KEPT_MAX = 400
_FLUSH_EVERY = 512
_DIGEST_SIZE = 16
Entry = tuple[int, str, int, object]  # when, who, its number, what


class Trace:
    """The trace of one run."""

    __slots__ = ("_buffer", "_hash", "count", "last")

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        """Start empty; the last `kept_max` entries are kept."""
        self._hash = blake2b(digest_size=_DIGEST_SIZE)
        self._buffer: list[str] = []
        self.last: deque[Entry] = deque(maxlen=kept_max)
        self.count = 0

    def event(self, now_ms: int, index: int, event: Event) -> None:
        """Enter what happened to device `index`."""
        kind = type(event)
        content = _CONTENT.get(kind)
        told = content(event) if content is not None else ""
        self.last.append((now_ms, "device", index, event))
        self._buffer.append(f"{now_ms} {index} {kind.__name__} {told}\n")
        self.count += 1
        if self.count % _FLUSH_EVERY == 0:
            self._flush()

    def note(self, now_ms: int, who: str, number: int, what: str, content: bytes = b"") -> None:
        """Enter something else: what people and servers do."""
        self.last.append((now_ms, who, number, what))
        self._enter(f"{now_ms} {who}{number} {what} {crc32(content)}\n")

    def _enter(self, line: str) -> None:
        self.count += 1
        self._buffer.append(line)
        if self.count % _FLUSH_EVERY == 0:
            self._flush()

    def _flush(self) -> None:
        self._hash.update("".join(self._buffer).encode())
        self._buffer.clear()

    def digest(self) -> str:
        """Return the digest of everything so far, in hex."""
        self._flush()
        return self._hash.hexdigest()


def _text(event: Any) -> str:
    return repr(event)


_CONTENT: dict[type[Event], Callable[[Any], object]] = {
    ev.MqttReceived: lambda event: crc32(event.data),
    ev.HttpReplied: lambda event: crc32(event.body, event.call),
    ev.LanReceived: lambda event: crc32(event.data, event.conn),
    ev.DatagramReceived: lambda event: crc32(event.data, event.port),
    ev.FrameDecoded: lambda event: crc32(event.text),
    ev.HttpFailed: lambda event: event.reason,
    ev.MqttClosed: lambda event: event.reason,
    ev.WifiRefused: lambda event: event.reason,
    ev.ClockSet: lambda event: event.by_ms,
    ev.ChildReached: lambda event: event.number,
    ev.ChildLost: lambda event: event.number,
    ev.ChildJoined: lambda event: event.number,
    ev.ChildLeft: lambda event: event.number,
    ev.LanOpened: lambda event: event.conn,
    ev.LanClosed: lambda event: event.conn,
}


class Told(msgspec.Struct, frozen=True):
    """One line of a trace in prose."""

    at_ms: int
    who: str
    what: str
