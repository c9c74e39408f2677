"""The Developer app page: unbinding by code and by wire, each device's outcome, and what is hidden."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from firmware_sim.wire.provisioning import decode_qr
from fleet.app.console_client import ConsoleClient
from fleet.app.errors import CloudUnreachable
from fleet.cloud.edge.server import Ready
from fleet.run.population import Network
from fleet.run.supervisor import Supervisor
from fleet.run.watch import Watch
from fleet.web import app_work
from fleet.web.app_room import Bench, make_room
from fleet.web.desk import Desk
from fleet.web.lan_search import Search
from fleet.web.lenses import Lenses
from fleet.web.premises import Premises
from tests.cloud.support import BUYER, CAMERA, REPAIR, FakeDevice, World
from tests.web.bench_world import Air, FakeHands, cameras, population, waits, watch
from tests.web.people_world import PEOPLE, Page, WorldCarrier, page_of
from tests.web.test_app_work import hand_over

pytestmark = pytest.mark.anyio

SECRET = "wifi-geheim"
LENS = cameras()[0]


class Stage:
    """The page of a world, with what is around it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hands = FakeHands()
        self.watch: Watch = watch()
        self.air = Air()
        self.bench = Bench(
            Desk("app", WorldCarrier(world).link, PEOPLE),
            Search(self.air.search),
            Lenses(population, self.hands, self.watch),
            lambda: Network("Werkstatt", SECRET),
            lambda: {CAMERA: "Camera"},
            lambda: world.now_ms,
        )


@asynccontextmanager
async def at(world: World, who: str = REPAIR) -> AsyncIterator[tuple[Page, Stage]]:
    """Give the page, with `who` logged in."""
    stage = Stage(world)
    room = stage.bench.room()
    page = page_of(room)
    async with page.client, room.life():
        await page.log_in_as(who)
        yield page, stage


async def end_of(page: Page, run: dict[str, Any]) -> dict[str, Any]:
    """Look at a run until it is over; without sockets, others get their turn only here."""
    for _ in range(100):
        if run["over"]:
            return run
        await asyncio.sleep(0)
        run = await page.get(f"/runs/{run['run']}")
    raise AssertionError(run)


async def test_a_batch_by_code_from_the_order_to_the_history() -> None:
    async with at(World()) as (page, stage):
        assert (await page.get("/place"))["ssid"] == "Werkstatt"
        code = await page.post("/codes", {"own_wifi": True, "max_devices": 2})
        assert (code["used"], code["max_devices"], code["alive"]) == (0, 2, True)
        assert code["expires_ms"] > code["now_ms"] == stage.world.now_ms
        waits(stage.watch, LENS)
        held = await page.post(f"/codes/{code['batch']}/hold", {"uuids": [LENS.uuid]})
        assert held == {"cameras": 1}
        token = stage.hands.token(LENS.index)
        for number in (0, 1, 2):
            FakeDevice(stage.world, number).activate(token)
        batch = await page.get(f"/batches/{code['batch']}")
        assert (batch["used"], batch["alive"], batch["ssid"]) == (2, False, "Werkstatt")
        by_uuid = {one["uuid"]: one for one in batch["devices"]}
        assert by_uuid["uuid0000"]["status"] == "ok"
        assert by_uuid["uuid0000"]["product_id"] == "Camera"
        assert by_uuid["uuid0002"]["reason"] == "token_full"
        assert "another code" in by_uuid["uuid0002"]["advice"]
        assert (await page.get("/quotas"))["account"]["used"] == 2
        history = await page.get("/history?status=ok")
        assert [one["product_id"] for one in history["rows"]] == ["Camera", "Camera"]
    assert SECRET.encode() not in page.seen
    assert token.encode() not in page.seen


async def test_the_picture_holds_what_was_typed_in_and_is_kept_nowhere() -> None:
    async with at(World()) as (page, stage):
        form = {"ssid": "Café", "password": "geheim"}
        code = await page.post("/codes", form)
        reply = await page.call("GET", f"/codes/{code['batch']}/code.svg")
        assert reply.headers["content-type"] == "image/svg+xml"
        assert reply.headers["cache-control"] == "no-store"
        assert b"<svg" in reply.content[:200]
        waits(stage.watch, LENS)
        await page.post(f"/codes/{code['batch']}/hold", {"uuids": [LENS.uuid]})
        payload = stage.hands.seen[LENS.index]
        assert payload is not None
        inside = decode_qr(payload)
        assert (inside.ssid, inside.password) == ("Café", "geheim")
        await page.post("/logout", {})
        await page.log_in_as(REPAIR)
        gone = await page.refused("GET", f"/codes/{code['batch']}/code.svg")
        assert "make a new one" in gone["error"]
        assert (await page.get(f"/batches/{code['batch']}"))["ssid"] == ""


async def test_a_code_is_cancelled() -> None:
    async with at(World()) as (page, _):
        code = await page.post("/codes", {"own_wifi": True})
        left = await page.delete(f"/batches/{code['batch']}")
        assert (left["cancelled"], left["alive"]) == (True, False)
        assert (await page.refused("GET", "/batches/none"))["code"] == "not_found"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "which Wi-Fi"),
        ({"ssid": "é" * 17}, "32 bytes"),
        ({"ssid": "x" * 33}, "length <= 32"),
        ({"own_wifi": True, "max_devices": 31}, "<= 30"),
        ({"own_wifi": True, "max_devices": 0}, ">= 1"),
        ({"own_wifi": True, "life_s": 10**9}, "lives 1"),
    ],
)
async def test_what_is_no_code(form: dict[str, object], words: str) -> None:
    async with at(World()) as (page, _):
        assert words in (await page.refused("POST", "/codes", form))["error"]


