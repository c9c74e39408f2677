"""Messages for developers: names and fields as the vendor has them."""

import json

import msgspec
import pytest

from firmware_sim.wire.datapoint import DataPoint, Property, encode_schema
from fleet.cloud import push
from fleet.cloud.devices import Device
from fleet.cloud.messages import PushRaised

DEVICE = Device("uuid", "key", "pid", dev_id="bf1", owner="uid1", name="Lamp")
SCHEMA = encode_schema(
    (
        DataPoint(1, "rw", "obj", Property("bool"), "switch_1"),
        DataPoint(2, "rw", "obj", Property("string"), "mode"),
    )
)


def core(raised: PushRaised) -> tuple[int, str, object]:
    """Return protocol, bizCode and data of the IoT Core form."""
    assert raised.core is not None
    return raised.core.protocol, raised.core.biz_code, json.loads(raised.core.data)


def test_binding_and_unbinding() -> None:
    before = msgspec.structs.replace(DEVICE, owner="uid0", region="AZ")
    bound, deleted = push.bound(DEVICE), push.deleted(before, "app")
    assert (bound.biz_code, deleted.biz_code) == ("bindUser", "delete")
    assert (bound.dev_id, bound.product_id, bound.protocol) == ("bf1", "pid", 20)
    assert json.loads(bound.data) == {"devId": "bf1", "uid": "uid1"}
    assert json.loads(deleted.data) == {"devId": "bf1", "uid": "uid0"}
    assert (bound.uid, bound.region, bound.schema) == ("uid1", "", "")
    assert (deleted.uid, deleted.region, deleted.schema) == ("uid0", "AZ", "app")
    data = {"devId": "bf1", "uid": "uid0", "uuid": "uuid", "productId": "pid"}
    assert core(deleted) == (1001, "deviceUnbindSpace", data)
    assert core(bound) == (1001, "deviceBindSpace", {**data, "uid": "uid1"})


def test_presence() -> None:
    come, gone = push.presence(DEVICE, 5, online=True), push.presence(DEVICE, 6, online=False)
    assert (come.biz_code, gone.biz_code) == ("online", "offline")
    assert [json.loads(one.data) for one in (come, gone)] == [{"time": 5}, {"time": 6}]
    assert core(come) == (1001, "deviceOnline", {"devId": "bf1", "time": 5, "productId": "pid"})
    assert core(gone)[1] == "deviceOffline"


def test_names() -> None:
    renamed, point = push.renamed(DEVICE), push.dp_renamed(DEVICE, 7, "Left")
    assert (renamed.biz_code, point.biz_code) == ("nameUpdate", "dpNameUpdate")
    assert json.loads(renamed.data) == {"devId": "bf1", "name": "Lamp"}
    assert json.loads(point.data) == {"devId": "bf1", "dpId": 7, "name": "Left"}
    assert core(renamed)[1] == "deviceNameUpdate"
    assert point.core is None


def test_upgrades() -> None:
    raised = push.upgraded(DEVICE, 9, 2)
    data = {"devId": "bf1", "moduleType": 9, "upgradeStatus": 2}
    assert (raised.biz_code, json.loads(raised.data)) == ("upgradeStatus", data)
    assert core(raised) == (1002, "deviceOtaProgress", {**data, "productId": "pid"})


def test_commands() -> None:
    raised = push.commanded(DEVICE, {"1": True, "20": "white"})
    assert raised.biz_code == "deviceDpCommand"
    command = [{"dpId": 1, "value": True}, {"dpId": 20, "value": "white"}]
    assert json.loads(raised.data) == {"command": command}


@pytest.mark.parametrize(("on", "code"), [(True, "deviceFreeze"), (False, "deviceUnFreeze")])
def test_freezing_has_no_older_form(*, on: bool, code: str) -> None:
    raised = push.frozen(DEVICE, frozen=on)
    assert raised.data == b""
    assert core(raised) == (1001, code, {"devId": "bf1", "productId": "pid"})


