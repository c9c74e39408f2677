"""The light wall's calls: who is there, a life line, what the cloud has noted."""

import asyncio
from typing import Any, cast

import pytest

from firmware_sim.device.indicator import LIGHTS
from fleet.app.messages import LogRow
from fleet.cloud.api.admin_api import Audit
from fleet.run.messages import Heard
from fleet.run.supervisor import Supervisor
from fleet.web import wall
from fleet.web.app import make_app
from fleet.web.premises import Premises
from fleet.web.routes import Room
from fleet.web.wall import LOG_ROWS_MAX, make_room
from tests.web.client import browser
from tests.web.wall_world import T0_MS, World

pytestmark = pytest.mark.anyio


def room_of(world: World) -> Room:
    return make_room(Premises(world.population, cast("Supervisor", world), ()))


async def get(world: World, path: str, room: Room | None = None) -> tuple[int, dict[str, Any]]:
    async with browser(make_app([room or room_of(world)])) as client:
        reply = await client.get(f"/api/wall{path}")
    return reply.status_code, reply.json()


async def test_the_page_is_there() -> None:
    async with browser(make_app([room_of(World(4))])) as client:
        page = await client.get("/wall")
    assert 'id="wall"' in page.text


async def test_everybody_on_the_wall_has_names_a_product_and_lights() -> None:
    world = World(8)
    _, told = await get(world, "/fleet")
    units = world.population.units
    assert told["uuids"] == [unit.uuid for unit in units]
    assert told["dev_ids"] == [unit.dev_id for unit in units]
    names = [told["products"][number]["name"] for number in told["of_product"]]
    assert names == [unit.product.name for unit in units]
    for product in told["products"]:
        assert tuple(product["lights"]) == LIGHTS
    assert told["products"][0]["lights"]["waiting"]["mode"] == "blink"
    assert {shape["light"] for shape in told["shapes"]} == {"", *LIGHTS}
    assert told["name"] != (await get(world, "/fleet"))[1]["name"]  # of another room
    assert units[0].auth_key not in str(told)


async def test_a_life_line_has_states_notes_and_who_it_is() -> None:
    world = World(4)
    room = room_of(world)
    world.enter(1, "BOOTING", "booting")
    world.now += 2000
    world.enter(1, "WAITING", "waiting", "waiting")
    world.watch.take_heard(Heard(1, world.now, "join_refused", "no such network"))
    world.watch.begin_batch("b-3", [1])
    world.shard.hands[1].powered = False
    status, life = await get(world, "/devices/1", room)
    unit = world.population.units[1]
    assert status == 200
    assert [(step["at_ms"], step["light"]) for step in life["steps"]] == [
        (T0_MS, "booting"),
        (T0_MS + 2000, "waiting"),
    ]
    assert life["notes"] == [
        {"at_ms": T0_MS + 2000, "kind": "join_refused", "detail": "no such network"}
    ]
    assert (life["uuid"], life["batch"], life["powered"]) == (unit.uuid, "b-3", False)
    assert (life["address"], life["mac"]) == ("127.16.0.2", "02:00:7f:10:00:02")
    assert life["operator"] == "waiting"
    for secret in (unit.auth_key, unit.sec_key, unit.local_key, unit.home.password):
        assert secret not in str(life)


@pytest.mark.parametrize("path", ["/devices/1", "/devices/1/cloud"])
async def test_before_devices_are_there_one_is_told_to_wait(path: str) -> None:
    world = World(4)
    world.shards = []
    status, told = await get(world, path)
    assert (status, "being started" in told["error"]) == (400, True)


@pytest.mark.parametrize("index", ["4", "-1", "x", "9" * 30, "٣"])
async def test_other_devices_do_not_exist(index: str) -> None:
    status, told = await get(World(4), f"/devices/{index}")
    assert status == 404
    assert "there are 0 to 3" in told["error"]


async def test_the_clouds_side_is_its_latest_rows_and_how_the_device_stands() -> None:
    world = World(4)
    world.page_rows = 40
    world.log = [LogRow(n, T0_MS + n, "online") for n in range(1, LOG_ROWS_MAX + 6)]
    status, told = await get(world, "/devices/2/cloud")
    assert status == 200
    assert [row["id"] for row in told["rows"]] == list(range(6, LOG_ROWS_MAX + 6))
    assert (told["bound"], told["online"], told["pending_reset"]) == (True, True, "")
    assert f"/devices/{world.population.units[2].uuid}/log" in world.calls[1]


async def test_the_books_are_looked_up_once_per_happening_and_the_way_there_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wall, "BOOKS_KEPT_MAX", 1)
    world = World(4)
    room = room_of(world)
    async with room.life():
        for _ in range(2):
            assert (await get(world, "/devices/0/cloud", room))[1]["bound"] is True
        world.owner = ""
        world.log.append(LogRow(1, T0_MS, "unbound"))
        assert (await get(world, "/devices/0/cloud", room))[1]["bound"] is False
    assert world.calls.count("audit") == 2
    assert sum(call.endswith("/login") for call in world.calls) == 1
    assert [link.closed for link in world.links] == [True]


async def test_however_many_ask_the_clouds_books_are_read_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(4)
    reading, most, audit = 0, 0, world.audit

    async def slowly() -> Audit:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0)
        reading -= 1
        return await audit()

    monkeypatch.setattr(world, "audit", slowly)
    room = room_of(world)
    await asyncio.gather(*(get(world, f"/devices/{n % 2}/cloud", room) for n in range(6)))
    assert most == 1
    assert world.calls.count("audit") == 2


async def test_a_device_that_the_cloud_does_not_know_is_said_to_be_so() -> None:
    world = World(4)
    world.unknown = {world.population.units[0].uuid}
    status, told = await get(world, "/devices/0/cloud")
    assert (status, "does not know" in told["error"]) == (404, True)
