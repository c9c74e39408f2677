"""Calls of activated devices, the same over HTTP and over MQTT."""

import json

import pytest

from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import atop_old as old
from firmware_sim.wire import atop_upgrade as upgrade
from firmware_sim.wire.atop_calls import CALLS
from fleet.cloud import upgrading
from fleet.cloud.api.device_calls import is_of_the_activated
from fleet.cloud.upgrades import SIZE_MAX, Firmware
from tests.cloud.support import ADMIN, CAMERA, FakeDevice, World, assert_reloads

VERSIONS = messages.versions_text(
    (
        messages.ChannelVersion(
            ota_channel=9, protocol_ver="2.2", baseline_ver="40.07", soft_ver="0.9"
        ),
        messages.ChannelVersion(
            ota_channel=0, protocol_ver="2.2", baseline_ver="40.07", soft_ver="3.4.5"
        ),
    )
)


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice(World(), 0)


def over_both(device: FakeDevice, api: str, data: object) -> object:
    """Make the call both ways; return the result they agree on, or the error code."""
    if not device.conn:
        device.go_online()
    http = device.call(api, data)
    mqtt = device.rpc(api, json.dumps(data).encode()).inner
    assert (http.success, http.error_code) == (mqtt.success, mqtt.error_code)
    assert bytes(http.result) == bytes(mqtt.result)
    if not http.success:
        return http.error_code
    return json.loads(bytes(http.result) or b'"absent"')


def test_a_live_device_is_enabled(device: FakeDevice) -> None:
    assert over_both(device, "tuya.device.info.sync", {"t": 1}) == {"status": "enable"}
    assert device.world.log(device.uuid) == ["online"]


def test_versions(device: FakeDevice) -> None:
    update = {"versions": VERSIONS, "t": 1}
    assert over_both(device, "tuya.device.versions.update", update) == "absent"
    known = device.world.state.devices.get(device.uuid)
    assert known is not None
    assert known.software == "3.4.5"
    assert_reloads(device.world)
    for wrong in ({}, {"versions": "x", "t": 1}, {"versions": "[{}]", "t": 1}):
        assert over_both(device, "tuya.device.versions.update", wrong) == "BAD_REQUEST"


def test_another_version_is_an_upgrade_and_the_first_is_none(device: FakeDevice) -> None:
    device.go_online()
    for version in ("1.0.0", "1.0.0", "1.0.1"):
        versions = VERSIONS.replace("3.4.5", version)
        assert over_both(device, "tuya.device.versions.update", {"versions": versions, "t": 1})
    assert device.world.log(device.uuid) == ["online", "upgraded"]
    (row,) = device.world.state.device_log.page(device.uuid, after=1).rows
    assert row.detail == "1.0.0 to 1.0.1"
    assert [push.biz_code for push in device.world.pushes] == ["online", "upgradeStatus"]


def test_a_restart_shows_in_the_question_for_an_upgrade(device: FakeDevice) -> None:
    device.go_online()
    assert device.rpc("tuya.device.upgrade.silent.get").inner.success
    assert device.world.log(device.uuid) == ["online", "restarted"]


def test_no_upgrade_and_no_rules(device: FakeDevice) -> None:
    for asked in ({"subId": None, "t": 1}, {"t": 1}):
        assert over_both(device, "tuya.device.upgrade.silent.get", asked) == "absent"
    assert over_both(device, "tuya.device.upgrade.get", {"type": 0, "t": 1}) == "absent"
    config = over_both(device, "tuya.device.dynamic.config.get", {"type": "[]", "t": 1})
    now_s = device.world.now_ms // 1000
    assert config == {"validTime": 1800, "time": now_s, "config": {}}


def test_cached_data_points(device: FakeDevice) -> None:
    device.go_online()
    device.report(b'{"1":true,"2":"x","3":7}')
    points = over_both(device, "tuya.device.dev.dp.get", {"dps": [1, 3, 9], "t": 1})
    assert points == ['{"1":true}', '{"3":7}']
    assert over_both(device, "tuya.device.dev.dp.get", {"dps": "1"}) == "BAD_REQUEST"


def services(device: FakeDevice) -> dict[str, int]:
    return dict(device.world.get("GET", "/admin/v1/stats", None, ADMIN)["services"])


