"""Rows of the history in words, page by page."""

from typing import Any

import pytest

from fleet.app.messages import HistoryRow
from fleet.web.desk import Desk, Visitor
from fleet.web.operations import ROWS_PER_PAGE, page, told
from fleet.web.routes import Call, Room, Route
from tests.cloud.support import OWNER, PASSWORD, FakeDevice, World, seed
from tests.web.people_world import PEOPLE, Page, WorldCarrier, page_of

pytestmark = pytest.mark.anyio


def at(world: World) -> Page:
    desk = Desk("past", WorldCarrier(world).link, PEOPLE)

    async def rows(visitor: Visitor, call: Call) -> object:
        return await page(visitor.account, call)

    routes = (*desk.routes(), Route("GET", "/history", "Rows", desk.over(rows)))
    return page_of(Room("past", "Past", "login.html", routes))


def test_a_refused_row_says_why_and_what_to_do() -> None:
    row = told(HistoryRow(1, 2, "unbind", "refused", reason="account_quota", tries=3))
    assert (row.why, row.tries) == ("the account has used its quota of today", 3)
    assert "ticket" in row.advice
    done = told(HistoryRow(1, 2, "unbind", "ok"))
    assert (done.why, done.advice) == ("", "")


async def test_pages_are_newest_first_and_join() -> None:
    world = World(start=seed(1))
    session = world.account(OWNER)
    token = world.unbind_token(session)
    FakeDevice(world, 0).activate(token["token"])
    device = FakeDevice(world, 0)
    for _ in range(ROWS_PER_PAGE):
        dead = world.unbind_token(session)
        world.get("DELETE", f"/console/v1/unbind-tokens/{dead['batch']}", None, session)
        device.activate(dead["token"])
        world.now_ms += 1000
    looker = at(world)
    async with looker.client:
        await looker.log_in_as(OWNER)
        first: dict[str, Any] = await looker.get("/history")
        assert len(first["rows"]) == ROWS_PER_PAGE
        assert first["rows"][0]["reason"] == "token_dead"
        last = await looker.get(f"/history?after={first['next']}")
        assert ([row["status"] for row in last["rows"]], last["next"]) == (["ok"], None)
        batch = await looker.get(f"/history?batch={token['batch']}&status=ok")
        assert [row["uuid"] for row in batch["rows"]] == ["uuid0000"]
    assert PASSWORD.encode() not in looker.seen


@pytest.mark.parametrize("query", ["status=odd", "after=-1", "after=x", f"batch={'x' * 65}"])
async def test_what_is_no_question_is_refused(query: str) -> None:
    looker = at(World())
    async with looker.client:
        await looker.log_in_as(OWNER)
        assert "query" in (await looker.refused("GET", f"/history?{query}"))["error"]
