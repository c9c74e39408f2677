"""A serial line between a part without sockets and whoever has opened one of its ends."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Part(Protocol):
    """What is at the line: a device's console, or an instrument."""

    def due(self, now_ms: int) -> bytes:
        """Return what it has said until now and not been asked for yet."""
        ...

    def next_ms(self) -> int | None:
        """Return when it says something next, None if not before something happens."""
        ...


class End(Protocol):
    """Where programs get at the line."""

    def send(self, data: bytes) -> None:
        """Pass on what the part says; never waits."""
        ...


class SerialLine:
    """Passes bytes both ways, each as it comes due. Times are ms of the bench's clock."""

    def __init__(
        self, part: Part, hear: Callable[[bytes, int], bytes], now_ms: Callable[[], int]
    ) -> None:
        """Connect nobody yet. `hear` tells the part what was typed; it may answer at once."""
        self._part = part
        self._hear = hear
        self._now_ms = now_ms
        self._loop = asyncio.get_running_loop()
        self._ends: list[End] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0

    def connect(self, end: End) -> None:
        """Let one more end hear the part."""
        self._ends.append(end)

    def type(self, data: bytes) -> None:
        """Take what somebody has typed at an end."""
        self._say(self._hear(data, self._now_ms()))
        self.look()

    def look(self) -> None:
        """Pass on what the part has said; something may have happened to it."""
        self._say(self._part.due(self._now_ms()))
        next_ms = self._part.next_ms()
        if self._timer is not None:
            if next_ms == self._timer_ms:
                return
            self._timer.cancel()
            self._timer = None
        if next_ms is not None:
            self._timer_ms = next_ms
            wait_ms = max(0, next_ms - self._now_ms()) + 1  # the clock is cut to whole ones
            self._timer = self._loop.call_later(wait_ms / 1000, self._ring)

    def close(self) -> None:
        """Say nothing more."""
        self._ends.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self.look()

    def _say(self, data: bytes) -> None:
        if data:
            for end in self._ends:
                end.send(data)
