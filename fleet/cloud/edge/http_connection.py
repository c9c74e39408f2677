"""One connection of the HTTP port: bytes in, whole requests out, responses in their order.

httptools reads, this decides. There is no task, no future and no `await`: a request is one call of
the node, a response one write, and the next request is begun when that is done. Bounds: size of
head, body and all that comes with a body, requests sent ahead, time for a request to arrive and for
a response to be taken, number of connections. Whoever goes beyond one is told so in JSON, or cut.
HTTP is RFC 9110 and RFC 9112.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol, cast

import httptools
import msgspec

from fleet.cloud.api.broker_auth_api import PATHS
from fleet.cloud.edge.http_head import Header, lines, target_of, told_of
from fleet.cloud.messages import JSON, HttpRequested, SendReply
from fleet.cloud.open.regions import is_open_path, within

HEAD_SIZE_MAX = 16_384
REQUEST_S_MAX = 10.0
KEEP_ALIVE_S = 75.0
SENT_AHEAD_MAX = 64  # requests that wait for the response to an earlier one
_FRAMING = 8  # bytes on the wire for one of a body, at most: a chunk of one byte takes six
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


class HttpLimits(msgspec.Struct, frozen=True):
    """What one client may take."""

    connections_max: int
    body_size_max: int = 65_536
    request_s_max: float = REQUEST_S_MAX


class Connection(Protocol):
    """A connection of the port, whatever is spoken on it."""

    transport: asyncio.Transport

    def shutdown(self) -> None:
        """Close politely."""
        ...


Upgraded = Callable[[set[Connection]], asyncio.Protocol]
"""Makes the protocol of a connection that becomes a WebSocket, which adds itself to the set."""


class Desk(Protocol):
    """What a connection needs of its port: `date` is the value of that header, now."""

    limits: HttpLimits
    connections: set[Connection]
    upgraded: Upgraded | None
    date: bytes

    def register(self) -> int:
        """Count a request, and return its number."""
        ...

    def ask(self, connection: "HttpConnection", request: HttpRequested) -> None:
        """Let the node answer: `connection.answer` is called once, now or later."""
        ...


class HttpConnection(asyncio.Protocol):
    """Serves one client until it leaves, or asks too much."""

    transport: asyncio.Transport

    def __init__(self, desk: Desk, centre: str = "") -> None:
        """Wait for a first request; all are meant for the data centre `centre`, "" for none."""
        self._loop = asyncio.get_running_loop()
        self._desk = desk
        self._limits = desk.limits
        self._centre = centre
        self._parser = self._new_parser()
        self._ip = ""
        # What has arrived and is not answered: its method, and the request or our own reply to it.
        self._arrived: deque[tuple[str, HttpRequested | SendReply]] = deque()
        self._asked = ""  # method of the request that the node is to answer
        self._last = False  # whether nothing more is taken: to be closed after what is owed
        # When the request that is arriving began, or the response that must be taken was closed;
        # None while it is the server's turn, or nobody's.
        self._since_s: float | None = self._loop.time()
        self._unread_since_s: float | None = None  # since when responses pile up here
        self._answered_s = 0.0  # when the last response was written
        self._size = 0  # of what has arrived of a request that is not complete
        self._begin()

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # Else what follows a request that says "close" would spoil the answer to that one.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _begin(self) -> None:
        self._exchange = 0
        self._url = b""
        self._headers: list[Header] = []
        self._in_head = True
        self._expects = False  # whether the client waits for our word before it sends the body
        self._body = bytearray()
        self._too_large = False  # the body, which is read but not kept then

    # --- called by the port ---------------------------------------------------------------------

    def answer(self, reply: SendReply) -> None:
        """Send the response to the request that the node was asked, and go on."""
        method, self._asked = self._asked, ""
        self._write(method, reply)
        self._go_on()

    def shutdown(self) -> None:
        """Close after the responses that are owed."""
        self._last = True
        self._go_on()

    def check(self, now_s: float) -> None:
        """Cut off a client that is too slow; close a connection that nobody uses."""
        if self._since_s is None and self.transport.is_closing():
            self._since_s = now_s
        begun_s = (self._since_s, self._unread_since_s)
        if any(s is not None and now_s - s > self._limits.request_s_max for s in begun_s):
            self.transport.abort()
        elif self._since_s is None and not self._asked and now_s - self._answered_s > KEEP_ALIVE_S:
            self.shutdown()

    # --- called by the transport ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Drop who comes when there are too many; the last one that fits is told 503."""
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._ip = str(peer[0]) if peer else ""
        self._desk.connections.add(self)
        if len(self._desk.connections) > self._limits.connections_max:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
        """Forget the connection."""
        self._desk.connections.discard(self)
        self._arrived.clear()
        del self._parser  # it knows us too, and a circle would wait for the garbage collector

    def data_received(self, data: bytes) -> None:
        """Read on, within bounds."""
        if self._last:
            return
        if self._since_s is None:
            self._since_s = self._loop.time()
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as end:
            if not self._last:
                self._upgrade(data[end.args[0] :])
                return
        except httptools.HttpParserError:
            if not self._last:
                fault = self._fault("bad_request", "the request is not understood")
                self._arrived.append(("", fault))
        if self._goes_too_far():
            self.transport.abort()
            return
        self._go_on()
        if self._arrived:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """Answer what is owed to a client that says no more, and close; TLS closes at once."""
        self._last = True
        self._go_on()
        return self.transport.can_write_eof() and not self.transport.is_closing()

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read."""
        self._unread_since_s = self._loop.time()

    def resume_writing(self) -> None:
        """It has read."""
        self._unread_since_s = None
        self._go_on()

    # --- called by the parser -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Start the clock of a request."""
        self._since_s = self._loop.time()
        self._begin()

    def on_url(self, url: bytes) -> None:
        """Collect the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; what stands behind a body is none."""
        if self._in_head:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Expect the body, if there is one."""
        self._in_head = False
        if self._parser.should_upgrade():
            return
        self._exchange = self._desk.register()
        is_new = self._parser.get_http_version() == "1.1"
        self._expects = is_new and self._says(b"expect", b"100-continue")

    def on_body(self, body: bytes) -> None:
        """Collect the body, or read and forget it: who is cut while it sends hears no answer."""
        self._expects = False
        if not self._too_large:
            self._body += body
            self._too_large = len(self._body) > self._limits.body_size_max
        if self._too_large:
            self._body.clear()
            self._size = 0  # what bounds it now is the time

    def on_message_complete(self) -> None:
        """Take the request, or a reply in its place."""
        self._expects = False
        self._since_s = None
        self._size = 0
        parser = self._parser
        if self._last or parser.should_upgrade():
            return
        self._last = parser.get_http_version() == "1.0" or not parser.should_keep_alive()
        self._arrived.append((self._method(), self._request()))

    # --- details --------------------------------------------------------------------------------

    def _goes_too_far(self) -> bool:
        size_max = HEAD_SIZE_MAX + (0 if self._in_head else _FRAMING * self._limits.body_size_max)
        return self._size > size_max or len(self._arrived) > SENT_AHEAD_MAX

    def _method(self) -> str:
        return self._parser.get_method().decode()

    def _request(self) -> HttpRequested | SendReply:
        """Return what the node is to be asked, or what the client is told without it."""
        target, authority = target_of(self._url)
        if not target:
            return self._fault("bad_target", "the path is not understood")
        hosts = [text for name, text in self._headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and self._parser.get_http_version() == "1.1"):
            return self._fault("bad_host", "a request has one Host header")  # RFC 9112, section 3.2
        size = len(self._url) + sum(len(name) + len(value) for name, value in self._headers)
        if size > HEAD_SIZE_MAX:
            text = f"the limit is {HEAD_SIZE_MAX} bytes"
            return problem(self._exchange, 431, "head_too_large", text)
        if len(self._desk.connections) >= self._limits.connections_max:
            self._last = True
            return problem(self._exchange, 503, "too_many_connections", "try again later")
        if self._centre:
            target = within(self._centre, target)
        path = target.partition("?")[0]
        if self._too_large and not is_open_path(path) and path not in PATHS:
            text = f"the limit is {self._limits.body_size_max} bytes"
            return problem(self._exchange, 413, "body_too_large", text)
        headers = told_of(self._headers)
        if authority:
            headers["host"] = authority
        headers["x-peer-ip"] = self._ip
        body = bytes(self._body)
        method = self._method()
        return HttpRequested(self._exchange, method, target, headers, body, self._too_large)

    def _fault(self, code: str, text: str) -> SendReply:
        """Return the last reply of a connection on which something else than HTTP is spoken."""
        self._last = True
        return problem(self._exchange, 400, code, text)

    def _go_on(self) -> None:
        """Answer what has arrived, one after the other, as long as the client takes it."""
        while self._arrived and not self._asked and self._unread_since_s is None:
            method, arrived = self._arrived.popleft()
            if isinstance(arrived, SendReply):
                self._write(method, arrived)
            else:
                self._asked = method
                self._desk.ask(self, arrived)
        if self._asked or self._arrived or self.transport.is_closing():
            return
        if self._last:
            self.transport.close()
            return
        self.transport.resume_reading()
        if self._expects:
            self._expects = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _write(self, method: str, reply: SendReply) -> None:
        self._answered_s = self._loop.time()
        if self.transport.is_closing():
            return
        close = b"connection: close\r\n" if self._last and not self._arrived else b""
        fields = _JSON_LINES if reply.headers is JSON else lines(reply.headers)
        head = b"HTTP/1.1 %d %b\r\ndate: %b\r\n%b%bcontent-length: %d\r\n\r\n" % (
            reply.status,
            _PHRASES[reply.status],
            self._desk.date,
            fields,
            close,
            len(reply.body),
        )
        self.transport.write(head if method == "HEAD" else head + reply.body)

    def _says(self, name: bytes, value: bytes) -> bool:
        return any(name == found and text.lower() == value for found, text in self._headers)

    def _upgrade(self, rest: bytes) -> None:
        """Hand the connection over with its request, or go on as if no upgrade had been asked for.

        `rest` is what stands behind the head.
        """
        method, version = self._parser.get_method(), self._parser.get_http_version()
        is_websocket = self._says(b"upgrade", b"websocket") and version == "1.1"
        if method == b"CONNECT" or (is_websocket and (self._asked or self._arrived)):
            self._arrived.append(("", self._fault("bad_request", "the request is not understood")))
            self._go_on()
        elif is_websocket and self._desk.upgraded is not None:
            self._hand_over(self._desk.upgraded)
        elif self._goes_too_far():
            self.transport.abort()
        else:
            # The parser takes no body of such a request, but clients that would rather speak
            # HTTP/2 send one (RFC 9110, section 7.8: a server may ignore the wish).
            self._headers = [header for header in self._headers if header[0] != b"upgrade"]
            head = self._head(self._url)
            self._parser, self._size = self._new_parser(), 0
            self.data_received(head + rest)

    def _hand_over(self, upgraded: Upgraded) -> None:
        url = self._url
        if self._centre:
            url = within(self._centre, url.decode("latin-1")).encode("latin-1")
        request = self._head(url)
        self._desk.connections.discard(self)
        del self._parser
        protocol = upgraded(self._desk.connections)
        protocol.connection_made(self.transport)
        protocol.data_received(request)

    def _head(self, url: bytes) -> bytes:
        """Return the head that was read, for somebody else to read it again."""
        fields = b"".join(b"%b: %b\r\n" % header for header in self._headers)
        version = self._parser.get_http_version().encode()
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self._parser.get_method(), url, version, fields)


def problem(exchange: int, status: int, code: str, message: str) -> SendReply:
    """Return a reply to a request that does not reach the node."""
    body = msgspec.json.encode({"success": False, "code": code, "msg": message})
    return SendReply(exchange=exchange, status=status, body=body)


_JSON_LINES = lines(JSON)
