"""A monitor before the lens of a real device: one page that shows a frame, and the calls that change it.

The calls below /devices/0 are those that every bench has for what is before a camera, so a test
script that holds codes to a simulated lens drives this monitor by another address and no other word.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta
from starlette.responses import Response

from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.scene import check_payload
from firmware_sim.errors import PeerError, UsageError
from firmware_sim.wire.provisioning import decode_qr
from fleet.app import qr
from fleet.web.feed import Feed, event
from fleet.web.pictures import BODY_MAX
from fleet.web.routes import Call, Room, Route

NAME = "monitor"
BENCH = "/devices/0"
UNREADABLE, WRONG_KIND = 422, 415
_NOBODY = "no browser shows the page of this monitor"
# What browsers show; how such files begin, and what they are called.
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"RIFF", "image/webp"),
)
Percent = Annotated[int, Meta(ge=5, le=100)]


class Look(msgspec.Struct, frozen=True):
    """How frames are shown: part of the shorter side, part of full white, colours turned around."""

    size_pct: Percent = 90
    brightness_pct: Percent = 100
    invert: bool = False
    black: bool = False
    """Black around the frame, and where there is none; else white."""


class Now(msgspec.Struct, frozen=True):
    """Which frame is shown, counted from 1, if one is."""

    number: int
    shown: bool


class Shown(msgspec.Struct, frozen=True):
    """Whether a frame is before the lens, and what the operator should know of it."""

    shown: bool
    problem: str


class Problem(msgspec.Struct, frozen=True):
    """Why a call did not do what was asked."""

    problem: str


class _Frame(NamedTuple):
    """A picture as browsers take it, and what a camera of this field thinks of its code."""

    content: bytes
    kind: str
    problem: str


class Monitor:
    """What is shown, and who looks at it. Close it at the end."""

    def __init__(self, look: Look, decoder: str) -> None:
        """Begin with nothing; pictures are checked with `decoder`."""
        self.look = look
        self.feed = Feed()
        self._reader = FrameReader(decoder, fresh=True)
        self._order = asyncio.Lock()
        self._frame: _Frame | None = None
        self._number = 0

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """End pages and processes at the end."""
        try:
            yield
        finally:
            self.feed.close()
            await self._reader.close()

    @property
    def now(self) -> Now:
        """Which frame is shown."""
        return Now(self._number, self._frame is not None)

    @property
    def shown(self) -> Shown:
        """Whether a camera has a frame before it, and what is wrong with that."""
        if self._frame is None:
            return Shown(shown=False, problem="")
        return Shown(shown=True, problem=self._frame.problem if len(self.feed) else _NOBODY)

    @property
    def picture(self) -> tuple[bytes, str] | None:
        """The picture that is shown and its type, None for none."""
        return None if self._frame is None else (self._frame.content, self._frame.kind)

    def show_text(self, payload: bytes) -> str:
        """Show a code that holds `payload`; return why a camera of this field ignores it, or "".

        Raises UsageError for what no code holds.
        """
        check_payload(payload)
        return self._show(_Frame(qr.picture(payload, "png", 1), "image/png", _ignored(payload)))

    async def show_picture(self, content: bytes, name: str = "the picture") -> str:
        """Show a picture as it is; return as `show_text` does.

        Raises UsageError, which begins with `name`, when no code can be read in it, or browsers do
        not show such files.
        """
        async with self._order:  # whoever came last is shown last
            payload = await self._reader.code_in(content, name)
            kind = next((kind for begin, kind in _KINDS if content.startswith(begin)), "")
            if not kind:
                raise UsageError(f"{name}: browsers show PNG, JPEG, GIF, BMP and WebP only")
            return self._show(_Frame(content, kind, _ignored(payload)))

    def hide(self) -> None:
        """Take the frame away."""
        self._show(None)

    def _show(self, frame: _Frame | None) -> str:
        self._frame = frame
        self._number += 1
        self.feed.publish("frame", self.now)
        return "" if frame is None else frame.problem


def _ignored(payload: bytes) -> str:
    try:
        decode_qr(payload)
    except PeerError as error:
        return f"a camera of this field ignores this code: {error}"
    return ""


def make_rooms(monitor: Monitor) -> tuple[Room, ...]:
    """Return the room of the page, and that of test scripts."""
    calls = _Calls(monitor)
    page = (
        Route("GET", "/look", "How frames are shown", calls.look, reply=Look),
        Route("GET", "/events", "Which frame is shown, as server-sent events", calls.events),
        Route("GET", "/picture", "The frame", calls.picture),
    )
    put = Route("PUT", "/frame", "Show a picture (image/*) or a code of a text", calls.put)
    bench = (
        put._replace(body=bytes, body_max=BODY_MAX),
        Route("DELETE", "/frame", "Take it away", calls.delete),
        Route("GET", "/frame", "What is shown", calls.get, reply=Shown),
    )
    return (
        Room(NAME, "Monitor", "monitor.html", page, monitor.life),
        Room("bench", "", "", bench, root=BENCH),
    )


class _Calls:
    """What the calls do."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    async def look(self, _: Call) -> Look:
        return self._monitor.look

    async def events(self, _: Call) -> Response:
        return self._monitor.feed.response(event("frame", self._monitor.now))

    async def picture(self, _: Call) -> Response:
        shown = self._monitor.picture
        if shown is None:
            return Response(status_code=204)
        content, kind = shown
        return Response(content, media_type=kind)

    async def put(self, call: Call) -> Response:
        kind = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if kind == "text/plain":
                self._monitor.show_text(call.body)
            elif kind.startswith("image/"):
                await self._monitor.show_picture(call.body)
            else:
                return _problem(WRONG_KIND, "send a picture as image/*, or a text as text/plain")
        except UsageError as error:
            return _problem(UNREADABLE, str(error))
        return Response(status_code=204)

    async def delete(self, _: Call) -> Response:
        self._monitor.hide()
        return Response(status_code=204)

    async def get(self, _: Call) -> Shown:
        return self._monitor.shown


def _problem(status: int, text: str) -> Response:
    return Response(msgspec.json.encode(Problem(text)), status, media_type="application/json")
