"""The console's calls about firmware: what they take, show, and to whom."""

import pytest

from firmware_sim.wire import mqtt_payload
from tests.cloud.support import (
    BUYER,
    CAMERA,
    OWNER,
    PARTNER,
    PLUG,
    STRANGER,
    FakeDevice,
    World,
    assert_reloads,
)

FIRMWARE = f"/console/v1/products/{CAMERA}/firmware"
ORDERS = "/console/v1/devices/uuid0000/upgrades"
NEW = {"version": "2.0.0", "size": 4_096}


@pytest.fixture
def world() -> World:
    world = World()
    world.get("POST", FIRMWARE, NEW, world.account(OWNER))
    return world


def test_versions_are_added_and_shown(world: World) -> None:
    (shown,) = world.get("GET", FIRMWARE, None, world.account(OWNER))
    assert shown["version"] == "2.0.0"
    assert (shown["size"], shown["channel"], shown["silent"]) == (4_096, 0, False)
    assert len(shown["md5"]) == 32
    full = {"version": "3", "size": 1, "md5": "0" * 32, "url": "http://a.test/x", "silent": True}
    assert world.get("POST", FIRMWARE, full, world.account(PARTNER))["url"] == "http://a.test/x"
    assert_reloads(world)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "", "size": 1},
        {"version": "12345678901", "size": 1},
        {"version": "1", "size": 0},
        {"version": "1", "size": 1, "url": "ftp://a.test"},
        {"version": "1", "size": 1, "url": 'http://a.test/"'},
        {"version": "1", "size": 1, "url": "http://a.test/" + "x" * 240, "md5": "0" * 32},
        {"version": "1", "size": 1, "url": "http://a.test"},
        {"version": "1", "size": 1, "channel": 256},
    ],
)
def test_what_firmware_has_no_room_for(world: World, wrong: dict[str, object]) -> None:
    assert world.refusal("POST", FIRMWARE, wrong, world.account(OWNER)) == "bad_request"


def test_it_takes_the_right_to_edit_the_product(world: World) -> None:
    for account in (BUYER, STRANGER):
        session = world.account(account)
        for method, path, body in (
            ("GET", FIRMWARE, None),
            ("POST", FIRMWARE, {"version": "9", "size": 1}),
            ("GET", ORDERS, None),
            ("POST", ORDERS, {"version": "2.0.0"}),
            ("DELETE", f"{ORDERS}/0", None),
            ("GET", "/console/v1/devices/nosuch/upgrades", None),
            ("GET", "/console/v1/products/nosuch/firmware", None),
        ):
            assert world.refusal(method, path, body, session) == "no_permission"
    assert (
        world.get("GET", f"/console/v1/products/{PLUG}/firmware", None, world.account(OWNER)) == []
    )


def test_an_order_reaches_a_device_that_is_there(world: World) -> None:
    device = FakeDevice(world, 0)
    device.go_online()
    order = world.get("POST", ORDERS, {"version": "2.0.0"}, world.account(OWNER))
    assert (order["status"], order["version"]) == (0, "2.0.0")
    (told,) = device.told(device.heard())
    assert told.protocol == mqtt_payload.Protocol.UPGRADE_NOTICE
    notice = mqtt_payload.data_of(told, mqtt_payload.UpgradeNotice)
    assert (notice.firmware_type, notice.gw_id) == (0, device.dev_id)
    assert_reloads(world)


def test_or_when_it_comes_until_it_is_withdrawn(world: World) -> None:
    session = world.account(OWNER)
    world.get("POST", ORDERS, {"version": "2.0.0"}, session)
    device = FakeDevice(world, 0)
    assert [told.protocol for told in device.told(device.go_online())] == [15]
    device.drop()
    assert world.refusal("DELETE", f"{ORDERS}/9", None, session) == "not_found"
    assert world.get("DELETE", f"{ORDERS}/0", None, session) is True
    assert world.get("GET", ORDERS, None, session) == []
    assert device.told(device.go_online()) == []


def test_no_order_for_what_does_not_exist(world: World) -> None:
    session = world.account(OWNER)
    assert world.refusal("POST", ORDERS, {"version": "7"}, session) == "not_found"
    world.get("DELETE", "/app/v1/devices/bfdevice00000000000000", None, world.consumer(0))
    assert world.refusal("POST", ORDERS, {"version": "2.0.0"}, session) == "not_bound"
