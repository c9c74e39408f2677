"""Puts rooms together: pages, calls, static files and the guard, as one ASGI application."""

from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as Path_
from starlette.staticfiles import StaticFiles

from fleet.light.colours import DARK, SHADES, Shade
from fleet.web.guard import LOGIN_PAGE, TOO_MANY, UNKNOWN, Guard, cookie_header
from fleet.web.openapi import describe
from fleet.web.routes import BODY_MAX, Call, Room, Route, answer, refusal

STATIC = Path(__file__).parent / "static"
_SHOWN_MAX = 200  # characters of an address in an error


class Page(msgspec.Struct, frozen=True):
    """One entry of the menu."""

    name: str
    title: str


class About(msgspec.Struct, frozen=True):
    """What every page asks first: what it may send with its calls, and what else there is."""

    proof: str
    trusted: bool
    password: bool  # whether there is one, so that logging out makes sense
    pages: tuple[Page, ...]


class Colours(msgspec.Struct, frozen=True):
    """How lights are painted: each colour by its name, and what is not lit."""

    shades: dict[str, Shade]
    dark: str


class Password(msgspec.Struct, frozen=True):
    """What was typed on the login page."""

    password: str

    def __repr__(self) -> str:
        """Show nothing."""
        return "Password(***)"


def make_app(rooms: Iterable[Room], *, password: str = "", more: Iterable[BaseRoute] = ()) -> Guard:
    """Return the application that serves `rooms`, the first one at "/" too.

    Without `password` everybody is let in who calls it by a name of loopback. `more` are routes of
    Starlette that are no calls of a room, such as /metrics.
    """
    all_rooms = tuple(rooms)
    limits = {
        (route.method, room.path_of(route)): route.body_max
        for room in all_rooms
        for route in room.routes
        if route.body_max != BODY_MAX
    }
    front = _Front(all_rooms, has_password=bool(password))
    routes: list[BaseRoute] = [
        Path_("/", front.home),
        Path_(LOGIN_PAGE, _page("login.html")),
        Path_("/api/session", front.about),
        _call("/api/login", Route("POST", "", "Give the password", front.log_in, Password)),
        _call("/api/logout", Route("POST", "", "End the session", front.log_out)),
        Path_("/api/openapi.json", front.description),
        Path_("/api/colours", front.colours),
        *(Path_(f"/{room.name}", _page(room.page)) for room in all_rooms if room.page),
        *(_call(room.path_of(route), route) for room in all_rooms for route in room.routes),
        *more,
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    front.guard = Guard(
        Starlette(routes=routes, exception_handlers={HTTPException: _unknown}),
        password=password,
        limits=lambda method, path: limits.get((method, path), BODY_MAX),
    )
    return front.guard


async def _unknown(request: Request, error: Exception) -> Response:
    """Say what is not here, or not called like this, and where all calls are described."""
    assert isinstance(error, HTTPException)
    path = request.url.path[:_SHOWN_MAX]
    told = {
        404: f"there is nothing at {path}",
        405: f"{path} is not called by {request.method}",
    }.get(error.status_code, error.detail)
    if path.startswith("/api/"):
        return refusal(error.status_code, f"{told}; /api/openapi.json has all calls", error.headers)
    text = f"{told}; the pages begin at /\n"
    return PlainTextResponse(text, error.status_code, error.headers)


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(_: Request) -> Response:
        return FileResponse(STATIC / name, media_type="text/html; charset=utf-8")

    return page


def _call(path: str, route: Route) -> BaseRoute:
    async def call(request: Request) -> Response:
        return await answer(route, request)

    return Path_(path, call, methods=[route.method])


class _Front:
    """The calls that belong to no room."""

    guard: Guard

    def __init__(self, rooms: tuple[Room, ...], *, has_password: bool) -> None:
        self._rooms = rooms
        self._has_password = has_password
        self._pages = tuple(Page(room.name, room.title) for room in rooms if room.title)

    async def home(self, _: Request) -> Response:
        return RedirectResponse(f"/{self._pages[0].name}", 303)

    async def description(self, _: Request) -> Response:
        return Response(self._description(), media_type="application/json")

    async def colours(self, _: Request) -> Response:
        return Response(msgspec.json.encode(Colours(SHADES, DARK)), media_type="application/json")

    @cache  # noqa: B019 - there is one front per application
    def _description(self) -> bytes:
        return msgspec.json.encode(describe(self._rooms))

    async def about(self, request: Request) -> Response:
        session = request.scope["session"]
        about = About(
            proof=session.proof,
            trusted=session.trusted,
            password=self._has_password,
            pages=self._pages if session.trusted else (),
        )
        headers = {"cache-control": "no-store"}
        return Response(msgspec.json.encode(about), 200, headers, "application/json")

    async def log_in(self, call: Call) -> Response:
        done = self.guard.log_in(call.request, call.body.password)
        if done.wait_s:
            headers = {"retry-after": str(done.wait_s)}
            return refusal(TOO_MANY, f"too many wrong passwords: wait {done.wait_s} s", headers)
        if done.session is None:
            return refusal(UNKNOWN, "this is not the password")
        headers = {"set-cookie": cookie_header(call.request, done.session)}
        return Response(b"{}", 200, headers, "application/json")

    async def log_out(self, call: Call) -> dict[str, str]:
        self.guard.sessions.end(call.session)
        return {}
