"""The industry family: its shapes, its lists, freezing, and the deletion of twenty at once."""

from typing import Any

import msgspec
import pytest

from fleet.cloud.devices import Device
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import OTHER_ID
from tests.cloud.support import CAMERA, SETTINGS, START_MS, assert_reloads

ID = "bfdevice00000000000000"
IDS = [f"bfdevice{n:014}" for n in range(4)]
BASE = "/v1.0/iot-03/devices"
ONE = f"{BASE}/{ID}"
COMMAND = {"commands": [{"code": "switch_1", "value": True}]}


def settings(**choices: Any) -> Any:
    return msgspec.structs.replace(SETTINGS, **choices)


def test_a_device_has_these_fields_and_types_and_no_status() -> None:
    world = DevicesWorld()
    world.online().report(b'{"1":true}')
    shown = world.get(ONE)
    assert shown == {
        "id": ID,
        "uuid": "uuid0000",
        "uid": "uid0",
        "name": "Camera",
        "category": "sp",
        "category_name": "sp",
        "product_id": CAMERA,
        "product_name": "Camera",
        "local_key": "local00000000000",
        "sub": False,
        "gateway_id": "",
        "node_id": "",
        "asset_id": "",
        "owner_id": world.home_of_camera(),
        "online": True,
        "ip": "",
        "lon": "",
        "lat": "",
        "model": "",
        "icon": "smart/program_category_icon/sp.png",
        "time_zone": "+00:00",
        "create_time": START_MS // 1000,
        "update_time": START_MS // 1000,
        "active_time": START_MS // 1000,
    }
    assert world.get(f"/v1.1/iot-03/devices/{ID}") == shown


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "{}", None),
        ("PUT", "{}", {"name": "Porch"}),
        ("DELETE", "{}", None),
        ("POST", "{}/actions/reset", None),
        ("DELETE", "{}/actions/reset", None),
        ("GET", "{}/freeze-state", None),
        ("PUT", "{}/freeze-state", {"state": 1}),
        ("GET", "{}/status", None),
        ("POST", "{}/commands", COMMAND),
        ("GET", "{}/commands", COMMAND),
        ("GET", "{}/functions", None),
        ("GET", "{}/specification", None),
        ("GET", "{}/sub-devices", None),
    ],
)
def test_foreign_unknown_unbound_and_uuid_are_one_answer(
    method: str, path: str, form: object
) -> None:
    world = DevicesWorld()
    one = f"{BASE}/{path}"
    assert world.refused(method, one.format(ID), form, world.other) == 1106
    for wrong in ("nosuch", "uuid0000"):
        assert world.refused(method, one.format(wrong), form) == 1106
    world.ask("DELETE", ONE)
    assert world.refused(method, one.format(ID), form) == 1106


def test_a_list_of_ids_in_either_spelling() -> None:
    world = DevicesWorld()
    found = world.get(BASE, device_ids=f"{IDS[1]},{ID}")
    assert found.keys() == {"list", "total", "has_more"}
    assert ([one["id"] for one in found["list"]], found["total"]) == ([IDS[1], ID], 2)
    assert found["list"][1] == world.get(ONE)
    assert world.get(f"{BASE}/", **{"device_ids[0]": IDS[1], "device_ids[1]": ID}) == found
    assert world.refused("GET", BASE) == 1100
    assert world.refused("GET", BASE, device_ids=f"{ID},nosuch") == 1106


def test_statuses_are_an_array() -> None:
    world = DevicesWorld()
    world.online().report(b'{"1":true}')
    own = [{"code": "switch_1", "value": True}]
    assert world.get(f"{BASE}/status", device_ids=f"{ID},{IDS[1]}") == [
        {"id": ID, "status": own},
        {"id": IDS[1], "status": []},
    ]
    assert world.get(f"{ONE}/status") == own


