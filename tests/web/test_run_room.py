"""The feed of the live run view."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from fleet.app.errors import CloudUnreachable
from fleet.web import run_room
from fleet.web.app import make_app
from fleet.web.run_room import RunRoom, make_room
from tests.web.client import browser
from tests.web.control_world import World


async def until(test: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not test():
            await asyncio.sleep(0.005)


def test_moments_and_lines_are_told_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_room, "TICK_S", 0.01)

    async def scene() -> bytes:
        world = World()
        room = RunRoom(world.premises, world.live, world.control)
        told = b""

        async def read() -> None:
            nonlocal told
            async for content in room._feed.read():
                told += content

        async with room.life():
            reading = asyncio.create_task(read())
            await until(lambda: b"event: moment" in told)
            world.told("something happened")
            await until(lambda: b"something happened" in told)
            await until(lambda: b'"used":3' in told)
            world.fleet.admin.failure = CloudUnreachable("away")
            await until(lambda: told.rpartition(b"data: ")[2].count(b'"quotas":null'))
            monkeypatch.setattr(run_room, "TICK_S", 60)
            await asyncio.sleep(0.03)
            world.told("the last words")
        await reading
        return told

    told = asyncio.run(scene())
    assert told.rstrip().endswith(b"event: ended\ndata: {}")
    assert told.count(b"something happened") == told.count(b"the last words") == 1
    assert told.split(b"event: ")[-3].startswith(b"moment"), "how it was when all was done"


def test_nobody_is_told_when_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_room, "TICK_S", 0.001)

    async def scene() -> None:
        world = World()
        room = RunRoom(world.premises, world.live, world.control)
        monkeypatch.setattr(room._view, "moment", lambda: pytest.fail("nobody asked"))
        async with room.life():
            await asyncio.sleep(0.02)

    asyncio.run(scene())


def test_calls() -> None:
    async def scene() -> None:
        world = World(playing=True)
        app = make_app([make_room(world.premises, world.live, world.control)])
        async with browser(app) as client:
            now = (await client.get("/api/run/now")).json()
            assert (now["scenario"], now["phase"]) == ("small", "start")
            past = (await client.get("/api/run/past")).json()
            assert past["lights"][0] == "off"
            page = await client.get("/run")
            assert page.status_code == 200
            assert b"/static/run.js" in page.content

    asyncio.run(scene())


def test_a_page_begins_with_the_moment() -> None:
    async def scene() -> bytes:
        world = World()
        room = RunRoom(world.premises, world.live, world.control)
        response = await room.feed(None)  # type: ignore[arg-type]
        parts = response.body_iterator  # type: ignore[attr-defined]
        await anext(parts)
        first = await anext(parts)
        await parts.aclose()
        return bytes(first)

    name, _, data = asyncio.run(scene()).partition(b"\n")
    assert name == b"event: moment"
    assert msgspec.json.decode(data.removeprefix(b"data: ").strip())["devices"] == 6
