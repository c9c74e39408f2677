"""Who looks on while a fleet runs: rooms, place and password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from fleet.run.attendance import Pages
from fleet.web import attend
from fleet.web.attend import attendance, rooms_of
from tests.web.control_world import World


def test_rooms_of_a_live_fleet() -> None:
    world = World(playing=True)
    rooms = rooms_of(world.premises, world.live)
    assert [room.name for room in rooms] == ["run", "wall", "console", "app", "demo", "fleet"]
    assert [room.name for room in rooms if not room.title] == ["fleet"], "it has no page"


class Socket:
    """What would listen."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Socket:
    one = Socket()
    monkeypatch.setattr(attend, "listen", lambda _: one)
    monkeypatch.setattr(attend, "usual_place", lambda _: one)

    @asynccontextmanager
    async def serving(_app: object, place: object) -> AsyncIterator[str]:
        assert place is one
        yield "http://there"

    monkeypatch.setattr(attend, "serving", serving)
    monkeypatch.setattr(attend, "rooms_of", lambda _premises, _live: [])
    monkeypatch.setattr(attend, "make_app", lambda _rooms, **_: nullcontext())
    return one


def visit(where: str | None, password_file: Path | None = None, password: str = "") -> Any:
    """Look on, and return what the fleet is told, and what it has told."""
    world = World()

    async def run() -> Pages:
        with attendance(where, password_file, password) as attend_:
            async with attend_(world.live) as pages:
                return pages

    return asyncio.run(run()), world


def test_on_this_machine_no_password_is_asked_for(listener: Socket) -> None:
    pages, world = visit(None)
    assert pages == Pages("http://there", "")
    assert world.said == ["pages: http://there"]
    assert listener.closed


def test_elsewhere_a_password_is_made_and_said_once(listener: Socket) -> None:
    pages, world = visit("0.0.0.0:0")
    assert len(pages.password) >= 12
    assert world.said == ["pages: http://there", f"password of the pages: {pages.password}"]
    assert [line.text for line in world.told.lines] == ["pages: http://there"]
    assert pages.password not in repr(pages)


def test_a_password_that_is_given_is_not_said(listener: Socket, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\nand more\n")
    for arguments in (("0.0.0.0:0", file), ("0", None, "from a file")):
        pages, world = visit(*arguments)
        assert pages.password == "from a file"
        assert world.said == ["pages: http://there"]


def test_the_place_is_given_back_when_nothing_starts(listener: Socket) -> None:
    with pytest.raises(UsageError, match="no LAN"), attendance(None, None, ""):
        raise UsageError("no LAN")
    assert listener.closed


def test_a_place_that_is_none() -> None:
    with pytest.raises(UsageError, match="is no place"), attendance("here", None, ""):
        pass