def test_a_report_tells_codes_values_and_their_texts() -> None:
    report = '{"1":true,"2":"white","3":-4,"101":{"a":[1]}}'
    raised = push.reported(DEVICE, report, SCHEMA, 1_700_000_000_000)
    assert raised is not None
    assert (raised.protocol, raised.biz_code) == (4, "")
    told = json.loads(raised.data)
    assert (told["devId"], told["productKey"]) == ("bf1", "pid")
    assert told["dataId"].startswith("00060A24181E4000")
    assert len(told["dataId"]) == 32
    t = 1_700_000_000_000
    assert told["status"] == [
        {"code": "switch_1", "value": True, "t": t, "1": "true"},
        {"code": "mode", "value": "white", "t": t, "2": "white"},
        {"code": "3", "value": -4, "t": t, "3": "-4"},
        {"code": "101", "value": {"a": [1]}, "t": t, "101": '{"a":[1]}'},
    ]
    protocol, code, data = core(raised)
    assert (protocol, code) == (1000, "devicePropertyMessage")
    assert isinstance(data, dict)
    assert data["dataId"] == told["dataId"]
    assert data["properties"][1] == {"code": "mode", "dpId": 2, "time": t, "value": "white"}


def test_what_is_no_data_point_is_not_told() -> None:
    assert push.reported(DEVICE, '{"x":1,"123456":2,"٣":3}', "[]", 5) is None
    raised = push.reported(DEVICE, '{"x":1,"123456":2,"٣":3,"7":1}', "[]", 5)
    assert raised is not None
    assert [one["code"] for one in json.loads(raised.data)["status"]] == ["7"]


@pytest.mark.parametrize(
    ("tell", "code"),
    [
        (push.user_registered, "userRegister"),
        (push.user_updated, "userUpdate"),
        (lambda uid, schema, now_ms: push.user_deleted(uid, schema, "", now_ms), "userDelete"),
    ],
)
def test_users(tell: object, code: str) -> None:
    assert callable(tell)
    raised = tell("uid1", "app", 5)
    assert (raised.biz_code, raised.schema, raised.uid, raised.dev_id) == (code, "app", "uid1", "")
    assert raised.region == ""
    assert json.loads(raised.data) == {"uid": "uid1", "schema": "app", "time": 5}


def test_who_is_gone_leaves_the_data_centre() -> None:
    assert push.user_deleted("uid1", "app", "AZ", 5).region == "AZ"


def test_a_transfer_has_no_older_form_either() -> None:
    raised = push.transferred(msgspec.structs.replace(DEVICE, space="77"))
    data = {"devId": "bf1", "spaceId": "77", "productId": "pid"}
    assert (raised.data, core(raised)) == (b"", (1001, "deviceTransfer", data))


def test_homes_and_rooms() -> None:
    home = push.home_changed("homeCreate", "17", "Nest", "uid1", "app", 5)
    room = push.room_changed("roomDelete", "17", "Attic", "uid1", "app", 5)
    assert (home.biz_code, room.biz_code) == ("homeCreate", "roomDelete")
    assert (home.schema, room.schema) == ("app", "app")
    assert json.loads(home.data) == {"homeId": "17", "homeName": "Nest", "uid": "uid1", "time": 5}
    assert json.loads(room.data) == {"homeId": "17", "roomName": "Attic", "uid": "uid1", "time": 5}


@pytest.mark.parametrize(
    ("code", "protocol"),
    [
        *((f"user{what}", 21) for what in ("Register", "Update", "Delete")),
        *((f"home{what}", 35) for what in ("Create", "Update", "Delete")),
        *(("roomCreate", 35), ("roomDelete", 35), ("roomNameUpdate", 34)),
    ],
)
def test_what_is_about_no_device_has_protocols_of_its_own(code: str, protocol: int) -> None:
    tell = {
        "userRegister": lambda: push.user_registered("u", "app", 5),
        "userUpdate": lambda: push.user_updated("u", "app", 5),
        "userDelete": lambda: push.user_deleted("u", "app", "", 5),
    }
    changed = push.room_changed if code.startswith("room") else push.home_changed
    raised = tell.get(code, lambda: changed(code, "17", "Nest", "u", "app", 5))()
    assert (raised.biz_code, raised.protocol) == (code, protocol)
