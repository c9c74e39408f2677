"""The smart home family: every call done well and refused."""

from typing import Any

import msgspec
import pytest

from fleet.cloud.devices import Device
from fleet.cloud.history import DeviceEvent
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.support import SETTINGS, START_MS, assert_reloads

ID = "bfdevice00000000000000"
OTHER_IDS = [f"bfdevice{n:014}" for n in range(4)]
ONE = f"/v1.0/devices/{ID}"


def settings(**choices: Any) -> Any:
    return msgspec.structs.replace(SETTINGS, **choices)


# --- reading ------------------------------------------------------------------------------------


def test_a_device_has_these_fields_and_types() -> None:
    world = DevicesWorld()
    world.online().report(b'{"1":true,"3":"white","8":true}')
    world.world.now_ms += 60_000
    assert world.get(ONE) == {
        "id": ID,
        "uuid": "uuid0000",
        "uid": "uid0",
        "biz_type": 0,
        "name": "Camera",
        "time_zone": "+00:00",
        "ip": "",
        "local_key": "local00000000000",
        "sub": False,
        "model": "",
        "create_time": START_MS // 1000,
        "update_time": START_MS // 1000,
        "active_time": START_MS // 1000,
        "status": [{"code": "switch_1", "value": True}, {"code": "work_mode", "value": "white"}],
        "owner_id": world.home_of_camera(),
        "product_id": "camera0000000001",
        "product_name": "Camera",
        "category": "sp",
        "icon": "smart/program_category_icon/sp.png",
        "online": True,
        "node_id": "",
        "lon": "",
        "lat": "",
    }
    world.camera.report(b'{"1":false}')
    assert world.get(ONE)["update_time"] == START_MS // 1000 + 60


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "{}", None),
        ("PUT", "{}", {"name": "Porch"}),
        ("DELETE", "{}", None),
        ("GET", "{}/status", None),
        ("POST", "{}/commands", {"commands": [{"code": "switch_1", "value": True}]}),
        ("GET", "{}/functions", None),
        ("GET", "{}/specifications", None),
        ("PUT", "{}/reset-factory", None),
        ("POST", "{}/reset-factory", None),
        ("GET", "{}/sub-devices", None),
        ("GET", "{}/list-sub", None),
        ("GET", "{}/logs?", None),
    ],
)
def test_foreign_unknown_unbound_and_uuid_are_one_answer(
    method: str, path: str, form: object
) -> None:
    world = DevicesWorld()
    query = {"type": "1", "start_time": 0, "end_time": 0} if path.endswith("?") else {}
    path = f"/v1.0/devices/{path.rstrip('?')}"
    one = path.format(ID)
    assert world.refused(method, one, form, world.other, **query) == 1106
    for wrong in ("nosuch", "uuid0000", "%00"):
        assert world.refused(method, path.format(wrong), form, **query) == 1106
    world.ask("DELETE", ONE)
    assert world.refused(method, one, form, **query) == 1106
    assert_reloads(world.world)


def test_a_list_of_ids() -> None:
    world = DevicesWorld()
    for path in ("/v1.0/devices", "/v1.0/devices/"):
        found = world.get(path, device_ids=f"{OTHER_IDS[2]},{ID}")
        assert found.keys() == {"devices", "total"}
        assert [one["id"] for one in found["devices"]] == [OTHER_IDS[2], ID]
        assert found["total"] == 2
    assert world.get("/v1.0/devices", device_ids=ID)["devices"] == [world.get(ONE)]


def test_pages_of_a_list_of_ids() -> None:
    world = DevicesWorld()
    ids = ",".join(OTHER_IDS)
    seen = [
        [
            one["id"]
            for one in world.get("/v1.0/devices", device_ids=ids, page_no=n, page_size=3)["devices"]
        ]
        for n in (1, 2, 3)
    ]
    assert seen == [OTHER_IDS[:3], OTHER_IDS[3:], []]
    assert world.refused("GET", "/v1.0/devices", device_ids=ids, page_no=0) == 1101
    assert world.refused("GET", "/v1.0/devices", device_ids=ids, page_size="x") == 1109


