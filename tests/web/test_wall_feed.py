"""The wall's feed: what is told once, how much at most, and who has to read anew."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from struct import iter_unpack
from typing import Any, cast

import pytest

from fleet.run.stage import WAREHOUSE
from fleet.run.supervisor import Supervisor
from fleet.run.watch import REMOVED
from fleet.web import wall_feed
from fleet.web.premises import Premises
from fleet.web.wall_feed import (
    GONE,
    QUEUE_MAX,
    SHAPES,
    TICK_BYTES_MAX,
    TICK_S,
    Shape,
    WallFeed,
)
from tests.web.wall_world import T0_MS, World

pytestmark = pytest.mark.anyio


class Page:
    """One page: it reads what has come since it did so before."""

    def __init__(self, feed: WallFeed) -> None:
        self.stream = cast("AsyncIterator[bytes]", feed.response().body_iterator)

    async def read(self) -> bytes:
        return await asyncio.wait_for(anext(self.stream), 5)

    async def events(self) -> list[tuple[str, Any]]:
        blocks = (await self.read()).decode().strip().split("\n\n")
        lines = [block.split("\n") for block in blocks]
        return [(name[7:], json.loads(data[6:])) for name, data in lines]


async def page_of(feed: WallFeed) -> tuple[Page, dict[str, Any]]:
    page = Page(feed)
    assert (await page.read()).startswith(b"retry")
    [(name, told)] = await page.events()
    assert name == "all"
    return page, told


def premises_of(world: World) -> Premises:
    return Premises(world.population, cast("Supervisor", world), ())


def feed_of(world: World) -> WallFeed:
    return WallFeed(premises_of(world))


def moved(told: dict[str, Any]) -> list[tuple[int, str]]:
    rows = iter_unpack("<HH", base64.b64decode(told["moved"]))
    return [(index, told["batches"][str(number)]) for index, number in rows]


def changed(told: dict[str, Any]) -> list[tuple[int, Shape, int]]:
    rows = iter_unpack("<HBH", base64.b64decode(told["rows"]))
    return [(index, SHAPES[shape], ago_ms) for index, shape, ago_ms in rows]


async def test_a_page_is_told_everything_first() -> None:
    world = World(4)
    feed = feed_of(world)
    world.enter(2, "WAITING", "waiting", "waiting")
    world.shard.hands[3].site = WAREHOUSE
    world.watch.begin_batch("b-1", [1, 3])
    world.now += 1500
    _, told = await page_of(feed)
    rows = [
        (SHAPES[shape], age_ms, told["batches"][str(batch)])
        for shape, age_ms, batch in iter_unpack("<BIH", base64.b64decode(told["rows"]))
    ]
    assert (told["wall"], told["at_ms"]) == (feed.name, T0_MS + 1500)
    assert rows[2] == (Shape("waiting", "WAITING", "waiting", "homes"), 1500, "")
    assert rows[3][0] == Shape("off", "OFF", "", "warehouse")
    assert rows[0][1] == 0xFFFFFFFF  # nobody knows since when
    assert [batch for _, _, batch in rows] == ["", "b-1", "", "b-1"]


async def test_what_changes_several_times_is_told_once_as_it_is_now() -> None:
    world = World(4)
    feed = feed_of(world)
    page, _ = await page_of(feed)
    for lifecycle, light in (("BOOTING", "booting"), ("WAITING", "waiting"), ("OFF", "off")):
        world.enter(1, lifecycle, light, "waiting" if light == "waiting" else "")
    world.now += 40
    world.enter(3, "BOOTING", "booting")
    feed.tell()
    [(name, told)] = await page.events()
    assert (name, told["at_ms"]) == ("some", T0_MS + 40)
    assert changed(told) == [
        (1, Shape("off", "OFF", "", "homes"), 40),
        (3, Shape("booting", "BOOTING", "", "homes"), 0),
    ]
    feed.tell()
    world.enter(0, "BOOTING", "booting")
    feed.tell()
    [(_, told)] = await page.events()  # there was nothing to tell in between
    assert [index for index, _, _ in changed(told)] == [0]


async def test_blinking_goes_on_when_a_state_changes_and_the_light_does_not() -> None:
    world = World(4)
    feed = feed_of(world)
    world.enter(0, "REJOINING", "reconnecting")
    page, _ = await page_of(feed)
    world.now += 700
    world.enter(0, "ONLINE", "reconnecting")
    feed.tell()
    [(_, told)] = await page.events()
    assert changed(told) == [(0, Shape("reconnecting", "ONLINE", "", "homes"), 700)]


async def test_a_batch_is_told_once_with_the_next_change_of_its_devices() -> None:
    world = World(4)
    feed = feed_of(world)
    page, _ = await page_of(feed)
    world.watch.begin_batch("b-7", [0, 2])
    for index in (2, 0):
        world.enter(index, "JOINING", "joining", "unbinding")
    feed.tell()
    [(_, told)] = await page.events()
    assert moved(told) == [(2, "b-7"), (0, "b-7")]
    world.enter(2, "ACTIVATING", "registering", "unbinding")
    feed.tell()
    [(_, told)] = await page.events()
    assert (moved(told), told["batches"]) == ([], {})


@pytest.mark.parametrize("batches", [0, 350, 10_000])
async def test_the_busiest_fleet_of_10000_stays_under_300_kilobytes_a_second(batches: int) -> None:
    world = World(10_000)
    feed = feed_of(world)
    page, _ = await page_of(feed)
    told_bytes, ticks = 0, 4
    for tick in range(ticks):  # in each of them everybody changes, most get into another batch
        world.now += 250
        for index in range(10_000):
            world.enter(index, "JOINING", "joining", "unbinding")
            if batches:
                world.watch.begin_batch(f"b-{tick:08d}-{index % batches:06d}", [index])
        feed.tell()
        told_bytes += len(await page.read())
    assert 200_000 < told_bytes / (ticks * TICK_S) < 300_000


async def test_what_did_not_fit_is_told_next_and_nobody_twice() -> None:
    fit = TICK_BYTES_MAX // 5
    world = World(fit + 10)
    feed = feed_of(world)
    page, _ = await page_of(feed)
    for index in range(fit + 10):
        world.enter(index, "BOOTING", "booting")
    feed.tell()
    [(_, first)] = await page.events()
    world.enter(0, "WAITING", "waiting", "waiting")
    feed.tell()
    [(_, second)] = await page.events()
    assert [index for index, _, _ in changed(first)] == list(range(fit))
    assert [index for index, _, _ in changed(second)] == [*range(fit, fit + 10), 0]


async def test_batches_that_nobody_is_in_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_feed, "BATCHES_MAX", 4)
    world = World(4)
    feed = feed_of(world)
    page, _ = await page_of(feed)
    for batch in ("a", "b", "c", "d"):
        world.watch.begin_batch(batch, [1])
        world.enter(1, "BOOTING", "booting")
        feed.tell()
    events = await page.events()
    assert [name for name, _ in events] == ["some", "some", "some", "lost", "some"]
    assert moved(events[2][1]) == [(1, "c")]
    _, told = await page_of(feed)
    assert told["batches"] == {"0": "", "1": "d"}


async def test_a_page_that_does_not_keep_up_is_told_to_read_anew() -> None:
    world = World(4)
    feed = feed_of(world)
    page, _ = await page_of(feed)
    for _ in range(QUEUE_MAX + 1):
        world.enter(0, "BOOTING", "booting")
        feed.tell()
    assert [name for name, _ in await page.events()] == ["lost", "some"]


async def test_devices_that_have_come_make_pages_read_anew() -> None:
    world, larger = World(4), World(6)
    premises = premises_of(world)
    feed = WallFeed(premises)
    page, _ = await page_of(feed)
    world.watch.grow(6)
    world.enter(5, "BOOTING", "booting")  # it is not on the premises yet
    world.enter(0, "BOOTING", "booting")
    feed.tell()
    [(_, told)] = await page.events()
    assert [index for index, _, _ in changed(told)] == [0]
    premises.population = larger.population
    world.shard.hands = larger.shard.hands
    feed.tell()
    assert await page.events() == [("lost", {})]
    _, told = await page_of(feed)
    rows = list(iter_unpack("<BIH", base64.b64decode(told["rows"])))
    assert [SHAPES[shape].light for shape, _, _ in rows[4:]] == ["off", "booting"]


async def test_devices_that_were_taken_away_are_told_to_be_gone() -> None:
    world = World(4)
    feed = feed_of(world)
    page, _ = await page_of(feed)
    world.watch.gone([2], world.now, REMOVED)
    feed.tell()
    [(_, told)] = await page.events()
    assert [(index, shape) for index, shape, _ in changed(told)] == [(2, GONE)]


async def test_it_ticks_while_it_lives_and_ends_its_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wall_feed, "TICK_S", 0)
    world = World(4)
    feed = feed_of(world)
    async with feed.life():
        page, _ = await page_of(feed)
        world.enter(1, "BOOTING", "booting")
        [(name, _)] = await page.events()
        assert name == "some"
    with pytest.raises(StopAsyncIteration):
        await page.read()
