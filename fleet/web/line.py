"""One connection of a browser, which has limited time and room for what it asks.

uvicorn ends connections that are idle between requests. Nothing there ends one on which a request
never comes, or comes byte by byte, and nothing bounds the size of its head.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fleet.web.guard import is_loopback

HEAD_S, BODY_S = 10.0, 60.0  # for the head of a request, and then for its body
HEAD_SIZE_MAX = 64 * 1024
PER_ADDRESS_MAX = 100  # connections of one address, that of this machine excepted
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n"


class Line(HttpToolsProtocol):
    """The protocol of one connection, with patience that ends."""

    head_s, body_s = HEAD_S, BODY_S
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        if self._crowded():
            transport.abort()
        else:
            self._expect(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request in."""
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._expect(self.head_s)
        self._head_size += len(data)
        super().data_received(data)
        if self._in_head and self._head_size > HEAD_SIZE_MAX and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Expect the whole head soon."""
        super().on_message_begin()
        self._in_head, self._head_size = True, 0
        self._expect(self.head_s)

    def on_headers_complete(self) -> None:
        """Expect the body."""
        super().on_headers_complete()
        self._in_head = False
        self._expect(self.body_s)

    def on_message_complete(self) -> None:
        """Let the answer take its time."""
        super().on_message_complete()
        self._expect(None)

    def _crowded(self) -> bool:
        if self.client is None or is_loopback(self.client[0]):
            return False
        others = (getattr(one, "client", None) for one in self.connections)
        mine = sum(1 for other in others if other is not None and other[0] == self.client[0])
        return mine > PER_ADDRESS_MAX

    def _expect(self, patience_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = (
            self.loop.call_later(patience_s, self.transport.close)
            if patience_s is not None
            else None
        )