def test_an_unknown_name_succeeds_and_is_counted(device: FakeDevice) -> None:
    assert over_both(device, "tuya.device.nothing", {"t": 1}) == "absent"
    assert device.rpc("n\u00f6\n").inner.success
    assert services(device) == {
        "mqtt_calls": 2,
        "unknown_api 'n\\xf6\\n'": 1,
        "unknown_api 'tuya.device.nothing'": 2,
    }
    assert device.world.lines == [
        "device call tuya.device.nothing: not served here; answered with success, no result",
        "device call with an odd name: not served here; answered with success, no result",
    ]


def test_counts_of_unknown_names_are_bounded(device: FakeDevice) -> None:
    device.go_online()
    for number in [*range(300), 0]:
        assert device.rpc(f"name{number}" + "x" * 100).inner.success
    names = [name for name in services(device) if name.startswith("unknown_api")]
    assert len(names) == 256
    assert max(map(len, names)) < 80
    assert sum(services(device)[name] for name in names) == 257
    assert len(device.world.lines) == 256


def test_a_device_that_was_removed_may_only_ask_whether_it_was(device: FakeDevice) -> None:
    world = device.world
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    for api in ("tuya.device.dev.dp.get", "tuya.device.nothing"):
        assert device.call(api, {"dps": [], "t": 1}).error_code == "GATEWAY_NOT_EXISTS"
    assert device.sync() == "reset"


@pytest.mark.parametrize(
    ("api", "data"),
    [
        ("tuya.device.dynamic.config.ack", {"ackList": [{"type": "timezone", "ackId": 1}], "t": 1}),
        ("tuya.device.meta.save", {"metas": {"iccid": "1"}, "t": 1}),
        ("tuya.device.comm.node.enable", {"t": 1}),
        ("tuya.device.comm.node.disable", {"t": 1}),
        ("tuya.p.time.get", {"t": 1}),
    ],
)
def test_what_is_taken_and_not_kept(device: FakeDevice, api: str, data: object) -> None:
    assert over_both(device, api, data) == "absent"
    assert over_both(device, api, []) == "BAD_REQUEST"


@pytest.mark.parametrize("name", ["enable", "disable"])
def test_what_firmware_says_over_mqtt_without_a_time(device: FakeDevice, name: str) -> None:
    assert over_both(device, f"tuya.device.comm.node.{name}", {}) == "absent"


def test_timers_there_are_none_of(device: FakeDevice) -> None:
    count = {"devId": device.dev_id, "count": 0, "lastFetchTime": device.world.now_ms // 1000}
    for api in ("tuya.device.timer.count", "s.gw.dev.timer.count"):
        assert over_both(device, api, {"t": 1}) == count
    timers = over_both(device, "tuya.device.timer.get", {"t": 1})
    assert timers == {"devId": device.dev_id, "timers": []}


def test_a_report_over_http_is_one(device: FakeDevice) -> None:
    assert device.call("tuya.device.dp.report", {"dps": {"1": True}, "t": 1}).success
    assert device.call("tuya.device.dp.report", {"dps": {"2": 5}, "devId": "another"}).success
    assert list(device.world.state.data_points.get(device.dev_id)) == ["1"]
    assert device.call("tuya.device.dp.report", {"dps": 5}).error_code == "BAD_REQUEST"


def test_the_reason_of_a_restart(device: FakeDevice) -> None:
    assert device.call("atop.online.debug.log", {"data": 4, "t": 1}, "").success
    assert device.call("atop.online.debug.log", {"why": "cold", "t": 1}, "").success
    (row,) = device.world.state.device_log.of(device.uuid)
    assert (row.event, row.detail) == ("restart_reason", "4")


@pytest.mark.parametrize("query", ["", "?wipe=1"])
def test_earlier_firmware_asks_whether_it_exists(device: FakeDevice, query: str) -> None:
    world = device.world
    for api in ("tuya.device.exist", "s.gw.exist"):
        assert over_both(device, api, {"t": 1}) == {"exist": True}
    device.drop()
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}{query}", None, world.consumer(0))
    assert bytes(device.call("tuya.device.exist", {"t": 1}).result) == b'{"exist":false}'
    known = world.state.devices.get(device.uuid)
    assert known is not None
    assert known.reset_told is (query == ""), "that it is to erase everything, it was not told"
    deleted = device.call("tuya.device.delete.status.get", {"t": 1}).result
    assert json.loads(bytes(deleted))["status"] == known.pending_reset
    assert_reloads(world)