async def test_who_may_not_unbind_reads_why() -> None:
    async with at(World(), BUYER) as (page, stage):
        code = await page.post("/codes", {"own_wifi": True})
        waits(stage.watch, LENS)
        await page.post(f"/codes/{code['batch']}/hold", {"uuids": [LENS.uuid]})
        FakeDevice(stage.world, 0).activate(stage.hands.token(LENS.index))
        (row,) = (await page.get(f"/batches/{code['batch']}"))["devices"]
    assert (row["status"], row["reason"]) == ("refused", "no_permission")
    assert "may not do this" in row["why"]
    assert "After sale" in row["advice"]


async def test_cameras_are_those_of_the_fleet() -> None:
    async with at(World()) as (page, _):
        listed = await page.get("/cameras")
        assert {one["uuid"] for one in listed} == {one.uuid for one in cameras()}
        code = await page.post("/codes", {"own_wifi": True})
        path = f"/codes/{code['batch']}/hold"
        assert "reset" in (await page.refused("POST", path, {"uuids": [LENS.uuid]}))["error"]
        assert "length" in (await page.refused("POST", path, {"uuids": []}))["error"]
        assert "length" in (await page.refused("POST", path, {"uuids": ["x"] * 31}))["error"]


async def test_a_run_by_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(app_work, "send_tokens", hand_over(world))
    async with at(world) as (page, stage):
        assert await page.get("/wired") == []
        for number in (0, 1):
            stage.air.announce(f"uuid{number:04}", f"127.0.0.{number + 1}", CAMERA)
        listed = await page.get("/wired")
        assert [(one["uuid"], one["product"], one["unbound"]) for one in listed] == [
            ("uuid0000", "Camera", False),
            ("uuid0001", "Camera", False),
        ]
        run = await page.post("/runs", {"uuids": ["uuid0000"]})
        assert [one["outcome"] for one in run["devices"]] == ["waiting"]
        run = await end_of(page, run)
        assert [(one["outcome"], one["why"]) for one in run["devices"]] == [("unbound", "")]
        assert [one["unbound"] for one in await page.get("/wired")] == [True, False]
        again = await page.post("/runs", {"uuids": ["uuid0000", "uuid0000"]})
        again = await end_of(page, again)
        (errand,) = again["devices"]
        assert (errand["outcome"], errand["reason"]) == ("refused", "not_bound")
        assert errand["advice"]


async def test_a_run_ends_with_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def send(_: object, token: str, *, on_delivery: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(f"{len(token)} {on_delivery is not None}")

    monkeypatch.setattr(app_work, "send_tokens", send)
    async with at(World()) as (page, stage):
        await page.get("/wired")
        stage.air.announce("uuid0000", "127.0.0.1", CAMERA)
        await page.post("/runs", {"uuids": ["uuid0000"]})
        for _ in range(20):
            await asyncio.sleep(0)
        assert ended == []
    assert ended == ["14 True"]


async def test_a_run_while_the_cloud_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at(World()) as (page, stage):
        await page.get("/wired")
        stage.air.announce("uuid0000", "127.0.0.1", CAMERA)

        async def away(*_: object, **__: object) -> None:
            raise CloudUnreachable("no answer within 5 s")

        monkeypatch.setattr(ConsoleClient, "unbind_token", away)
        run = await end_of(page, await page.post("/runs", {"uuids": ["uuid0000"]}))
    (errand,) = run["devices"]
    assert (errand["outcome"], errand["reason"]) == ("refused", "")
    assert errand["why"] == "no answer within 5 s"


async def test_what_cannot_be_run() -> None:
    async with at(World()) as (page, _):
        gone = await page.refused("POST", "/runs", {"uuids": ["uuid0000"]})
        assert "1 of the 1 devices do not wait" in gone["error"]
        assert "length" in (await page.refused("POST", "/runs", {"uuids": ["x"] * 601}))["error"]
        assert "no longer kept" in (await page.refused("GET", "/runs/9"))["error"]


async def test_a_spent_token_is_the_outcome_of_its_devices() -> None:
    world = World()
    limit = world.settings.tokens_per_subject_max
    async with at(world) as (page, stage):
        session = world.account(REPAIR)
        for _ in range(limit):
            world.unbind_token(session)
        await page.get("/wired")
        stage.air.announce("uuid0000", "127.0.0.1", CAMERA)
        run = await page.post("/runs", {"uuids": ["uuid0000"]})
        run = await end_of(page, run)
    (errand,) = run["devices"]
    assert (errand["outcome"], errand["reason"]) == ("refused", "too_many")
    assert "cancel" in errand["why"].lower()


async def test_the_room_of_a_fleet() -> None:
    carrier = WorldCarrier(World())

    class Crew(FakeHands):
        open_link = carrier.link
        cloud = SimpleNamespace(ready=Ready("127.0.0.1", 80, 1883))
        network = "127.0.0.0/8"

        def __init__(self) -> None:
            super().__init__()
            self.watch = watch()

    premises = Premises(population(), cast("Supervisor", Crew()), PEOPLE)
    page = page_of(make_room(premises))
    async with page.client:
        assert (await page.get("/place"))["ssid"] == population().warehouse.ssid
        assert (await page.refused("GET", "/cameras"))["code"] == "no_session"
        await page.log_in_as(REPAIR)
        assert len(await page.get("/cameras")) == len(cameras())
        assert (await page.get("/history"))["rows"] == []
