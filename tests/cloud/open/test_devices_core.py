"""The IoT Core family: things, properties, wishes."""

import json

import msgspec
import pytest

from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import OTHER_ID
from tests.cloud.support import CAMERA, SETTINGS, START_MS, assert_reloads

ID = "bfdevice00000000000000"
IDS = [f"bfdevice{n:014}" for n in range(4)]
BASE = "/v2.0/cloud/thing"
ONE = f"{BASE}/{ID}"
SHADOW = f"{ONE}/shadow/properties"
ON = {"properties": '{"switch_1":true}'}


def wish(life_s: int = 60, **values: object) -> dict[str, object]:
    return {"properties": json.dumps(values or {"switch_1": True}), "duration": life_s}


# --- devices ------------------------------------------------------------------------------------


def test_a_device_has_these_fields_and_types() -> None:
    world = DevicesWorld()
    world.online()
    shown = world.get(ONE)
    assert shown == {
        "id": ID,
        "active_time": START_MS // 1000,
        "bind_space_id": "",
        "category": "sp",
        "create_time": START_MS // 1000,
        "custom_name": "",
        "icon": "smart/program_category_icon/sp.png",
        "ip": "",
        "is_online": True,
        "lat": "",
        "local_key": "local00000000000",
        "lon": "",
        "name": "Camera",
        "product_id": CAMERA,
        "product_name": "Camera",
        "sub": False,
        "time_zone": "+00:00",
        "update_time": START_MS // 1000,
        "uuid": "uuid0000",
    }
    world.send("PUT", f"/v1.0/devices/{ID}", {"name": "Porch"})
    renamed = world.get(ONE)
    assert (renamed["name"], renamed["custom_name"]) == ("Camera", "Porch")
    assert world.get(f"{BASE}/last/uuid0000") == renamed
    assert world.get(f"{BASE}/batch", device_ids=f"{IDS[1]},{ID}")[1] == renamed


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "{}", None),
        ("DELETE", "{}", None),
        ("POST", "{}/reset", None),
        ("POST", "{}/freeze", {"state": 1}),
        ("POST", "{}/transfer", {"space_id": "1"}),
        ("GET", "{}/state", None),
        ("GET", "{}/shadow/properties", None),
        ("POST", "{}/shadow/properties", {"properties": [{"code": "a", "custom_name": "b"}]}),
        ("POST", "{}/shadow/properties/issue", ON),
        ("GET", "{}/shadow/properties/desired", None),
        ("POST", "{}/shadow/properties/desired", wish()),
        ("POST", "{}/shadow/actions", {"code": "a", "input_params": "{}"}),
        ("GET", "{}/model", None),
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


def test_the_last_device_of_a_uuid() -> None:
    world = DevicesWorld()
    assert world.get(f"{BASE}/last/nosuch") is None
    assert world.get(f"{BASE}/last/{ID}") is None
    foreign = world.other.call("GET", f"{BASE}/last/uuid0000")
    assert (foreign["success"], foreign["result"]) == (True, None)
    world.ask("DELETE", ONE)
    assert world.get(f"{BASE}/last/uuid0000") is None


def test_a_look_up_by_uuid_can_say_that_the_device_is_somebody_elses() -> None:
    world = DevicesWorld(msgspec.structs.replace(SETTINGS, open_foreign_uuid_code=1106))
    assert world.refused("GET", f"{BASE}/last/uuid0000", None, world.other) == 1106
    assert world.get(f"{BASE}/last/nosuch") is None


def test_a_batch_that_is_refused() -> None:
    world = DevicesWorld()
    assert world.refused("GET", f"{BASE}/batch") == 1100
    ids = ",".join(f"bf{number}" for number in range(21))
    assert world.refused("GET", f"{BASE}/batch", device_ids=ids) == 1101
    assert world.refused("GET", f"{BASE}/batch", device_ids="nosuch") == 1106


def test_devices_of_the_project_page_by_page() -> None:
    world = DevicesWorld()
    path = f"{BASE}/device"
    first = world.get(path, page_size=3)
    assert [one["id"] for one in first] == IDS[:3]
    assert [one["id"] for one in world.get(path, page_size=3, last_id=IDS[2])] == IDS[3:]
    assert world.get(path, page_size=20, product_ids=f"x,{CAMERA}", categories="sp") == [
        *first,
        world.get(f"{BASE}/{IDS[3]}"),
    ]
    assert world.get(path, page_size=20, product_ids="nosuch") == []
    assert world.get(path, page_size=20, categories="cz") == []
    assert world.other.call("GET", path, {"page_size": "20"})["result"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 1100),
        ({"page_size": 21}, 1101),
        ({"page_size": 0}, 1101),
        ({"page_size": 1, "product_ids": "a,b,c,d,e,f"}, 1101),
        ({"page_size": 1, "categories": "a,b,c,d,e,f"}, 1101),
    ],
)
def test_devices_of_the_project_refused(query: dict[str, object], code: int) -> None:
    assert DevicesWorld().refused("GET", f"{BASE}/device", **query) == code