def test_what_is_as_in_the_smart_home_family() -> None:
    world = DevicesWorld()
    assert world.get(f"{ONE}/functions") == world.get(f"/v1.0/devices/{ID}/functions")
    assert world.get("/v1.0/iot-03/categories/sp/functions") == world.get("/v1.0/functions/sp")
    plain = world.get(f"/v1.0/devices/{ID}/specifications")
    assert world.get(f"{ONE}/specification") == plain
    numbered = world.get(f"/v1.1/devices/{ID}/specifications")
    assert world.get(f"/v1.1/iot-03/devices/{ID}/specification") == numbered
    infos = world.get("/v1.0/devices/factory-infos", device_ids=ID)
    assert world.get(f"{BASE}/factory-infos", device_ids=ID) == infos
    assert world.send("PUT", ONE, {"name": "Porch"}) is True
    assert world.get(ONE)["name"] == "Porch"


def test_commands() -> None:
    world = DevicesWorld()
    assert world.refused("POST", f"{ONE}/commands", COMMAND) == 2001
    assert world.refused("GET", f"{ONE}/commands", {}) == 1100
    world.online()
    assert world.send("POST", f"{ONE}/commands", COMMAND) is True
    assert world.send("GET", f"{ONE}/commands", COMMAND) is True
    assert world.commands() == [{"dps": {"1": True}}] * 2


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_reset_restores_what_left_the_factory(method: str) -> None:
    world = DevicesWorld()
    assert world.ask(method, f"{ONE}/actions/reset") is True
    assert world.camera.sync() == "reset_factory"


# --- freezing -----------------------------------------------------------------------------------


def test_a_frozen_device_takes_no_commands() -> None:
    world = DevicesWorld()
    world.online()
    assert world.get(f"{ONE}/freeze-state") == {"state": 0}
    for _ in range(2):
        assert world.send("PUT", f"{ONE}/freeze-state", {"state": 1}) is True
    assert world.get(f"{ONE}/freeze-state") == {"state": 1}
    assert world.refused("POST", f"{ONE}/commands", COMMAND) == 1103
    assert_reloads(world.world)
    world.send("PUT", f"{ONE}/freeze-state", {"state": 0})
    assert world.send("POST", f"{ONE}/commands", COMMAND) is True
    codes = [push.core.biz_code for push in world.world.pushes if push.core is not None]
    assert codes == ["deviceOnline", "deviceFreeze", "deviceUnFreeze"]
    for form, code in (({"state": 2}, 1109), ({}, 1100), ({"state": True}, 1109)):
        assert world.refused("PUT", f"{ONE}/freeze-state", form) == code


def test_a_frozen_device_takes_commands_where_the_settings_say_so() -> None:
    world = DevicesWorld(settings(open_frozen_commands=True))
    world.online()
    world.send("PUT", f"{ONE}/freeze-state", {"state": 1})
    assert world.send("POST", f"{ONE}/commands", COMMAND) is True


# --- deletion -----------------------------------------------------------------------------------


def many(count: int) -> DevicesWorld:
    """Return a world with `count` cameras more."""
    world = DevicesWorld()
    for number in range(count):
        extra = Device(
            f"more{number:02}",
            "authkey",
            CAMERA,
            dev_id=f"bfmore{number:02}",
            sec_key="s" * 16,
            owner="uid0",
        )
        world.world.rule(lambda s, one=extra: s.devices.add(one))
    return world


@pytest.mark.parametrize("path", [BASE, f"{BASE}/"])
def test_twenty_are_deleted_at_once(path: str) -> None:
    world = many(20)
    ids = [f"bfmore{number:02}" for number in range(20)]
    commits = world.world.commits
    assert world.ask("DELETE", path, {"device_ids": ",".join(ids)}) is True
    assert world.world.commits == commits + 1, "all in one commit"
    assert [one.uuid for one in world.world.state.devices.owned_by("uid0")] == ["uuid0000"]
    rows = world.world.state.history.page("maker").rows
    assert [row.dev_id for row in rows if row.operation == "delete"] == ids
    assert_reloads(world.world)


def test_twenty_one_are_not_and_one_stranger_spares_them_all() -> None:
    world = many(21)
    ids = [f"bfmore{number:02}" for number in range(21)]
    assert world.refused("DELETE", BASE, device_ids=",".join(ids)) == 1101
    assert world.refused("DELETE", BASE, device_ids=",".join([*ids[:3], "nosuch"])) == 1106
    assert world.refused("DELETE", BASE, None, world.other, device_ids=ids[0]) == 1106
    assert world.refused("DELETE", BASE) == 1100
    assert len(world.world.state.devices.owned_by("uid0")) == 22