@pytest.mark.parametrize(
    "path", ["/v1.0/devices", "/v1.0/devices/status", "/v1.0/devices/factory-infos"]
)
def test_lists_that_are_refused(path: str) -> None:
    world = DevicesWorld(settings(open_list_ids_max=3, open_factory_ids_max=3))
    assert world.refused("GET", path) == 1100
    assert world.refused("GET", path, device_ids=",".join(OTHER_IDS)) == 1101
    assert world.refused("GET", path, device_ids=f"{ID},nosuch") == 1106
    assert world.refused("GET", path, None, world.other, device_ids=ID) == 1106


def test_status_of_one_and_of_several() -> None:
    world = DevicesWorld()
    world.online().report(b'{"2":15,"1":false}')
    own = [{"code": "switch_1", "value": False}, {"code": "bright_value", "value": 15}]
    assert world.get(f"{ONE}/status") == own
    assert world.get("/v1.0/devices/status", device_ids=f"{ID},{OTHER_IDS[1]}") == {
        ID: own,
        OTHER_IDS[1]: [],
    }


def test_factory_infos() -> None:
    world = DevicesWorld()
    first, second = world.get("/v1.0/devices/factory-infos", device_ids=f"{ID},{OTHER_IDS[1]}")
    assert first.keys() == {"id", "uuid", "sn", "mac"}
    assert (first["id"], first["uuid"]) == (ID, "uuid0000")
    octets = [int(octet, 16) for octet in first["mac"].split(":")]
    assert len(octets) == 6
    assert octets[0] & 3 == 2, "a locally administered address of one station"
    assert first["mac"] != second["mac"]


def test_what_is_behind_a_gateway() -> None:
    world = DevicesWorld()
    assert world.get(f"{ONE}/sub-devices") == []
    sensor = Device(
        "s1",
        "authkey",
        "camera0000000001",
        name="Door",
        dev_id="bfsub",
        owner="uid0",
        home=(home := world.home("uid0")),
        activated_ms=START_MS,
        gateway=ID,
        node_id="a1",
    )
    world.world.rule(lambda s: s.devices.add(sensor))
    wanted = {
        "id": "bfsub",
        "name": "Door",
        "online": False,
        "product_id": "camera0000000001",
        "category": "sp",
        "node_id": "a1",
        "icon": "smart/program_category_icon/sp.png",
        "active_time": START_MS // 1000,
        "update_time": START_MS // 1000,
        "owner_id": home,
    }
    assert world.get(f"{ONE}/sub-devices") == [wanted]
    assert world.get(f"{ONE}/list-sub") == [wanted]
    shown = world.get("/v1.0/devices/bfsub")
    assert (shown["sub"], shown["gateway_id"], shown["node_id"]) == (True, ID, "a1")
    command = {"commands": [{"code": "switch_1", "value": True}]}
    assert world.refused("POST", "/v1.0/devices/bfsub/commands", command) == 2001


# --- instruction sets ---------------------------------------------------------------------------


def test_functions_and_specifications() -> None:
    world = DevicesWorld()
    functions = world.get(f"{ONE}/functions")
    assert functions.keys() == {"category", "functions"}
    assert functions["functions"][0] == {
        "code": "switch_1",
        "type": "Boolean",
        "values": "{}",
        "name": "switch 1",
        "desc": "switch 1",
    }
    assert world.get("/v1.0/functions/sp") == functions
    plain = world.get(f"{ONE}/specifications")
    assert plain.keys() == {"category", "functions", "status"}
    assert plain["functions"] == functions["functions"]
    assert plain["status"][0] == {
        "code": "switch_1",
        "type": "Boolean",
        "values": "{}",
        "name": "switch 1",
    }
    numbered = world.get(f"/v1.1/devices/{ID}/specifications")
    assert numbered["status"][0] == {**plain["status"][0], "dp_id": 1}
    assert world.refused("GET", "/v1.0/functions/nosuch") == 2015


