"""The console's calls: each is passed on in the name of who is logged in, and nothing else is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fleet.cloud.edge.server import Ready
from fleet.cloud.history import DeviceEvent
from fleet.run.population import Population
from fleet.run.supervisor import Supervisor
from fleet.web import console_room
from fleet.web.console_room import LOG_ROWS_PER_CALL, PASSED, make_room, room_of
from fleet.web.desk import Desk
from fleet.web.premises import Premises
from tests.cloud.push_world import SECRET, PushWorld
from tests.cloud.support import (
    BUYER,
    CAMERA,
    OWNER,
    PARTNER,
    RECORDER,
    REPAIR,
    STRANGER,
    FakeDevice,
    World,
)
from tests.web.people_world import PEOPLE, Page, WorldCarrier, page_of

pytestmark = pytest.mark.anyio

HOSTILE = "<img src=x onerror=alert(1)>"


@asynccontextmanager
async def console(world: World, who: str = OWNER) -> AsyncIterator[Page]:
    """Give the console of a world, with `who` logged in."""
    page = page_of(room_of(Desk("console", WorldCarrier(world).link, PEOPLE)))
    async with page.client:
        await page.log_in_as(who)
        yield page


def test_the_calls_are_a_list_and_no_rule() -> None:
    assert len({(one.method, one.path) for one in PASSED}) == len(PASSED)
    assert all("login" not in one.path for one in PASSED)


async def test_nothing_is_passed_on_for_nobody() -> None:
    carrier = WorldCarrier(World())
    page = page_of(room_of(Desk("console", carrier.link, PEOPLE)))
    async with page.client:
        for one in PASSED:
            path = one.path.replace("{", "").replace("}", "")
            form: Any = {
                "kind": "partner", "grantee": "x", "products": [], "name": "x", "permissions": [],
                "scope": "account", "limit": 1, "version": "1", "size": 1,
            }  # fmt: skip
            said = await page.refused(one.method, path, form if one.body is not None else None)
            assert said["code"] == "no_session", one.path
    assert carrier.calls == []


async def test_no_other_call_of_the_cloud_can_be_made() -> None:
    async with console(World()) as page:
        for path in ("/unbind-tokens", "/console/v1/unbind-tokens", "/../app/v1/devices", "/audit"):
            assert (await page.call("GET", path)).status_code == 404, path


async def test_what_there_is_to_choose_from() -> None:
    async with console(World()) as page:
        choices = await page.get("/choices")
    assert choices["kinds"] == ["partner", "space", "origin"]
    assert choices["rights"] == {
        "partner": ["development", "purchase", "both"],
        "origin": ["unbind"],
    }
    assert {"unbind", "see_log"} <= {*choices["actions"]}
    assert "unbind" in choices["permissions"]


async def test_products_and_spaces_are_those_of_the_account() -> None:
    async with console(World(), REPAIR) as page:
        products = await page.get("/products")
        spaces = await page.get("/spaces")
    assert {one["right"] for one in products} == {"space: After sale"}
    assert [(one["owner"], one["role"]) for one in spaces] == [(OWNER, "After sale")]


async def test_a_grant_is_added_changed_and_deleted() -> None:
    async with console(World()) as page:
        form = {"kind": "partner", "grantee": STRANGER, "right": "purchase", "products": [CAMERA]}
        made = await page.post("/grants", form)
        assert made["role"] == "purchase"
        path = f"/grants/{made['grant_id']}"
        changed = await page.put(path, {"right": "both", "products": [CAMERA, RECORDER]})
        assert (changed["role"], changed["products"]) == ("both", [CAMERA, RECORDER])
        assert STRANGER in [one["grantee"] for one in await page.get("/grants")]
        assert await page.delete(path) == {"done": True}
        assert STRANGER not in [one["grantee"] for one in await page.get("/grants")]
        assert (await page.refused("DELETE", path))["code"] == "not_found"
        assert "JSON" in (await page.refused("POST", "/grants", {"kind": "partner"}))["error"]


async def test_a_role_is_added_changed_and_deleted() -> None:
    async with console(World()) as page:
        await page.post("/roles", {"name": HOSTILE, "permissions": ["unbind"]})
        await page.post("/roles", {"name": "a/b c", "permissions": ["see_data"]})
        roles = {one["name"]: one for one in await page.get("/roles")}
        assert roles[HOSTILE]["permissions"] == ["unbind"]
        assert roles["After sale"]["preset"]
        assert await page.delete("/roles/returns") == {"done": True}
        refused = await page.refused("POST", "/roles", {"name": "x", "permissions": ["fly"]})
        assert refused["code"] == "bad_request"
        assert refused["advice"]


async def test_quotas_are_raised_by_ticket() -> None:
    async with console(World()) as page:
        assert (await page.get("/quotas"))["account"] == {"used": 0, "limit": 100}
        await page.post("/tickets", {"scope": "account", "name": OWNER, "limit": 7})
        await page.post("/tickets", {"scope": "product", "name": CAMERA, "limit": 8})
        quotas = await page.get("/quotas")
        assert quotas["account"]["limit"] == 7
        assert {one["product_id"]: one["limit"] for one in quotas["products"]}[CAMERA] == 8
    async with console(World(), PARTNER) as page:
        form = {"scope": "product", "name": CAMERA, "limit": 9}
        refused = await page.refused("POST", "/tickets", form)
    assert refused["code"] == "no_permission"
    assert "ticket" in refused["error"]


async def test_batches_are_listed_and_cancelled_without_their_tokens() -> None:
    world = World()
    made = world.unbind_token(world.account(PARTNER))
    async with console(world, PARTNER) as page:
        (batch,) = await page.get("/batches")
        assert (batch["batch"], batch["used"], batch["max_devices"]) == (made["batch"], 0, 30)
        await page.delete(f"/batches/{made['batch']}")
        assert (await page.get("/batches"))[0]["cancelled"]
        assert (await page.refused("DELETE", "/batches/other"))["code"] == "not_found"
    assert made["token"].encode() not in page.seen


async def test_history_and_log_of_an_unbinding() -> None:
    world = World()
    token = world.unbind_token(world.account(REPAIR))
    device = FakeDevice(world, 0)
    device.activate(token["token"])
    world.unbind_token(world.account(BUYER))
    async with console(world) as page:
        (row,) = (await page.get(f"/history?batch={token['batch']}"))["rows"]
        assert (row["status"], row["uuid"], row["account"]) == ("ok", "uuid0000", REPAIR)
        log = await page.get("/devices/uuid0000/log")
        assert [one["event"] for one in log] == ["unbound"]
        assert (await page.refused("GET", "/devices/none/log"))["code"] == "no_permission"


async def test_a_long_log_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    count = LOG_ROWS_PER_CALL + 1

    def write(state: Any) -> None:
        for number in range(count):
            state.device_log.add("uuid0000", DeviceEvent.ONLINE, number, HOSTILE)

    world.rule(write)
    async with console(world) as page:
        kept = min(count, world.settings.device_log_rows_per_device_max)
        assert len(await page.get("/devices/uuid0000/log")) == kept
        monkeypatch.setattr(console_room, "LOG_ROWS_MAX", 10)
        monkeypatch.setattr(console_room, "LOG_ROWS_PER_CALL", 10)
        assert len(await page.get("/devices/uuid0000/log")) == 10


async def test_firmware_is_added_and_a_device_ordered_onto_it() -> None:
    async with console(World()) as page:
        path = f"/products/{CAMERA}/firmware"
        added = await page.post(path, {"version": "1.1.0", "size": 1000, "silent": True})
        assert (added["version"], added["silent"]) == ("1.1.0", True)
        assert [one["version"] for one in await page.get(path)] == ["1.1.0"]
        order = await page.post("/devices/uuid0000/upgrades", {"version": "1.1.0"})
        assert await page.get("/devices/uuid0000/upgrades") == [order]


async def test_projects_and_push_have_no_secret() -> None:
    world = PushWorld()
    world.happen()
    async with console(world) as page:
        (project,) = await page.get("/projects")
        (push,) = await page.get("/push")
    assert (project["name"], push["topics"][0]["unread"]) == ("app", 1)
    assert SECRET.encode() not in page.seen


async def test_why_somebody_may_or_may_not() -> None:
    async with console(World()) as page:
        may = await page.get("/explain?action=unbind&device=uuid0000")
        assert may["allowed"]
        may_not = await page.get(f"/explain?action=unbind&device=uuid0000&account={BUYER}")
        assert not may_not["allowed"]
        assert any("does not hold unbind" in line for line in may_not["lines"])
        assert "query" in (await page.refused("GET", "/explain?action=unbind&device="))["error"]
        assert (await page.refused("GET", "/explain?action=fly&device=x"))["code"] == "bad_request"


async def test_devices_of_the_own_fleet_are_offered() -> None:
    carrier = WorldCarrier(World())

    class Units:
        units = ()

    class Hands:
        open_link = carrier.link
        cloud = SimpleNamespace(ready=Ready("127.0.0.1", 80, 1883))

    premises = Premises(cast("Population", Units()), cast("Supervisor", Hands()), PEOPLE)
    page = page_of(make_room(premises))
    async with page.client:
        assert await page.get("/devices") == []
        await page.log_in_as(OWNER)
        assert len(await page.get("/products")) == 3
