"""The HTTP port: requests become events for the node, its `SendReply` effects become responses.

uvicorn's httptools protocol does the HTTP, a raw ASGI application does the rest. Bounds: size of
head, body and all that comes with a body, requests sent ahead, time for a request to arrive and
for a response to be taken, number of connections. Responses are JSON, also those few that come
from here because the node never saw the request; only uvicorn's own 400 and 503 are plain text.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from email.utils import formatdate
from typing import Any, cast

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from fleet.cloud.edge.driver import Driver
from fleet.cloud.messages import HttpRequested, SendReply

HEAD_SIZE_MAX = 16_384
REQUEST_S_MAX = 10.0
KEEP_ALIVE_S = 75
SENT_AHEAD_MAX = 64  # requests that wait for the response to an earlier one
# The headers that the cloud reads; others only if they are signed, so a secret in one goes nowhere.
_READ = frozenset(
    {
        b"access_token",
        b"authorization",
        b"client_id",
        b"content-type",
        b"host",
        b"nonce",
        b"sign",
        b"sign_method",
        b"signature-headers",
        b"t",
    }
)
_FRAMING = 8  # bytes on the wire for one of a body, at most: a chunk of one byte takes six

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Upgraded = Callable[..., asyncio.Protocol]  # called with uvicorn's own arguments, by name


class HttpLimits(msgspec.Struct, frozen=True):
    """What one client may take."""

    connections_max: int
    body_size_max: int = 65_536
    request_s_max: float = REQUEST_S_MAX


class _RequestError(Exception):
    """A request that does not reach the node."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class HttpEdge:
    """The ASGI application and its connections; serve with `protocol` as factory."""

    def __init__(
        self, driver: Driver, limits: HttpLimits, upgraded: Upgraded | None = None
    ) -> None:
        """Register with `driver` for the replies of the node.

        `upgraded` makes the protocol of a connection that is to become a WebSocket; without it
        none does.
        """
        self._loop = asyncio.get_running_loop()
        self._driver = driver
        self._limits = limits
        self._waiting: dict[int, asyncio.Future[SendReply]] = {}
        self._last_exchange = 0
        self._config = uvicorn.Config(
            self,
            http=GuardedHttp,
            ws=cast("Any", upgraded) or "none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=limits.connections_max,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self._config.load()
        self._state = ServerState()
        self._stamp()
        driver.carry_out_with(SendReply, self._reply)

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of one new connection."""
        return GuardedHttp(self._limits, self._config, self._state, {}, self._loop)

    def sweep(self) -> None:
        """Cut off clients that are too slow to say their request or to take their response."""
        self._stamp()
        since_s = self._loop.time() - self._limits.request_s_max
        connections = [c for c in self._state.connections if isinstance(c, GuardedHttp)]
        for connection in connections:
            if connection.slow_since(since_s):
                connection.transport.abort()
        self._driver.counters.http_connections = len(connections)

    @property
    def idle(self) -> bool:
        """Return whether no connection and no request is left."""
        return not self._state.connections and not self._state.tasks

    @property
    def answered(self) -> bool:
        """Return whether every request that reached the node has its reply."""
        return not self._waiting

    def close_all(self) -> None:
        """Close every connection after its current response; nobody waits for the node any more."""
        for exchange in list(self._waiting):
            self._reply(_stopping(exchange))
        for connection in list(self._state.connections):
            connection.shutdown()

    def abort_all(self) -> None:
        """Cut off whoever is left."""
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3, scope type "http")."""
        self._driver.counters.requests += 1
        try:
            event = await self._read(scope, receive)
        except _RequestError as refusal:
            reply = _problem(0, refusal.status, refusal.code, str(refusal))
        else:
            if event is None:
                return
            self._waiting[event.exchange] = waiting = self._loop.create_future()
            self._driver.handle(event)
            if self._driver.stopped:
                self._reply(_stopping(event.exchange))
            reply = await waiting
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(reply.body)),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _read(self, scope: Scope, receive: Receive) -> HttpRequested | None:
        """Return the whole request, or None when the client left before its end."""
        target: bytes = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        size = len(target) + sum(len(name) + len(value) for name, value in scope["headers"])
        if size > HEAD_SIZE_MAX:
            raise _RequestError(431, "head_too_large", f"the limit is {HEAD_SIZE_MAX} bytes")
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message["body"]
            more = message["more_body"]
            if len(body) > self._limits.body_size_max:
                limit = self._limits.body_size_max
                raise _RequestError(413, "body_too_large", f"the limit is {limit} bytes")
        self._last_exchange += 1
        return HttpRequested(
            exchange=self._last_exchange,
            method=scope["method"],
            target=target.decode("latin-1"),
            headers=_headers(scope),
            body=body,
        )

    def _stamp(self) -> None:
        """Keep the Date header of all responses up to date (RFC 9110, section 6.6.1)."""
        now_s = self._driver.now_ms() // 1000
        self._state.default_headers = [(b"date", formatdate(now_s, usegmt=True).encode())]

    def _reply(self, effect: SendReply) -> None:
        waiting = self._waiting.pop(effect.exchange, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(effect)


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's protocol with what it leaves to a proxy: bounds on number, size and time."""

    def __init__(self, limits: HttpLimits, *args: Any, **kwargs: Any) -> None:
        """Wait for a first request."""
        super().__init__(*args, **kwargs)
        self._connections_max = limits.connections_max
        self._request_size_max = HEAD_SIZE_MAX + _FRAMING * limits.body_size_max
        # When the request that is arriving began, or the response that must be taken was closed;
        # None while it is the server's turn, or nobody's.
        self._since_s: float | None = self.loop.time()
        self._unread_since_s: float | None = None  # since when responses pile up here
        self._in_head = True
        self._size = 0  # of what has arrived of a request that is not complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Drop who comes when there are too many; the last one that fits is told 503."""
        super().connection_made(transport)
        if len(self.connections) > self._connections_max:
            transport.abort()

    def slow_since(self, since_s: float) -> bool:
        """Return whether the client's turn began before `since_s` (loop time)."""
        if self._since_s is None and self.transport.is_closing():
            self._since_s = self.loop.time()
        begun_s = (self._since_s, self._unread_since_s)
        return any(begin_s is not None and begin_s < since_s for begin_s in begun_s)

    def data_received(self, data: bytes) -> None:
        """Bound what a client can make this connection keep."""
        if self._since_s is None:
            self._since_s = self.loop.time()
        self._size += len(data)
        super().data_received(data)
        size_max = HEAD_SIZE_MAX if self._in_head else self._request_size_max
        if self._size > size_max or len(self.pipeline) > SENT_AHEAD_MAX:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Start the clock of a request."""
        super().on_message_begin()
        self._since_s = self.loop.time()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """From here on the application bounds what is read."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete: the server's turn."""
        super().on_message_complete()
        self._since_s = None
        self._size = 0

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read."""
        super().pause_writing()
        self._unread_since_s = self.loop.time()

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._unread_since_s = None


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers that the node is told; of several with one name the last."""
    told = _told(scope, _READ)
    if "signature-headers" in told:
        names = told["signature-headers"].lower().encode("latin-1").split(b":")
        told |= _told(scope, frozenset(names))
    told["x-peer-ip"] = scope["client"][0] if scope["client"] else ""
    return told


def _told(scope: Scope, names: Collection[bytes]) -> dict[str, str]:
    """Return the headers of these names (in lower case, as the scope has them)."""
    chosen = ((name, value) for name, value in scope["headers"] if name in names)
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in chosen}


def _stopping(exchange: int) -> SendReply:
    return _problem(exchange, 503, "stopping", "the cloud is stopping")


def _problem(exchange: int, status: int, code: str, message: str) -> SendReply:
    body = msgspec.json.encode({"success": False, "code": code, "msg": message})
    return SendReply(exchange=exchange, status=status, body=body)