def test_a_device_is_put_into_a_space() -> None:
    world = DevicesWorld()
    space, foreign = world.space(), world.space(OTHER_ID)
    for named in (space, int(space)):
        assert world.send("POST", f"{ONE}/transfer", {"space_id": named}) is True
        assert world.get(ONE)["bind_space_id"] == space
    assert_reloads(world.world)
    for form, code in (
        ({"space_id": foreign}, 1106),
        ({"space_id": "nosuch"}, 1106),
        ({}, 1100),
        ({"space_id": True}, 1109),
    ):
        assert world.refused("POST", f"{ONE}/transfer", form) == code


def test_freezing() -> None:
    world = DevicesWorld()
    assert world.get(f"{ONE}/state") == {"state": 0}
    assert world.send("POST", f"{ONE}/freeze", {"state": 1}) is True
    assert world.get(f"{ONE}/state") == {"state": 1}
    assert world.refused("POST", f"{SHADOW}/issue", ON) == 1103
    assert world.refused("POST", f"{SHADOW}/desired", wish()) == 1103


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("DELETE", ONE, "reset"), ("POST", f"{ONE}/reset", "reset_factory")],
)
def test_deleting_and_resetting(method: str, path: str, kind: str) -> None:
    world = DevicesWorld()
    assert world.ask(method, path) is True
    assert world.camera.sync() == kind
    assert_reloads(world.world)


# --- properties ---------------------------------------------------------------------------------


def test_properties_know_when_each_was_reported() -> None:
    world = DevicesWorld()
    world.online().report(b'{"1":true,"3":"white","8":true}')
    world.world.now_ms += 1_000
    world.camera.report(b'{"1":false}')
    assert world.get(SHADOW) == {
        "properties": [
            {
                "code": "switch_1",
                "custom_name": "",
                "dp_id": 1,
                "time": START_MS + 1_000,
                "value": False,
            },
            {
                "code": "work_mode",
                "custom_name": "",
                "dp_id": 3,
                "time": START_MS,
                "value": "white",
            },
        ]
    }
    (one,) = world.get(SHADOW, codes="work_mode,nosuch")["properties"]
    assert one["code"] == "work_mode"


@pytest.mark.parametrize("rows", [0, 1])
def test_what_the_log_forgot_is_as_old_as_the_log(rows: int) -> None:
    world = DevicesWorld(msgspec.structs.replace(SETTINGS, dp_log_rows_per_device_max=rows))
    world.online().report(b'{"1":true}')
    world.world.now_ms += 1_000
    world.camera.report(b'{"3":"white"}')
    assert [one["time"] for one in world.get(SHADOW)["properties"]] == [START_MS + 1_000] * 2


def test_properties_have_names_of_their_own() -> None:
    world = DevicesWorld()
    world.online().report(b'{"1":true}')
    form = {"properties": [{"code": "switch_1", "custom_name": "Fan"}]}
    assert world.send("POST", SHADOW, form) is True
    assert world.get(SHADOW)["properties"][0]["custom_name"] == "Fan"
    (push,) = (one for one in world.world.pushes if one.biz_code == "dpNameUpdate")
    assert msgspec.json.decode(push.data) == {"devId": ID, "dpId": 1, "name": "Fan"}
    assert_reloads(world.world)
    world.send("POST", SHADOW, {"properties": [{"code": "switch_1", "custom_name": ""}]})
    assert world.get(SHADOW)["properties"][0]["custom_name"] == ""
    world.world.now_ms += 1_000  # so few of these calls are allowed in a second
    unknown = {"properties": [{"code": "nosuch", "custom_name": "x"}]}
    for wrong, code in ((unknown, 2003), ({"properties": []}, 1100), ({}, 1100)):
        assert world.refused("POST", SHADOW, wrong) == code


def test_a_property_is_sent_at_once() -> None:
    world = DevicesWorld()
    assert world.refused("POST", f"{SHADOW}/issue", ON) == 2001
    world.online()
    assert world.send("POST", f"{SHADOW}/issue", ON) == {}
    assert world.commands() == [{"dps": {"1": True}}]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ('{"nosuch":true}', 2003),
        ('{"switch_1":3}', 2008),
        ("{}", 1100),
        ("[]", 1109),
        ("{", 1109),
        ({"switch_1": True}, 1109),
    ],
)
def test_properties_that_are_refused(properties: object, code: int) -> None:
    world = DevicesWorld()
    world.online()
    assert world.refused("POST", f"{SHADOW}/issue", {"properties": properties}) == code
    form = {"properties": properties, "duration": 5}
    assert world.refused("POST", f"{SHADOW}/desired", form) == code