# --- commands -----------------------------------------------------------------------------------


def test_a_command_goes_to_the_device_which_reports() -> None:
    world = DevicesWorld()
    device = world.online()
    commands = [{"code": "switch_1", "value": True}, {"code": "bright_value", "value": 20}]
    assert world.send("POST", f"{ONE}/commands", {"commands": commands}) is True
    assert world.commands() == [{"dps": {"1": True, "2": 20}}]
    assert world.get(f"{ONE}/status") == [], "the cloud believes only what is reported"
    device.report(b'{"1":true,"2":20}')
    assert world.get(f"{ONE}/status") == commands
    assert [push.biz_code for push in world.world.pushes][-2:] == ["deviceDpCommand", ""]
    assert_reloads(world.world)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"commands": [{"code": "switch_1", "value": True}]}, 2001),
        ({"commands": [{"code": "nosuch", "value": True}]}, 2003),
        ({"commands": [{"code": "fault", "value": 1}]}, 2003),
        ({"commands": [{"code": "bright_value", "value": 11}]}, 2008),
        ({"commands": []}, 1100),
        ({"commands": [{"code": "switch_1"}]}, 1100),
        ({"commands": 3}, 1109),
        ({}, 1100),
        ([], 1109),
    ],
)
def test_commands_that_are_refused(form: object, code: int) -> None:
    world = DevicesWorld()
    assert world.refused("POST", f"{ONE}/commands", form) == code


def test_what_is_too_long_is_not_sent() -> None:
    world = DevicesWorld(settings(dp_values_size_max=20))
    world.online()
    one, two = {"code": "switch_1", "value": True}, {"code": "label", "value": "12345678"}
    assert world.send("POST", f"{ONE}/commands", {"commands": [one]}) is True
    assert world.refused("POST", f"{ONE}/commands", {"commands": [one, two]}) == 2027


def test_a_device_that_is_connected_but_not_listening_is_not_there() -> None:
    world = DevicesWorld()
    assert world.camera.connect() == 0
    form = {"commands": [{"code": "switch_1", "value": True}]}
    assert world.refused("POST", f"{ONE}/commands", form) == 2001
    world.camera.subscribe()
    assert world.send("POST", f"{ONE}/commands", form) is True


def test_bad_json_is_refused() -> None:
    world = DevicesWorld()
    world.online()
    for body in (b"{", b"\xff", b'{"commands":[{"code":"switch_1","value":tru}]}'):
        assert world.maker.code("POST", f"{ONE}/commands", None, body) == 1109


# --- names --------------------------------------------------------------------------------------


def test_renaming() -> None:
    world = DevicesWorld()
    name = "Robert'); DROP TABLE devices;--"
    assert world.send("PUT", ONE, {"name": name}) is True
    assert world.get(ONE)["name"] == name
    (push,) = (one for one in world.world.pushes if one.biz_code == "nameUpdate")
    assert msgspec.json.decode(push.data)["name"] == name
    assert_reloads(world.world)
    for form, code in (
        ({}, 1100),
        ({"name": ""}, 1100),
        ({"name": "x" * 65}, 1101),
        ({"name": 3}, 1109),
    ):
        assert world.refused("PUT", ONE, form) == code


# --- the end of a binding -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("DELETE", ONE, "reset"),
        ("POST", f"/v1.0/cloud/thing/devices/{ID}/unbind", "reset"),
        ("PUT", f"{ONE}/reset-factory", "reset_factory"),
        ("POST", f"{ONE}/reset-factory", "reset_factory"),
    ],
)
@pytest.mark.parametrize("online", [True, False])
def test_deleting_unbinding_and_resetting(
    method: str, path: str, kind: str, *, online: bool
) -> None:
    world = DevicesWorld()
    if online:
        world.online()
    assert world.ask(method, path) is True
    assert not world.device().bound
    push = world.world.pushes[-1]
    assert (push.biz_code, msgspec.json.decode(push.data)["uid"]) == ("delete", "uid0")
    row = world.world.state.history.page("maker").rows[-1]
    assert (row.operation, row.account, row.status) == ("delete", "maker", "ok")
    assert row.method == "open_api"
    if online:
        packets = world.camera.heard()
        (told,) = world.camera.told(packets)
        assert (told.protocol, told.type) == (11, kind)
        world.camera.acknowledge(packets)
        world.camera.drop()
    assert world.camera.connect() == 5
    assert world.camera.sync() == kind
    assert world.refused(method, path) == 1106
    assert_reloads(world.world)


