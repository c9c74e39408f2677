"""The TCP connection of one device to its broker."""

import asyncio
from collections.abc import Callable
from typing import cast

from firmware_sim.events import Event, MqttClosed, MqttOpened, MqttReceived
from firmware_sim.runtime.live.impaired import Line

WRITE_BUFFER_MAX = 65536


class MqttStream(asyncio.Protocol):
    """Tells the device what comes; silent after `leave` or `abandon`.

    `line` is what it writes to, None until the connection stands.
    """

    __slots__ = ("_fin", "_plain", "_tell", "line", "wanted")

    def __init__(self, tell: Callable[[Event], None]) -> None:
        """Wait for the connection."""
        self._tell = tell
        self._plain = self._fin = False
        self.line: Line | None = None
        self.wanted = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the device, or hang up when it has changed its mind meanwhile."""
        line = cast("Line", transport)
        if not self.wanted:
            line.abort()
            return
        self.line = line
        self._plain = line.get_extra_info("ssl_object") is None
        self._tell(MqttOpened())

    def data_received(self, data: bytes) -> None:
        """Tell the device."""
        if self.wanted:
            self._tell(MqttReceived(data))

    def eof_received(self) -> None:
        """Note that the broker has ended its half: without TLS that is all there is to notice."""
        self._fin = self._plain

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the device."""
        self.line = None
        self._lose("closed" if exc is None else type(exc).__name__, fin=self._fin and exc is None)

    def fail(self, reason: str) -> None:
        """Report that no connection could be made, once."""
        self._lose(reason, fin=False)

    def _lose(self, reason: str, *, fin: bool) -> None:
        if self.wanted:
            self.wanted = False
            self._tell(MqttClosed(reason, fin))

    def write(self, data: bytes) -> None:
        """Send bytes, if the connection stands; a broker that does not read is cut off."""
        if self.line is None or not self.wanted or self.line.is_closing():
            return
        self.line.write(data)
        if self.line.get_write_buffer_size() > WRITE_BUFFER_MAX:
            self.line.abort()

    def leave(self) -> None:
        """Close after what was written."""
        self.wanted = False
        if self.line is not None:
            self.line.close()

    def abandon(self) -> None:
        """Cut the connection, as when the power is cut."""
        self.wanted = False
        if self.line is not None:
            self.line.abort()