# --- wishes -------------------------------------------------------------------------------------


def test_a_wish_waits_for_the_device() -> None:
    world = DevicesWorld()
    assert world.send("POST", f"{SHADOW}/desired", wish(60, switch_1=True, label="x")) == {}
    waiting = {
        "code": "switch_1",
        "dpId": 1,
        "expire_time": START_MS + 60_000,
        "status": 0,
        "time": START_MS,
        "value": True,
    }
    assert world.get(f"{SHADOW}/desired")["properties"][0] == waiting
    assert world.get(f"{SHADOW}/desired", codes="label")["properties"][0]["value"] == "x"
    assert_reloads(world.world)
    packets = world.camera.go_online()
    (told,) = world.camera.told(packets)
    assert (told.protocol, msgspec.json.decode(told.data)) == (5, {"dps": {"1": True, "4": "x"}})
    assert world.get(f"{SHADOW}/desired")["properties"][0] == {**waiting, "status": 1}
    world.camera.drop()
    assert world.camera.told(world.camera.go_online()) == [], "it is told once"
    world.world.now_ms += 60_000
    assert world.get(f"{SHADOW}/desired") == {"properties": []}


def test_a_wish_is_sent_at_once_to_a_device_that_is_there() -> None:
    world = DevicesWorld()
    world.online()
    world.send("POST", f"{SHADOW}/desired", wish())
    assert world.commands() == [{"dps": {"1": True}}]
    assert world.get(f"{SHADOW}/desired")["properties"][0]["status"] == 1


def test_a_wish_that_came_too_late_is_not_sent() -> None:
    world = DevicesWorld()
    world.send("POST", f"{SHADOW}/desired", wish(5))
    world.world.now_ms += 5_000
    assert world.camera.told(world.camera.go_online()) == []


def test_wishes_that_are_too_long_together_are_refused_before_a_device_comes_for_them() -> None:
    world = DevicesWorld(msgspec.structs.replace(SETTINGS, dp_values_size_max=46))
    world.send("POST", f"{SHADOW}/desired", wish(label="12345678"))
    world.send("POST", f"{SHADOW}/desired", wish(bright_value=20))
    form = wish(switch_1=True, work_mode="colour")
    assert world.refused("POST", f"{SHADOW}/desired", form) == 2027
    world.world.now_ms += 1_000
    world.send("POST", f"{SHADOW}/desired", wish(label="x"))
    world.send("POST", f"{SHADOW}/desired", form)
    world.online()
    assert len(world.get(f"{SHADOW}/desired")["properties"]) == 4


def test_a_frozen_device_is_not_told_of_wishes() -> None:
    world = DevicesWorld()
    world.send("POST", f"{SHADOW}/desired", wish())
    world.send("POST", f"{ONE}/freeze", {"state": 1})
    assert world.camera.told(world.camera.go_online()) == []


def test_wishes_end_with_the_binding() -> None:
    world = DevicesWorld()
    world.send("POST", f"{SHADOW}/desired", wish())
    world.camera.activate(world.world.unbind_token(world.world.account("repair"))["token"])
    assert world.world.state.data_points.desired.of(ID, START_MS) == []
    assert_reloads(world.world)


@pytest.mark.parametrize(("life_s", "code"), [(0, 1101), (-1, 1101), (3_000_000, 1101)])
def test_a_wish_has_a_time_of_life(life_s: int, code: int) -> None:
    world = DevicesWorld()
    assert world.refused("POST", f"{SHADOW}/desired", wish(life_s)) == code
    assert world.refused("POST", f"{SHADOW}/desired", ON) == 1100


# --- actions and model --------------------------------------------------------------------------


def test_there_are_no_actions() -> None:
    world = DevicesWorld()
    form = {"code": "ring", "input_params": "{}"}
    assert world.refused("POST", f"{ONE}/shadow/actions", form) == 2003
    for wrong, code in (
        ({}, 1100),
        ({"code": "ring"}, 1100),
        ({**form, "input_params": "no json"}, 1109),
        ({**form, "input_params": "[]"}, 1109),
    ):
        world.world.now_ms += 1_000  # so many in a second
        assert world.refused("POST", f"{ONE}/shadow/actions", wrong) == code


def test_the_model_is_json_in_a_text() -> None:
    world = DevicesWorld()
    model = msgspec.json.decode(world.get(f"{ONE}/model")["model"])
    assert [one["code"] for one in model["services"][0]["properties"]][:2] == [
        "switch_1",
        "bright_value",
    ]
