"""The TCP connection of one device to its broker."""

import asyncio
from collections.abc import Callable
from typing import cast


class MqttStream(asyncio.Protocol):
    """Hands bytes to the device; silent after `leave` or `abandon`.

    `opened()`, `received(data)` and `lost(reason)` tell the device.
    """

    __slots__ = ("_left", "_lost", "_opened", "_received", "_transport")

    def __init__(
        self,
        opened: Callable[[], None],
        received: Callable[[bytes], None],
        lost: Callable[[str], None],
    ) -> None:
        """Wait for the connection."""
        self._opened = opened
        self._received = received
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._left = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the device, or hang up when it has changed its mind meanwhile."""
        stream = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        if self._left:
            stream.abort()
            return
        self._transport = stream
        self._opened()

    def data_received(self, data: bytes) -> None:
        """Tell the device."""
        if not self._left:
            self._received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the device."""
        self.fail("closed" if exc is None else type(exc).__name__)

    def fail(self, reason: str) -> None:
        """Report the loss, or that no connection could be made, once."""
        if not self._left:
            self._left = True
            self._lost(reason)

    def write(self, data: bytes) -> None:
        """Send bytes, if the connection stands."""
        if self._transport is not None and not self._left:
            self._transport.write(data)

    def leave(self) -> None:
        """Close after what was written."""
        self._left = True
        if self._transport is not None:
            self._transport.close()

    def abandon(self) -> None:
        """Cut the connection, as when the power is cut."""
        self._left = True
        if self._transport is not None:
            self._transport.abort()
