"""Cutting a byte stream into items, whatever the sizes of the pieces it arrives in.

Shared by the MQTT and LAN decoders. One decoder per connection, so it costs three slots and holds
no buffer while nothing is incomplete; the work is linear in the bytes fed, also when a hostile
peer sends one byte at a time.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class StreamDecoder(ABC, Generic[Item]):
    """Reassembles items of at most `size_max` bytes; a subclass measures and parses one item."""

    __slots__ = ("_pending", "_wanted", "size_max")

    def __init__(self, size_max: int) -> None:
        """Start an empty stream whose items have at most `size_max` bytes, head included."""
        self.size_max = size_max
        self._pending: bytearray | None = None
        self._wanted = 0

    def feed(self, data: bytes) -> list[Item]:
        """Take the next piece of the stream; return the items that are now complete.

        Raises a PeerError on the first item that breaks the format. The stream has then lost its
        footing: close the connection and drop the decoder (items in front of the bad one in the
        same piece go with it; `each` tells of them).
        """
        return list(self.each(data))

    def each(self, data: bytes) -> Iterator[Item]:
        """Take the next piece of the stream; yield the items that are now complete, one by one.

        Each is looked at when its turn comes: a changed `size_max` holds from the next one on, and
        the PeerError of a bad one is raised behind those in front of it. Whoever does not go
        through all of them drops the decoder.
        """
        if self._pending is not None:
            self._pending += data
            if len(self._pending) < self._wanted:
                return
            data, self._pending = bytes(self._pending), None
        start, end = 0, len(data)
        while start < end:
            stop = start + self._measure(data, start)
            if stop > end:
                self._pending = bytearray(data[start:])
                self._wanted = stop - start
                break
            yield self._parse(data, start, stop)
            start = stop

    @property
    def pending_size(self) -> int:
        """Return how many bytes of an incomplete item are held."""
        return len(self._pending) if self._pending is not None else 0

    @abstractmethod
    def _measure(self, data: bytes, start: int) -> int:
        """Return the size of the item at `start`, or a lower bound beyond the bytes at hand.

        Raises TooLarge or Malformed as soon as the head shows that the item cannot be taken.
        """

    @abstractmethod
    def _parse(self, data: bytes, start: int, stop: int) -> Item:
        """Return the item in `data[start:stop]`, or raise a PeerError."""
