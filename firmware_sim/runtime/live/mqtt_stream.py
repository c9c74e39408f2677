"""The TCP connection of one device to its broker."""

import asyncio
from collections.abc import Callable
from typing import cast

from firmware_sim.events import Event, MqttClosed, MqttOpened, MqttReceived

WRITE_BUFFER_MAX = 65536


class MqttStream(asyncio.Protocol):
    """Tells the device what comes; silent after `leave` or `abandon`."""

    __slots__ = ("_tell", "_transport", "wanted")

    def __init__(self, tell: Callable[[Event], None]) -> None:
        """Wait for the connection."""
        self._tell = tell
        self._transport: asyncio.Transport | None = None
        self.wanted = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the device, or hang up when it has changed its mind meanwhile."""
        stream = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        if not self.wanted:
            stream.abort()
            return
        self._transport = stream
        self._tell(MqttOpened())

    def data_received(self, data: bytes) -> None:
        """Tell the device."""
        if self.wanted:
            self._tell(MqttReceived(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the device."""
        self.fail("closed" if exc is None else type(exc).__name__)

    def fail(self, reason: str) -> None:
        """Report the loss, or that no connection could be made, once."""
        if self.wanted:
            self.wanted = False
            self._tell(MqttClosed(reason))

    def write(self, data: bytes) -> None:
        """Send bytes, if the connection stands; a broker that does not read is cut off."""
        if self._transport is None or not self.wanted:
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            self._transport.abort()

    def leave(self) -> None:
        """Close after what was written."""
        self.wanted = False
        if self._transport is not None:
            self._transport.close()

    def abandon(self) -> None:
        """Cut the connection, as when the power is cut."""
        self.wanted = False
        if self._transport is not None:
            self._transport.abort()