def test_what_a_deleted_device_erases_is_a_setting() -> None:
    world = DevicesWorld(settings(open_delete_reset_kind="reset_factory"))
    world.ask("DELETE", ONE)
    assert world.device().pending_reset == "reset_factory"


@pytest.mark.parametrize(("method", "path"), [("DELETE", ONE), ("PUT", f"{ONE}/reset-factory")])
def test_a_strangers_attempt_to_take_a_device_away_is_on_record(method: str, path: str) -> None:
    world = DevicesWorld()
    for _ in range(3):
        assert world.refused(method, path, None, world.other) == 1106
    row = world.world.state.history.page("maker").rows[-1]
    assert (row.operation, row.method, row.status) == ("delete", "open_api", "refused")
    assert (row.account, row.reason) == ("stranger", "no_permission")
    assert (row.uuid, row.tries) == ("uuid0000", 3)
    seen = world.world.state.history.page("stranger").rows
    assert not seen, "a stranger must not learn which devices exist"
    assert_reloads(world.world)


def test_a_second_deletion_takes_nothing_away_and_is_not_on_record() -> None:
    world = DevicesWorld()
    world.ask("DELETE", ONE)
    assert world.refused("DELETE", ONE) == 1106
    assert [row.status for row in world.world.state.history.page("maker").rows] == ["ok"]


def test_a_strangers_look_is_not_on_record() -> None:
    world = DevicesWorld()
    assert world.refused("GET", ONE, None, world.other) == 1106
    assert not world.world.state.history.page("maker").rows


def test_a_deletion_shows_in_the_log_of_the_console() -> None:
    world = DevicesWorld()
    world.ask("DELETE", ONE)
    assert world.world.log("uuid0000") == [DeviceEvent.DELETED]


# --- devices of users ---------------------------------------------------------------------------


def test_devices_of_associated_users_page_by_page() -> None:
    world = DevicesWorld()
    first = world.get("/v1.0/iot-01/associated-users/devices", size=3)
    assert first.keys() == {"devices", "has_more", "last_row_key", "total"}
    assert (first["has_more"], first["total"]) == (True, 4)
    rest = world.get(
        "/v1.0/iot-01/associated-users/devices", size=3, last_row_key=first["last_row_key"]
    )
    assert (rest["has_more"], rest["last_row_key"], rest["total"]) == (False, "", 4)
    assert [one["id"] for one in first["devices"] + rest["devices"]] == OTHER_IDS
    assert first["devices"][0] == world.get(ONE)


def test_devices_of_associated_users_by_time() -> None:
    world = DevicesWorld()
    camera = world.online()
    world.world.now_ms += 5_000
    camera.report(b'{"1":true}')
    world.send("PUT", f"/v1.0/devices/{OTHER_IDS[1]}", {"name": "Porch"})
    path, now_s = "/v1.0/iot-01/associated-users/devices", world.world.now_ms // 1000
    assert [one["id"] for one in world.get(path, start_update_time=now_s)["devices"]] == [ID]
    assert world.get(path, end_update_time=now_s - 1)["total"] == 3


def test_associated_devices_that_are_not_the_callers() -> None:
    world = DevicesWorld()
    envelope = world.other.call("GET", "/v1.0/iot-01/associated-users/devices")
    assert (envelope["result"]["devices"], envelope["result"]["total"]) == ([], 0)
    assert world.refused("GET", "/v1.0/iot-01/associated-users/devices", size=0) == 1101