def test_versions_of_the_oldest_firmware(device: FakeDevice) -> None:
    device.call("s.gw.update", {"gwId": device.dev_id, "verSw": "1.0.4", "pv": "2.1"}, "2.0")
    for dev_id, version in ((device.dev_id, "1.0.0"), ("another", "9")):
        device.call("s.gw.dev.update", {"devId": dev_id, "verSw": version}, "2.0")
    known = device.world.state.devices.get(device.uuid)
    assert known is not None
    assert (known.software, known.generation) == ("1.0.4", "2.1")
    assert known.modules == ((9, "1.0.0"),)
    assert_reloads(device.world)


def test_versions_of_every_chip_and_the_generation(device: FakeDevice) -> None:
    versions = VERSIONS.replace("2.2", "2.3")
    device.call("tuya.device.versions.update", {"versions": versions, "t": 1})
    known = device.world.state.devices.get(device.uuid)
    assert known is not None
    assert (known.generation, known.modules) == ("2.3", ((9, "0.9"),))


def test_an_upgrade_from_the_offer_to_the_end(device: FakeDevice) -> None:
    world = device.world
    firmware = Firmware(CAMERA, 0, "2.0.0", 5_000, "")
    world.rule(upgrading.add, firmware)
    known = world.state.devices.get(device.uuid)
    world.rule(upgrading.order, known, 0, "2.0.0", world.now_ms)
    offer = over_both(device, "tuya.device.upgrade.get", {"type": 0, "t": 1})
    assert isinstance(offer, dict)
    assert (offer["version"], offer["size"], offer["type"]) == ("2.0.0", "5000", 0)
    assert over_both(device, "tuya.device.upgrade.get", {"type": 9, "t": 1}) == "absent"
    child = {"type": 0, "cid": "child", "t": 1}
    assert over_both(device, "tuya.device.upgrade.get", child) == "NOT_BOUND"
    told = {"type": 0, "upgradeStatus": 2, "t": 1}
    assert device.call("tuya.device.upgrade.status.update", told).success
    assert device.call("s.gw.upgrade.updatestatus", {"upgradeStatus": 3}).success
    (order,) = world.state.upgrades.orders(device.uuid)
    assert order.status == 3
    assert over_both(device, "tuya.device.upgrade.get", {"type": 0, "t": 1}) == "absent"


def test_the_longest_offer_has_room(device: FakeDevice) -> None:
    world = device.world
    url = "http://a.test/" + "x" * 233
    firmware = Firmware(
        CAMERA, 255, "x" * 10, SIZE_MAX, "0" * 32, hmac="1" * 64, url=url, https_url=url
    )
    world.rule(upgrading.add, firmware)
    known = world.state.devices.get(device.uuid)
    world.rule(upgrading.order, known, 255, "x" * 10, world.now_ms)
    offer = over_both(device, "tuya.device.upgrade.get", {"type": 255, "t": 1})
    assert isinstance(offer, dict)
    assert offer["url"] == url


def test_what_has_no_room_is_refused_and_the_operator_told_once(device: FakeDevice) -> None:
    """Values that firmware asks back: together they are longer than its buffer."""
    device.go_online()
    for number in range(9):
        device.report(b'{"%d":"%b"}' % (number, b"x" * 100))
    asked: dict[str, object] = {"dps": list(range(9)), "t": 1}
    for _ in range(2):
        assert device.call("tuya.device.dev.dp.get", asked).error_code == "REPLY_TOO_LARGE"
    assert device.rpc("tuya.device.dev.dp.get", json.dumps(asked).encode()).inner.success
    (line,) = device.world.lines
    assert line.startswith(f"device call tuya.device.dev.dp.get, product {CAMERA}: the result has")
    few = {"dps": [1, 2], "t": 1}
    assert device.call("tuya.device.dev.dp.get", few).success


SERVED_ELSEWHERE = {
    *(call.api.name for call in CALLS.values() if call.by_uuid),
    upgrade.FILE_DOWNLOAD.name,
    *(name for name in CALLS if ".sub." in name),
    *(old.CHILD_BIND.name, old.CHILD_UNBIND.name, old.CHILD_PRESENCE.name),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_call_that_is_known_by_more_than_its_name_is_served(name: str) -> None:
    call = CALLS[name]
    known_by_name_only = call.request is None and call.result is None and not name.startswith("s.")
    if not known_by_name_only and name not in SERVED_ELSEWHERE:
        assert is_of_the_activated(name)
