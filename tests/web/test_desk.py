"""Logging in at the cloud from a page: who is offered, who gets in, and what a page never hears."""

from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.edge.server import Ready
from fleet.run.supervisor import Supervisor
from fleet.web.app import make_app
from fleet.web.desk import Desk, Login, Visitor, way_to
from fleet.web.routes import Call, Room, Route
from tests.cloud.support import OWNER, PARTNER, PASSWORD, REPAIR, STRANGER, World
from tests.web.client import browser
from tests.web.people_world import PEOPLE, Page, WorldCarrier, page_of

pytestmark = pytest.mark.anyio


def make(world: World, name: str = "desk") -> tuple[Room, WorldCarrier]:
    carrier = WorldCarrier(world)
    desk = Desk(name, carrier.link, PEOPLE)

    async def products(visitor: Visitor, _: Call) -> int:
        return len(await visitor.account.products())

    route = Route("GET", "/products", "How many", desk.over(products), reply=int)
    return Room(name, "Desk", "login.html", (*desk.routes(), route), desk.life), carrier


async def test_accounts_of_the_fleet_log_in_by_a_click_and_no_secret_reaches_the_page() -> None:
    room, carrier = make(World())
    page = page_of(room)
    async with page.client, room.life():
        who = await page.get("/who")
        assert who["account"] is None
        assert [one["name"] for one in who["people"]] == ["maker", "partner", "repair", "buyer"]
        assert (await page.refused("GET", "/products"))["code"] == "no_session"
        entered = await page.post("/login-as", {"name": REPAIR})
        assert entered["account"] == {"name": REPAIR, "role": "after_sale"}
        assert await page.get("/products") == 3
        session = carrier.world.account(REPAIR)
    assert PASSWORD.encode() not in page.seen
    assert session.encode() not in page.seen
    assert carrier.closed


async def test_any_account_logs_in_by_its_password() -> None:
    room, _ = make(World())
    page = page_of(room)
    async with page.client:
        wrong = await page.refused("POST", "/login", {"name": STRANGER, "password": "no"})
        assert (wrong["code"], wrong["advice"]) == ("bad_login", "Check name and password.")
        assert (await page.get("/who"))["account"] is None
        entered = await page.post("/login", {"name": STRANGER, "password": PASSWORD})
        assert entered["account"] == {"name": STRANGER, "role": ""}
        assert (await page.post("/logout", {}))["account"] is None
        assert (await page.refused("GET", "/products"))["code"] == "no_session"


async def test_only_accounts_of_the_fleet_need_no_password() -> None:
    room, _ = make(World())
    page = page_of(room)
    async with page.client:
        for name in (STRANGER, "user0", "nobody"):
            assert (
                "made up no such"
                in (await page.refused("POST", "/login-as", {"name": name}))["error"]
            )
        assert "64" in (await page.refused("POST", "/login-as", {"name": "x" * 65}))["error"]


async def test_an_account_whose_password_was_changed_is_told_so() -> None:
    carrier = WorldCarrier(World())
    people = [person for person in PEOPLE if person.name != OWNER]
    strange = type(people[0])("made-up", "wrong", "owner")
    desk = Desk("desk", carrier.link, [strange])
    page = page_of(Room("desk", "Desk", "login.html", desk.routes(), desk.life))
    async with page.client:
        assert (await page.refused("POST", "/login-as", {"name": "made-up"}))["code"] == "bad_login"


async def test_each_browser_and_each_room_has_its_own_person() -> None:
    world = World()
    room, _ = make(world)
    other, _ = make(world, "other")
    app = make_app([room, other])
    async with browser(app) as one, browser(app) as two:
        first, second, there = Page(one, "desk"), Page(two, "desk"), Page(one, "other")
        await first.log_in_as(OWNER)
        await there.log_in_as(PARTNER)
        assert (await first.get("/who"))["account"]["name"] == OWNER
        assert (await there.get("/who"))["account"]["name"] == PARTNER
        assert (await second.get("/who"))["account"] is None


async def test_pages_of_others_cannot_log_anybody_in() -> None:
    room, _ = make(World())
    async with browser(make_app([room])) as client:
        reply = await client.post("/api/desk/login-as", content=b'{"name":"maker"}')
    assert reply.status_code == httpx.codes.FORBIDDEN


async def test_a_desk_nobody_came_to_has_nothing_to_close() -> None:
    room, carrier = make(World())
    async with room.life():
        pass
    assert not carrier.closed


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Login("ann", "secret"))


def test_a_cloud_that_is_not_up_yet_is_said_to_be_so() -> None:
    carrier = WorldCarrier(World())
    cloud = SimpleNamespace(ready=Ready("", 0, 0))
    fleet = SimpleNamespace(cloud=cloud, open_link=carrier.link)
    open_link = way_to(cast("Supervisor", fleet))
    with pytest.raises(UsageError, match="not up yet"):
        open_link(1.0)
    cloud.ready = Ready("127.0.0.1", 80, 1883)
    assert open_link(1.0).patience_s == 1.0
