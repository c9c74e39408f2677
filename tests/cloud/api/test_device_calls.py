"""Calls of activated devices, the same over HTTP and over MQTT."""

import json

import pytest

from firmware_sim.wire import atop_messages as messages
from tests.cloud.support import ADMIN, FakeDevice, World, assert_reloads

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
    upgrade = {"subId": None, "t": 1}
    assert over_both(device, "tuya.device.upgrade.silent.get", upgrade) is None
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


def test_counts_of_unknown_names_are_bounded(device: FakeDevice) -> None:
    device.go_online()
    for number in [*range(300), 0]:
        assert device.rpc(f"name{number}" + "x" * 100).inner.success
    names = [name for name in services(device) if name.startswith("unknown_api")]
    assert len(names) == 256
    assert max(map(len, names)) < 80
    assert sum(services(device)[name] for name in names) == 257


def test_a_device_that_was_removed_may_only_ask_whether_it_was(device: FakeDevice) -> None:
    world = device.world
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    for api in ("tuya.device.dev.dp.get", "tuya.device.nothing"):
        assert device.call(api, {"dps": [], "t": 1}).error_code == "GATEWAY_NOT_EXISTS"
    assert device.sync() == "reset"
