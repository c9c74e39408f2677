"""HTTP calls as a table: what they take, what they answer, and who may make them.

For programs on this machine. Web pages of others can do nothing here: what a browser sends on
their behalf has a foreign `Origin` or says so in `Sec-Fetch-Site`, and a name that was made to point
here is in its `Host` header. A body is read up to the bound of its call.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from firmware_sim.bench.capabilities import Missing, NotSeen
from firmware_sim.errors import Malformed, PeerError, UsageError
from firmware_sim.wire.structs import decode_json

BODY_MAX = 4096  # bytes, of a call that does not say otherwise
BODIES_MAX = 256 << 20  # bytes, of all calls together
_SHOWN_MAX = 100  # characters of an address in an answer
_JSON = "application/json"


class NotFound(UsageError):
    """What was asked for is not here."""


class TooLarge(UsageError):
    """A body has more bytes than its call takes."""


class Over(UsageError):
    """The bench ends while somebody waits."""


class Busy(UsageError):
    """All callers together want more than a bench holds at a time."""


class Unreadable(UsageError):
    """A picture in which no code can be read."""


class Budget:
    """How much of something all callers together may have at a time."""

    def __init__(self, most: int, what: str) -> None:
        """Begin with nothing taken. `what` is said when it is too much."""
        self.taken = 0
        self._most = most
        self._what = what

    def take(self, amount: int) -> None:
        """Take some, to be given back. Raises Busy when it is not there."""
        if self.taken + amount > self._most:
            raise Busy(f"{self._what}: at most {self._most:,} at a time for all callers together")
        self.taken += amount

    def give(self, amount: int) -> None:
        """Give it back."""
        self.taken -= amount


Kind = TypeVar("Kind", bound=msgspec.Struct)


class Call(NamedTuple):
    """One request."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    content_type: str
    content: bytes

    def number(self, name: str) -> int:
        """Return a part of the path that is a whole number. NotFound unless it is one."""
        text = self.path[name]
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise NotFound(f"{text[:_SHOWN_MAX]!r} is no number of a device")
        return int(text)

    def asked(self, kind: type[Kind]) -> Kind:
        """Return the query. UsageError."""
        try:
            return msgspec.convert(dict(self.query), kind, strict=False)
        except msgspec.ValidationError as error:
            raise UsageError(f"query: {error}") from None

    def body(self, kind: type[Kind]) -> Kind:
        """Return the body, which is JSON. UsageError."""
        try:
            return decode_json(kind, self.content or b"{}")
        except Malformed as error:
            raise UsageError(f"body: {error}") from None

    def text(self) -> str:
        """Return the body as text. UsageError."""
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            raise UsageError("body: no text in UTF-8") from None


class Line(NamedTuple):
    """One line of a table of calls.

    `do` returns what is answered: a Response of Starlette, None for 204, or what becomes JSON.
    """

    method: str
    path: str  # `{name}` is one part of it
    do: Callable[[Call], Coroutine[Any, Any, object]]
    body_max: int = BODY_MAX


class Problem(msgspec.Struct, frozen=True):
    """Why a call was not carried out, in one sentence."""

    problem: str


# The first that fits counts.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (Missing, 404),
    (TooLarge, 413),
    (Unreadable, 422),
    (Over, 503),
    (Busy, 503),
    (NotSeen, 504),
    (PeerError, 502),
    (UsageError, 400),
)


def make_app(lines: Iterable[Line]) -> "Gate":
    """Return the application that serves a table of calls on a loopback address."""
    work, bodies = _Work(), Budget(BODIES_MAX, "bytes of bodies")
    by_path: dict[str, dict[str, Line]] = {}
    for line in lines:
        by_path.setdefault(line.path, {})[line.method] = line
    routes = [
        Route(path, _endpoint(methods, work, bodies), methods=list(methods))
        for path, methods in by_path.items()
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unknown})
    return Gate(app, work.end)


def problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer to a call that was not carried out."""
    content = msgspec.json.encode(Problem(" ".join(text.split())))
    return Response(content, status, headers, media_type=_JSON)


class Gate:
    """Turns away what a browser sends for pages of others."""

    def __init__(self, app: ASGIApp, end: Callable[[], None]) -> None:
        """Stand before `app`; `end` is what ends its calls."""
        self._app = app
        self.end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it."""
        if scope["type"] != "http":
            return  # there are no web sockets here
        text = _foreign(Headers(scope=scope))
        app = problem(403, text) if text else self._app
        await app(scope, receive, send)


def _foreign(headers: Headers) -> str:
    """Return what is wrong with where a request comes from, "" for nothing."""
    if len(headers.getlist("host")) != 1 or not _is_loopback(_host(f"//{headers['host']}")):
        return "a bench is only served as localhost, 127.0.0.1 or [::1]"
    origin = headers.get("origin")
    if origin is not None and urlsplit_place(origin) != headers["host"]:
        return "a bench takes nothing from pages of others"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "a bench takes nothing from pages of others"
    return ""


def urlsplit_place(origin: str) -> str:
    """Return host and port of an origin, "" for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Work:
    """The calls that are being carried out."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[object]] = set()
        self._over = False

    async def do(self, line: Line, call: Call) -> object:
        task = asyncio.ensure_future(line.do(call))
        self._tasks.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._over:
                raise Over("the bench ends") from None
            raise
        finally:
            self._tasks.discard(task)

    def end(self) -> None:
        """Tell all who wait that it is over."""
        self._over = True
        for task in self._tasks:
            task.cancel()


def _endpoint(
    methods: Mapping[str, Line], work: _Work, bodies: Budget
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def answer(request: Request) -> Response:
        # A HEAD is a GET whose answer is cut off by the server.
        line = methods["GET" if request.method == "HEAD" else request.method]
        content = bytearray()
        try:
            await _read(request, content, line.body_max, bodies)
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            call = Call(request.path_params, request.query_params, kind, bytes(content))
            return _response(await work.do(line, call))
        except (UsageError, PeerError, NotSeen) as error:
            status = next(status for kind, status in _STATUS if isinstance(error, kind))
            return problem(status, str(error))
        except ClientDisconnect:
            return problem(400, "the body did not come to its end")  # which nobody hears
        finally:
            bodies.give(len(content))

    return answer


def _response(result: Any) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status_code=204)
    return Response(msgspec.json.encode(result), media_type=_JSON)


async def _read(request: Request, content: bytearray, bytes_max: int, bodies: Budget) -> None:
    """Read a body into `content`; as much of `bodies` is taken then. TooLarge, Busy."""
    async for chunk in request.stream():
        if len(content) + len(chunk) > bytes_max:
            raise TooLarge(f"body: at most {bytes_max} bytes are taken here")
        bodies.take(len(chunk))
        content += chunk


async def _unknown(request: Request, error: Exception) -> Response:
    """Say what is not here, or not called like this."""
    assert isinstance(error, HTTPException)
    path = request.url.path[:_SHOWN_MAX]
    told = {
        404: f"there is nothing at {path}",
        405: f"{path} is not called by {request.method}",
    }.get(error.status_code, error.detail)
    return problem(error.status_code, told, error.headers)