def test_the_online_ones_are_told() -> None:
    world = DevicesWorld()
    world.online()
    assert world.ask("DELETE", BASE, {"device_ids": f"{IDS[1]},{ID}"}) is True
    (told,) = world.camera.told(world.camera.heard())
    assert (told.protocol, told.type) == (11, "reset")


def test_a_device_is_no_partners() -> None:
    world = DevicesWorld()
    path = f"/v1.0/iot-03/3rdcloud/devices/{ID}/remove"
    assert world.refused("DELETE", path) == 2020
    assert world.refused("DELETE", path, None, world.other) == 1106
    assert world.device().bound


# --- lists --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1.2", "v1.3"])
def test_devices_of_a_user(version: str) -> None:
    world = many(3)
    path = f"/{version}/iot-03/devices"
    query = {"source_type": "tuyaUser", "source_id": "uid0", "page_size": 3}
    first = world.get(path, **query)
    assert first.keys() == {"list", "has_more", "last_row_key", "total"}
    assert (first["has_more"], first["total"]) == (True, 4)
    rest = world.get(path, **query, last_row_key=first["last_row_key"])
    assert (rest["has_more"], rest["last_row_key"]) == (False, "")
    seen = [one["id"] for one in first["list"] + rest["list"]]
    assert seen == [ID, "bfmore00", "bfmore01", "bfmore02"]
    assert world.refused("GET", path, source_type="tuyaUser", source_id="nosuch") == 1106
    assert world.refused("GET", path, None, world.other, **query) == 1106


def test_devices_of_a_product_and_of_a_space() -> None:
    world = DevicesWorld()
    path = "/v1.3/iot-03/devices"

    def ids(**query: object) -> list[str]:
        return [one["id"] for one in world.get(path, **query)["list"]]

    assert ids(source_type="product", source_id=CAMERA) == IDS
    assert ids(source_type="product", source_id="nosuch") == []
    space = world.space()
    world.world.rule(lambda s: s.devices.move(world.device(), 1, space=space))
    assert ids(source_type="asset", source_id=space) == [ID]
    assert world.get(ONE)["asset_id"] == space
    foreign = world.space(OTHER_ID)
    for wrong in ("nosuch", foreign):
        assert world.refused("GET", path, source_type="asset", source_id=wrong) == 1106
    assert ids() == IDS
    assert ids(source_type="homeApp", source_id="fleet") == IDS
    assert world.refused("GET", path, source_type="homeApp", source_id="nosuch") == 2017
    assert ids(device_ids=f"{ID},{IDS[2]}") == [ID, IDS[2]]
    assert ids(category="sp", product_id=CAMERA, name="Camera") == IDS
    assert ids(category="cz") == []
    assert ids(name="Porch") == []
    assert world.refused("GET", path, source_type="nosuch") == 1109
    for source_type in ("asset", "homeApp", "product", "tuyaUser"):
        assert world.refused("GET", path, source_type=source_type) == 1100
    assert world.refused("GET", path, page_size=201) == 1101


def test_devices_behind_a_gateway_name_their_space() -> None:
    world = DevicesWorld()
    sensor = Device("s1", "k", CAMERA, dev_id="bfsub", owner="uid0", space="9", gateway=ID)
    world.world.rule(lambda s: s.devices.add(sensor))
    (shown,) = world.get(f"{ONE}/sub-devices")
    assert shown["asset_id"] == "9"
    assert "owner_id" not in shown
    assert world.get(f"{BASE}/bfsub")["gateway_id"] == ID
    foreign = Device("s2", "k", "foreign", dev_id="bfother", owner="nobody", gateway=ID)
    world.world.rule(lambda s: s.devices.add(foreign))
    assert world.get(f"{ONE}/sub-devices") == [shown]
    world.ask("DELETE", f"{BASE}/bfsub")
    assert world.get(f"{ONE}/sub-devices") == [], "what was taken away is nobody's to see"
