"""The search behind the page's list: one for all, as long as somebody looks."""

import asyncio

import pytest

from firmware_sim.errors import UsageError
from fleet.web.lan_search import Search
from tests.web.bench_world import Air

pytestmark = pytest.mark.anyio


async def test_browsers_share_one_search_and_its_list_is_in_order() -> None:
    air = Air()
    search = Search(air.search)
    async with search.life():
        assert [*await asyncio.gather(search.found(), search.found())] == [[], []]
        air.announce("uuid2", "127.0.0.10", "p")
        air.announce("uuid1", "127.0.0.9", "p")
        assert [one.uuid for one in await search.found()] == ["uuid1", "uuid2"]
        assert [one.ip for one in search.select(["uuid2", "none"])] == ["127.0.0.10"]
        air.announce("uuid2", "127.0.0.10", "p", active=2)
        assert search.select(["uuid2"]) == ()
        assert (air.searches, len(air.ears)) == (1, 1)
    assert air.ears == []


async def test_it_ends_when_nobody_looks_and_begins_anew() -> None:
    air = Air()
    search = Search(air.search, idle_s=0.01)
    async with search.life():
        await search.found()
        air.announce("uuid1", "127.0.0.9", "p")
        while air.ears:
            await asyncio.sleep(0.001)
        assert search.select(["uuid1"]) == ()
        assert await search.found() == []
        assert air.searches == 2
    assert air.ears == []


async def test_a_port_that_somebody_holds_is_told_and_tried_again() -> None:
    air = Air()
    search = Search(air.search)
    air.refuses = UsageError("port 6666 is taken")
    async with search.life():
        with pytest.raises(UsageError, match="taken"):
            await search.found()
        air.refuses = None
        assert await search.found() == []


async def test_a_search_that_nobody_asked_for_needs_no_end() -> None:
    air = Air()
    async with Search(air.search).life():
        assert air.searches == 0
