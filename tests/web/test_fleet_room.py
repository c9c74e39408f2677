"""The control API, called as a program calls it; what comes of each call is an order to a shard."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpx
import pytest

from firmware_sim.errors import UsageError
from fleet.app.errors import CloudUnreachable
from fleet.run.population import Population
from fleet.run.watch import REMOVED
from fleet.web import fleet_room, pictures
from fleet.web.app import make_app
from tests.web.client import browser
from tests.web.control_world import World

Story = Callable[[World, httpx.AsyncClient], Awaitable[None]]
ALL = (0, 1, 2, 3, 4, 5)


def play(story: Story, *, playing: bool = False) -> World:
    """Let a program call the fleet's control."""

    async def run() -> World:
        world = World(playing=playing)
        room = fleet_room.make_room(world.control)
        app = make_app([room._replace(title="Fleet")])
        async with room.life(), browser(app, **{"X-Fleet": "1"}) as client:
            await story(world, client)
        return world

    return asyncio.run(run())


async def post(client: httpx.AsyncClient, path: str, body: object = None) -> Any:
    reply = await client.post(f"/api/fleet{path}", json={} if body is None else body)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def refused(client: httpx.AsyncClient, path: str, body: object, status: int = 400) -> str:
    reply = await client.post(f"/api/fleet{path}", json=body)
    assert reply.status_code == status, reply.text
    return str(reply.json()["error"])


def test_hands_do_what_they_are_told() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        uuid = world.population.units[1].uuid
        wired = tuple(u.index for u in world.population.units if u.product.wired)
        lenses = tuple(u.index for u in world.population.units if not u.product.wired)
        assert await post(client, "/press", {"devices": [0, uuid, 0], "hold_ms": 700}) == {
            "devices": 2
        }
        await post(client, "/power", {"devices": [2], "on": False})
        await post(client, "/cable", {"filter": {}, "plugged": False})
        await post(client, "/link", {"devices": [0, 5], "up": False})
        await post(client, "/frame", {"filter": {}, "text": "a code"})
        await post(client, "/frame", {"filter": {}, "text": None})
        await post(client, "/move", {"devices": ["3"], "place": "warehouse"})
        assert world.orders == [
            ("hold", (0, 1), 700),
            ("power", (2,), False),
            ("plug", wired, False),
            ("plug", (0, 5), False),
            ("show", lenses, b"a code"),
            ("show", lenses, None),
            ("move", (3,), "warehouse"),
        ]
        assert world.said[0] == "by hand: button held: 2 devices"
        assert world.fleet.incidents == [], "no report is written of this"

    play(story)


def test_without_a_time_the_button_is_held_as_long_as_each_model_wants() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        await post(client, "/press", {"filter": {}})
        held = {index: order[2] for order in world.orders for index in order[1]}
        profiles = [world.population.profile(unit) for unit in world.population.units]
        assert [held[i] - p.timings.reset_hold_ms for i, p in enumerate(profiles)] == [200] * 6

    play(story)


def test_power_comes_so_many_devices_a_second() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        await post(client, "/power", {"filter": {}, "on": True, "per_s": 1000})
        async with asyncio.timeout(10):
            while not world.orders:
                await asyncio.sleep(0)
        await post(client, "/power", {"filter": {}, "on": False, "per_s": 0.1})
        async with asyncio.timeout(10):
            while len(world.orders) < 2:
                await asyncio.sleep(0)
        assert world.orders == [("power", ALL, True), ("power", (0,), False)]

    play(story)  # and what is left of a ramp ends with the room


def test_only_so_many_ramps_of_power() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        wish = {"filter": {}, "on": True, "per_s": 0.1}
        for _ in range(fleet_room.SWITCHING_MAX):
            await post(client, "/power", wish)
        assert "under way already" in await refused(client, "/power", wish)

    play(story)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/press", {}, "name devices"),
        ("/press", {"devices": [1], "filter": {}}, "name devices"),
        ("/press", {"filter": {"product": "none"}}, "no device among these"),
        ("/press", {"devices": [1], "hold_ms": 0}, "hold_ms"),
        ("/press", {"devices": [1], "hold_ms": 10**9}, "hold_ms"),
        ("/press", {"devices": [1], "force": 3}, "force"),
        ("/cable", {"devices": [0], "plugged": True}, "no wired device"),
        ("/frame", {"devices": [0], "text": ""}, "text"),
        ("/frame", {"devices": [0], "text": "x" * 3000}, "text"),
        ("/power", {"devices": [0], "on": True, "per_s": 0}, "per_s"),
        ("/devices", {"profile": "ipc-red-green", "count": 1001}, "count"),
        ("/devices", {"profile": "../../etc/passwd"}, "no model '../../etc/passwd'"),
        ("/pause", {}, "no operators"),
        ("/ramp", {"operators": 1}, "no operators"),
    ],
)
def test_what_cannot_be_is_refused(path: str, body: dict[str, Any], words: str) -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        assert words in await refused(client, path, body)
        assert world.orders == []

    play(story)


