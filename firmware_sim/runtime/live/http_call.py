"""One HTTP/1.1 POST on a connection of its own, as the vendor's firmware makes it.

Source of the headers and of the five seconds: tuya/tuya-connect-kit-for-mqtt-embedded-c,
middleware/http_client_wrapper.c. The reply is parsed by httptools and bounded by the caller.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from firmware_sim.effects import SendHttp
from firmware_sim.runtime.live.impaired import Line

TIMEOUT_S = 5.0
Done = Callable[[int, bytes, str], None]  # status, body, reason; reason "" means success


class HttpCall(asyncio.Protocol):
    """The client side of one call; `done` is called exactly once, unless `abandon` came first.

    `line` is what it writes to, None until the connection stands.
    """

    __slots__ = ("_body", "_done", "_parser", "_size", "_timer", "_whole", "_wish", "line")

    def __init__(self, wish: SendHttp, done: Done, loop: asyncio.AbstractEventLoop) -> None:
        """Prepare the call; the five seconds begin now."""
        self._wish = wish
        self._done: Done | None = done
        self._parser = httptools.HttpResponseParser(self)
        self.line: Line | None = None
        self._size = 0
        self._body: list[bytes] = []
        self._whole = False
        self._timer = loop.call_later(TIMEOUT_S, self.fail, "timeout")

    @property
    def wanted(self) -> bool:
        """Say whether anybody waits for the reply."""
        return self._done is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self.line = line = cast("Line", transport)
        if self._done is None:
            line.abort()
            return
        wish = self._wish
        head = (
            f"POST {wish.target} HTTP/1.1\r\nHost: {wish.host}:{wish.port}\r\n"
            "User-Agent: TUYA_IOT_SDK\r\n"
            "Content-Type: application/x-www-form-urlencoded;charset=UTF-8\r\n"
            f"Content-Length: {len(wish.body)}\r\nConnection: close\r\n\r\n"
        )
        line.write(head.encode() + wish.body)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; too much is a failed call, as it is for the firmware."""
        self._size += len(data)
        if self._size > self._wish.reply_size_max:
            self.fail("reply_too_large")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.fail("not_http")
        else:
            if self._whole:  # not told from the parser, which would take our errors for its own
                self._finish(self._parser.get_status_code(), "")

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer closed early."""
        self.line = None
        self.fail("connection_lost" if exc is None else type(exc).__name__)

    def on_body(self, body: bytes) -> None:
        """Parser callback."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Parser callback: the reply is whole."""
        self._whole = True

    def fail(self, reason: str) -> None:
        """Report that there is no usable reply, once, and close."""
        self._finish(0, reason)

    def _finish(self, status: int, reason: str) -> None:
        done, self._done = self._done, None
        self._timer.cancel()
        if self.line is not None:
            self.line.close()
        if done is not None:
            done(status, b"".join(self._body), reason)

    def abandon(self) -> None:
        """Close without a report: nobody is interested any more."""
        self._done = None
        self._timer.cancel()
        if self.line is not None:
            self.line.abort()
