"""Assets: the project's spaces as a tree, and the devices in them that a caller may see."""

from typing import Any

import msgspec
import pytest

from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import ACCESS_ID, OTHER_ID
from tests.cloud.open.test_logins_api import ASSET_LOGIN, ASSET_USERS, Login, asset_user
from tests.cloud.support import SETTINGS

ASSETS = "/v1.0/iot-02/assets"


class AssetsWorld(DevicesWorld):
    """A house of the maker with a hall, in which the first camera is."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(msgspec.structs.replace(SETTINGS, **settings))
        self.house = self.place("House")
        self.hall = self.place("Hall", self.house)
        moved = {"space_id": self.hall}
        assert self.send("POST", f"/v2.0/cloud/thing/{self.device().dev_id}/transfer", moved)

    def place(self, name: str, parent: str = "") -> str:
        self.world.now_ms += 1
        now_ms = self.world.now_ms
        make = self.world.state.spaces.make
        made = self.world.rule(lambda _: make(ACCESS_ID, "EU", name, now_ms, parent=parent))
        return str(made.space_id)

    def worker(self, *assets: str) -> Login:
        """Return the maker's program with the token of an asset user, who may work in `assets`."""
        uid = self.send("POST", ASSET_USERS, asset_user())["user_id"]
        if assets:
            path = f"/v1.0/iot-03/users/{uid}/actions/batch-assets-authorized"
            assert self.send("POST", path, {"asset_ids": ",".join(assets)}) is True
        program = Login(self.world)
        assert program.keep(program.log_in(ASSET_LOGIN, asset_user()))["uid"] == uid
        return program


def test_the_tree_begins_above_all_assets() -> None:
    world = AssetsWorld()
    below = world.get(f"{ASSETS}/-1/sub-assets", asset_id="-1", page_size=100)
    assert below == {
        "list": [
            {
                "asset_id": world.house,
                "asset_name": "House",
                "asset_full_name": "House",
                "parent_asset_id": "-1",
                "level": 0,
            }
        ],
        "last_row_key": world.house,
        "page_size": 100,
        "has_next": False,
    }
    [hall] = world.get(f"{ASSETS}/{world.house}/sub-assets", page_size=100)["list"]
    assert hall == world.get(f"{ASSETS}/{world.hall}")
    assert (hall["asset_full_name"], hall["level"]) == ("HouseHall", 1)
    assert hall["parent_asset_id"] == world.house
    empty = world.get(f"{ASSETS}/{world.hall}/sub-assets", page_size=100)
    assert (empty["list"], empty["last_row_key"]) == ([], "")


def test_assets_come_in_pages() -> None:
    world = AssetsWorld()
    made = sorted(world.place(f"Room {number}", world.house) for number in range(4))
    found: list[str] = []
    key, more = "", True
    while more:
        page = world.get(f"{ASSETS}/{world.house}/sub-assets", page_size=2, last_row_key=key)
        found += [one["asset_id"] for one in page["list"]]
        key, more = page["last_row_key"], page["has_next"]
    assert found == sorted([*made, world.hall])


def test_the_devices_in_an_asset() -> None:
    world = AssetsWorld()
    page = world.get(f"{ASSETS}/{world.hall}/devices", page_size=100)
    device_id = world.device().dev_id
    row = {"device_id": device_id, "asset_id": world.hall, "asset_name": "Hall"}
    assert page == {
        "list": [row],
        "last_row_key": device_id,
        "page_size": 100,
        "total_size": 1,
        "has_next": False,
    }
    empty = world.get(f"{ASSETS}/{world.house}/devices", page_size=100)
    assert (empty["list"], empty["total_size"], empty["last_row_key"]) == ([], 0, "")


@pytest.mark.parametrize("end", ["", "/sub-assets", "/devices"])
def test_assets_of_others_are_denied(end: str) -> None:
    world = AssetsWorld()
    size = {"page_size": 10} if end else {}
    theirs = world.space(OTHER_ID)
    for asset_id in (theirs, "nosuch"):
        assert world.refused("GET", f"{ASSETS}/{asset_id}{end}", **size) == 1106
    mine = f"{ASSETS}/{world.hall}{end}"
    assert world.refused("GET", mine, None, world.other, **size) == 1106


@pytest.mark.parametrize(
    ("query", "code"),
    [({}, 1100), ({"page_size": 0}, 1101), ({"page_size": 101}, 1101), ({"page_size": "x"}, 1109)],
)
def test_a_page_has_a_size(query: dict[str, object], code: int) -> None:
    world = AssetsWorld()
    for end in ("sub-assets", "devices"):
        assert world.refused("GET", f"{ASSETS}/{world.hall}/{end}", **query) == code


# --- asset users --------------------------------------------------------------------------------


def test_an_asset_user_finds_and_commands_the_devices() -> None:
    world = AssetsWorld()
    worker, camera = world.worker(world.hall), world.online()
    page = worker.call("GET", f"{ASSETS}/{world.hall}/devices", {"page_size": "100"})["result"]
    [dev_id] = [one["device_id"] for one in page["list"]]
    assert dev_id == camera.dev_id
    base = f"/v1.0/iot-03/devices/{dev_id}"
    assert worker.call("GET", f"{base}/status")["success"]
    body = msgspec.json.encode({"commands": [{"code": "switch_1", "value": True}]})
    assert worker.call("POST", f"{base}/commands", {}, body)["result"] is True
    assert world.commands() == [{"dps": {"1": True}}]


def below(worker: Login, asset_id: str) -> list[str]:
    page = worker.call("GET", f"{ASSETS}/{asset_id}/sub-assets", {"page_size": "100"})["result"]
    return [one["asset_id"] for one in page["list"]]


def test_an_asset_user_finds_nothing_but_what_is_authorized() -> None:
    world = AssetsWorld()
    cellar = world.place("Cellar", world.hall)
    garage = world.place("Garage")
    worker = world.worker(world.hall, garage)
    assert below(worker, "-1") == sorted([world.hall, garage])
    assert below(worker, world.hall) == []
    assert worker.call("GET", f"{ASSETS}/{world.hall}")["result"]["asset_full_name"] == "HouseHall"
    for asset_id in (world.house, cellar):
        for end, size in (("", {}), ("/sub-assets", {"page_size": "9"})):
            assert worker.code("GET", f"{ASSETS}/{asset_id}{end}", size) == 1106


def test_what_is_authorized_below_what_is_stands_there() -> None:
    world = AssetsWorld()
    worker = world.worker(world.house, world.hall)
    assert below(worker, "-1") == [world.house]
    assert below(worker, world.house) == [world.hall]


def test_an_asset_user_has_no_part_in_all_else_of_the_project() -> None:
    world = AssetsWorld()
    worker = world.worker(world.house)
    assert world.get("/v1.0/users/uid0/devices")
    for path in (
        f"/v1.0/devices/{world.device().dev_id}",
        f"/v1.0/iot-03/devices/{world.device(1).dev_id}",
        f"{ASSETS}/{world.hall}/devices",
        "/v1.0/users/uid0/devices",
        f"/v2.0/cloud/space/{world.hall}",
    ):
        assert worker.code("GET", path, {"page_size": "9"}) == 1106
    assert worker.call("GET", "/v1.3/iot-03/devices", {})["result"]["list"] == []