@pytest.mark.parametrize("name", [6, -1, 10**12, "simnobody", "7", "", "9" * 64])
def test_a_device_that_is_not_there(name: int | str) -> None:
    async def story(_: World, client: httpx.AsyncClient) -> None:
        assert "there is no device" in await refused(client, "/press", {"devices": [name]}, 404)

    play(story)


def test_a_body_is_bounded() -> None:
    async def story(_: World, client: httpx.AsyncClient) -> None:
        many = {"devices": list(range(10_001))}
        assert "10000" in await refused(client, "/press", many)
        large = b"x" * (fleet_room.NAMES_BODY_MAX + 1)
        assert (await client.post("/api/fleet/press", content=large)).status_code == 413
        picture = b"x" * (pictures.BODY_MAX + 1)
        reply = await client.post("/api/fleet/frame/picture?devices=0", content=picture)
        assert reply.status_code == 413

    play(story)


def test_devices_are_listed_by_what_they_have_in_common() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        world.fleet.enter(2, "WAITING", "waiting")
        world.fleet.watch.begin_batch("b1", [4])
        get = client.get
        everything = (await get("/api/fleet/devices")).json()
        assert (everything["total"], everything["next"]) == (6, None)
        waiting = (await get("/api/fleet/devices?state=waiting&light=waiting")).json()["devices"]
        assert [(one["index"], one["state"], one["session"]) for one in waiting] == [
            (2, "waiting", "up")
        ]
        page = (await get("/api/fleet/devices?limit=4&after=0")).json()
        assert ([one["index"] for one in page["devices"]], page["next"]) == ([1, 2, 3, 4], 4)
        rest = (await get("/api/fleet/devices?limit=4&after=4")).json()
        assert ([one["index"] for one in rest["devices"]], rest["next"]) == ([5], None)
        (batched,) = (await get("/api/fleet/devices?batch=b1")).json()["devices"]
        unit = world.population.units[4]
        assert batched["uuid"] == unit.uuid
        (found,) = (await get(f"/api/fleet/devices?text={unit.dev_id.upper()}")).json()["devices"]
        assert found == (await get(f"/api/fleet/devices/{unit.uuid}")).json()
        assert (await get("/api/fleet/devices/77")).status_code == 404
        assert (await get("/api/fleet/devices?limit=many")).status_code == 400

    play(story)


def test_no_key_and_no_password_is_in_any_answer() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        added = await client.post("/api/fleet/devices", json={"profile": "ipc-red-green"})
        told = (await client.get("/api/fleet/devices?limit=500")).text + added.text
        told += (await client.get("/api/fleet/overview")).text
        for unit in world.premises.population.units:
            secrets = (unit.auth_key, unit.sec_key, unit.local_key, unit.owner.password)
            assert not [secret for secret in (*secrets, unit.home.password) if secret in told]

    play(story)


def test_devices_come_and_go() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        added = await post(client, "/devices", {"profile": "dvr", "count": 2})
        assert [(one["index"], one["product"]) for one in added["devices"]] == [
            (6, "dvr"),
            (7, "dvr"),
        ]
        assert world.orders == [("power", (6, 7), True)]
        assert len(world.premises.population.units) == 8
        assert world.premises.people[-1].name == "first-owner-7"
        assert await post(client, "/devices/removal", {"devices": [6]}) == {"devices": 1}
        assert world.moved == 2
        assert world.fleet.watch.last[6].cause == REMOVED
        overview = (await client.get("/api/fleet/overview")).json()
        assert (overview["devices"], overview["removed"]) == (8, 1)
        await refused(client, "/press", {"devices": [6]}, 404)
        listed = (await client.get("/api/fleet/devices")).json()
        assert [one["index"] for one in listed["devices"]] == [0, 1, 2, 3, 4, 5, 7]

    play(story)


def test_two_who_add_at_once_get_each_their_own() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        at_once, add = asyncio.Lock(), world.fleet.add

        async def slowly(profile: str, count: int) -> Population:
            async with at_once:
                await asyncio.sleep(0)
                return await add(profile, count)

        world.fleet.add = slowly  # type: ignore[method-assign]
        first, second = await asyncio.gather(
            post(client, "/devices", {"profile": "dvr", "count": 2, "powered": False}),
            post(client, "/devices", {"profile": "nvr", "count": 1}),
        )
        assert [one["index"] for one in first["devices"]] == [6, 7]
        assert [one["index"] for one in second["devices"]] == [8]
        assert world.orders == [("power", (8,), True)]
        assert len(world.premises.population.units) == 9

    play(story)


