"""What the pages and programs of others can call: rooms, and a table of routes for each.

A room is one page with the calls that it needs. Calls take and give `msgspec` types, from which
their description as OpenAPI is made (`openapi`), so the two cannot differ.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from firmware_sim.errors import Malformed, PeerError, UsageError
from firmware_sim.wire.structs import decode_json
from fleet.app.errors import CloudUnreachable
from fleet.web.sessions import Session

BODY_MAX = 64 * 1024  # bytes, of a call that does not say otherwise
REFUSED, MISSING, TOO_LARGE, PEER_FAILED = 400, 404, 413, 502


class NotFound(UsageError):
    """What was asked for does not exist."""


class TooLarge(UsageError):
    """A body has more bytes than its path accepts."""


Kind = TypeVar("Kind", bound=msgspec.Struct)


class Call(NamedTuple):
    """One request: what it carries, and the session of the browser that makes it."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any  # of the type that the route names; raw bytes where it names `bytes`
    session: Session
    request: Request

    def query_as(self, kind: type[Kind]) -> Kind:
        """Return the query as a struct. Raises UsageError."""
        try:
            return msgspec.convert(dict(self.query), kind, strict=False)
        except msgspec.ValidationError as error:
            raise UsageError(f"query: {error}") from None


Handler = Callable[[Call], Awaitable[object]]


class Route(NamedTuple):
    """One line of a room's table; `{name}` in the path is one segment.

    `reply` is the type of what `handler` returns, encoded as JSON; a handler may return a Response
    of Starlette instead (pictures, streams). UsageError becomes status 400 (`NotFound` 404), a
    PeerError 502, each with `{"error": text}`.
    """

    method: str
    path: str  # below /api/ROOM, begins with "/" if it is not ""
    summary: str
    handler: Handler
    body: type | None = None
    reply: Any = None
    body_max: int = BODY_MAX


class Room(NamedTuple):
    """A page, /NAME, and its calls. `title` "" keeps it out of the menu, `page` "" has no page.

    Calls are below `root`, which is /api/NAME where nothing else is said.

    `life` is what goes on as long as pages are served: it tells feeds, and closes them at its end.
    """

    name: str
    title: str
    page: str  # file below static/
    routes: tuple[Route, ...] = ()
    life: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    root: str = ""

    def path_of(self, route: "Route") -> str:
        """Return the whole path of one of its calls."""
        return f"{self.root or f'/api/{self.name}'}{route.path}"


class Failed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a call did not do what was asked, for the person who asked.

    Where the emulated cloud refused, `code` is its reason and `advice` what can be done.
    """

    error: str
    code: str = ""
    advice: str = ""


async def answer(route: Route, request: Request) -> Response:
    """Carry out one call. What the caller or a peer did wrong is in the reply."""
    try:
        body = _body(route, await request.body())
        session = request.scope["session"]
        call = Call(request.path_params, request.query_params, body, session, request)
        result = await route.handler(call)
    except (UsageError, PeerError) as error:
        return refusal(_status(error), str(error))
    except ClientDisconnect:
        return refusal(REFUSED, "the body did not come to its end")  # which nobody hears
    if isinstance(result, Response):
        return result
    return Response(msgspec.json.encode(result), media_type="application/json")


def refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the reply to a call that was not carried out."""
    content = msgspec.json.encode(Failed(" ".join(text.split())))
    return Response(content, status, headers, media_type="application/json")


def _body(route: Route, content: bytes) -> Any:
    if route.body is None:
        return None
    if route.body is bytes:
        return content
    try:
        return decode_json(route.body, content or b"{}")
    except Malformed as error:
        raise UsageError(str(error)) from None


def _status(error: Exception) -> int:
    return next(status for kind, status in _STATUS if isinstance(error, kind))


# The first line that fits counts.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, MISSING),
    (TooLarge, TOO_LARGE),
    (CloudUnreachable, PEER_FAILED),
    (PeerError, PEER_FAILED),
    (UsageError, REFUSED),
)