def test_what_was_taken_away_is_gone_even_if_the_cloud_is_away() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        remove = world.fleet.remove

        async def without_cloud(indices: Iterable[int]) -> None:
            await remove(indices)
            raise CloudUnreachable("the cloud gave no answer")

        world.fleet.remove = without_cloud  # type: ignore[method-assign]
        assert "no answer" in await refused(client, "/devices/removal", {"devices": [1]}, 502)
        assert world.moved == 1

    play(story)


def test_none_come_while_a_scenario_is_played() -> None:
    async def story(_: World, client: httpx.AsyncClient) -> None:
        words = "follow from its seed"
        assert words in await refused(client, "/devices", {"profile": "dvr"})
        assert words in await refused(client, "/devices/removal", {"devices": [1]})

    play(story, playing=True)


def test_wifi_of_a_place() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        overview = await post(client, "/places/homes/wifi", {"on": False})
        assert overview["without_wifi"] == ["homes"]
        assert (await post(client, "/places/homes/wifi", {"on": True}))["without_wifi"] == []
        assert world.orders == [("air", "homes", False), ("air", "homes", True)]
        assert "no place" in await refused(client, "/places/moon/wifi", {"on": True}, 404)
        assert "no place" in await refused(client, "/move", {"devices": [1], "place": "moon"}, 404)

    play(story)


def test_people_can_be_paused_and_ramped() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        assert world.run is not None
        assert (await post(client, "/pause"))["paused"]
        assert not world.run.pace.lets(0)
        people = await post(client, "/ramp", {"operators": 2, "batch_max": 3})
        assert people == {"operators": 2, "all_operators": 3, "batch_max": 3, "paused": True}
        assert not (await post(client, "/resume"))["paused"]
        assert [world.run.pace.lets(number) for number in range(3)] == [True, True, False]
        assert "1 to 3" in await refused(client, "/ramp", {"operators": 4})
        assert "1 to 30" in await refused(client, "/ramp", {"batch_max": 31})
        assert world.fleet.incidents[0] == "by hand: operators paused", "the report says so"

    play(story, playing=True)


def test_the_report_has_room_for_so_much_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_room, "INTERFERENCES_MAX", 2)

    async def story(world: World, client: httpx.AsyncClient) -> None:
        for _ in range(3):
            await post(client, "/power", {"devices": [0], "on": True})
        assert len(world.fleet.incidents) == 2

    play(story, playing=True)


def test_stopping_answers_before_it_stops() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        assert await post(client, "/stop") == {"devices": 6}
        async with asyncio.timeout(10):
            await world.stop.wait()

    play(story)


def test_nothing_is_done_before_devices_are_there() -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        world.fleet.shard.serving = False
        for path, body in (
            ("/press", {"devices": [0]}),
            ("/devices", {"profile": "dvr"}),
            ("/places/homes/wifi", {"on": False}),
            ("/faults", {"kind": "half_open", "filter": {}}),
        ):
            assert "being started" in await refused(client, path, body)
        world.fleet.shards = []
        assert "being started" in await refused(client, "/press", {"devices": [0]})
        assert (await client.get("/api/fleet/devices")).json()["devices"][0]["place"] == "homes"

    play(story)


def test_a_picture_is_read_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World, client: httpx.AsyncClient) -> None:
        async def read(content: bytes) -> bytes:
            if content != b"picture":
                raise UsageError("the picture: it cannot be read")
            return b"the code"

        monkeypatch.setattr(world.control._pictures, "code_in", read)
        path = "/api/fleet/frame/picture"
        done = await client.post(f"{path}?devices=0,2,0", content=b"picture")
        assert done.json() == {"devices": 2}
        assert world.orders == [("show", (0, 2), b"the code")]
        assert (await client.post(f"{path}?devices=0", content=b"?")).status_code == 400
        assert (await client.post(path, content=b"picture")).status_code == 400

    play(story)


def test_calls_are_described() -> None:
    async def story(_: World, client: httpx.AsyncClient) -> None:
        paths = (await client.get("/api/openapi.json")).json()["paths"]
        assert {"get", "post"} == set(paths["/api/fleet/devices"])
        assert set(paths["/api/fleet/faults/{number}"]) == {"delete"}

    play(story)
