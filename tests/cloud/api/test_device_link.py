"""The MQTT side: presence, data points, calls, and the order to reset."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import TooLarge
from firmware_sim.wire import atop_messages, atop_upgrade, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.mqtt_payload import PayloadVersion
from fleet.cloud import upgrading
from fleet.cloud.desired import Desired
from fleet.cloud.devices import Device
from fleet.cloud.upgrades import Firmware
from tests.cloud.support import ADMIN, CAMERA, FakeDevice, World, assert_reloads


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice(World(), 0)


def publish(device: FakeDevice, message: bytes, key: str | None = None) -> list[mqtt.Packet]:
    payload = mqtt_payload.encode(
        aes_key(key or device.local_key), message, 1, mqtt_payload.SOURCE_DEVICE
    )
    topic = mqtt_payload.topic_out(device.dev_id)
    return device.say(mqtt.Publish(topic=topic, payload=payload, qos=1, packet_id=3))


def services(device: FakeDevice) -> dict[str, int]:
    stats = device.world.get("GET", "/admin/v1/stats", None, ADMIN)
    return dict(stats["services"])


def test_coming_and_going_is_logged_and_told(device: FakeDevice) -> None:
    device.go_online()
    device.say(mqtt.Disconnect())
    assert device.world.log(device.uuid) == ["online", "offline"]
    (row,) = device.world.state.device_log.page(device.uuid, after=1).rows
    assert row.detail == "disconnected"
    assert [push.biz_code for push in device.world.pushes] == ["online", "offline"]


def test_a_waiting_device_connects_without_being_online(device: FakeDevice) -> None:
    password = mqtt_payload.mqtt_password(device.auth_key)
    assert device.connect_as(f"acon_{device.uuid}", password) == 0
    (answer,) = device.subscribe(mqtt_payload.topic_activation(device.uuid))
    assert answer == mqtt.Suback(1, (1,))
    device.drop()
    assert device.world.log(device.uuid) == []
    assert device.world.pushes == []


def test_a_report_is_kept_and_acknowledged(device: FakeDevice) -> None:
    device.go_online()
    report = mqtt_payload.encode_dp_report(device.dev_id, 1, b'{"1":true}')
    assert publish(device, report) == [mqtt.Puback(3)]
    publish(device, b'{"protocol":4,"t":1,"data":{"dps":{"2":5}}}')
    kept = device.world.state.data_points.get(device.dev_id)
    assert {name: bytes(value) for name, value in kept.items()} == {"1": b"true", "2": b"5"}
    assert services(device) == {"dp_reports": 2}
    assert_reloads(device.world)


def test_what_a_device_reports_after_it_lost_its_owner_is_not_kept(device: FakeDevice) -> None:
    world = device.world
    device.go_online()
    target = f"/app/v1/devices/{device.dev_id}?wipe=1"
    world.get("DELETE", target, None, world.consumer(0))
    assert device.heard()
    report = mqtt_payload.encode_dp_report(device.dev_id, 1, b'{"1":true}')
    assert publish(device, report) == [mqtt.Puback(3)]
    assert world.state.data_points.get(device.dev_id) == {}


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (b'{"protocol":4,"t":1,"data":{"dps":{"1":true}}}', "another key 1234"),
        (b'{"protocol":4,"t":1,"data":{"dps":3}}', None),
        (b'{"protocol":4,"t":1,"data":[]}', None),
        (b"not json", None),
    ],
)
def test_what_cannot_be_read_is_dropped_and_counted(
    device: FakeDevice, message: bytes, key: str | None
) -> None:
    device.go_online()
    assert publish(device, message, key) == [mqtt.Puback(3)]
    assert services(device) == {"mqtt_messages_dropped": 1}
    assert device.world.state.data_points.get(device.dev_id) == {}


def test_other_protocols_are_passed_over(device: FakeDevice) -> None:
    device.go_online()
    publish(device, b'{"protocol":26,"t":1,"data":{}}')
    assert services(device) == {}


def test_a_call_without_form_gets_no_answer(device: FakeDevice) -> None:
    device.go_online()
    topic = mqtt_payload.topic_rpc_request(device.dev_id)
    assert device.say(mqtt.Publish(topic=topic, payload=b"{}")) == []
    assert services(device) == {"mqtt_messages_dropped": 1}


def test_each_order_has_its_own_sequence_number(device: FakeDevice) -> None:
    world = device.world
    device.activate(world.unbind_token(world.account("repair"))["token"])
    sequences = []
    for _ in range(2):
        (packet,) = (p for p in device.go_online() if isinstance(p, mqtt.Publish))
        sequences.append(int.from_bytes(packet.payload[7:11], "big"))
        device.drop()
    assert sequences == [1, 2]


def test_a_reset_is_ordered_on_the_devices_own_topic_only(device: FakeDevice) -> None:
    world = device.world
    device.activate(world.unbind_token(world.account("repair"))["token"])
    assert device.connect() == 0
    answers = device.subscribe(mqtt_payload.topic_rpc_response(device.dev_id))
    assert device.told(answers) == []
    assert len(device.told(device.subscribe())) == 1


def test_an_acknowledgement_that_comes_late_changes_nothing(device: FakeDevice) -> None:
    """The device fetched its reset over HTTP before it acknowledged the order over MQTT."""
    world = device.world
    device.go_online()
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    packets = device.heard()
    assert device.sync() == "reset"
    device.acknowledge(packets)
    assert world.log(device.uuid) == ["online", "removed", "reset_sent", "reset_fetched"]


def test_developers_hear_of_reports_of_data_points(device: FakeDevice) -> None:
    device.go_online()
    device.report(b'{"1":true}')
    device.report(b'{"x":1}')
    device.report(b"{}")
    assert [push.protocol for push in device.world.pushes] == [20, 4]


def known(device: FakeDevice) -> Device:
    found = device.world.state.devices.get(device.uuid)
    assert found is not None
    return found


def command(device: FakeDevice, dps: dict[int, Value]) -> bool:
    link, now_ms = device.world.cloud._link, device.world.now_ms
    return bool(device.world.rule(lambda _: link.command(known(device), dps, now_ms)))


def test_a_command_reaches_whom_it_can(device: FakeDevice) -> None:
    assert command(device, {1: True}) is False
    assert device.connect() == 0
    assert command(device, {1: True}) is False, "it is not listening yet"
    device.subscribe()
    assert command(device, {1: True, 2: "x"}) is True
    packets = device.heard()
    (told,) = device.told(packets)
    assert (told.protocol, bytes(told.data)) == (5, b'{"dps":{"1":true,"2":"x"}}')
    (row,) = device.world.state.data_points.log.of(device.dev_id)
    assert (row.event, row.dps) == ("command", '{"1":true,"2":"x"}')
    device.acknowledge(packets)
    assert_reloads(device.world)


def test_the_acknowledgement_of_a_command_confirms_no_reset(device: FakeDevice) -> None:
    world = device.world
    device.go_online()
    command(device, {1: True})
    ordered = device.heard()
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    removed = device.heard()
    device.acknowledge(ordered)
    assert "reset_confirmed" not in world.log(device.uuid)
    device.acknowledge(removed)
    assert "reset_confirmed" in world.log(device.uuid)


def test_wishes_are_sent_when_the_device_listens(device: FakeDevice) -> None:
    world = device.world
    for dp_id, value, expires_ms in ((1, "true", 9), (2, '"x"', 9), (3, "7", 0)):
        wish = Desired(device.dev_id, dp_id, value, 0, world.now_ms + expires_ms)
        world.rule(lambda s, one=wish: s.data_points.desired.put(one))
    (told,) = device.told(device.go_online())
    assert (told.protocol, bytes(told.data)) == (5, b'{"dps":{"1":true,"2":"x"}}')
    assert [
        one.sent for one in world.state.data_points.desired.of(device.dev_id, world.now_ms)
    ] == [
        True,
        True,
    ]
    assert_reloads(world)


def test_wishes_that_do_not_fit_into_one_message_come_in_several(device: FakeDevice) -> None:
    world = device.world
    for dp_id, size in ((1, 900), (2, 900), (3, 3_000), (4, 300)):
        value = '"' + "x" * size + '"'
        wish = Desired(device.dev_id, dp_id, value, 0, world.now_ms + 9)
        world.rule(lambda s, one=wish: s.data_points.desired.put(one))
    told = [json.loads(bytes(one.data))["dps"] for one in device.told(device.go_online())]
    assert [list(dps) for dps in told] == [["1", "2"], ["4"]]
    kept = world.state.data_points.desired.of(device.dev_id, world.now_ms)
    assert [one.sent for one in kept] == [True, True, False, True]
    assert services(device) == {"desired_values_too_large": 1}
    assert_reloads(world)


def test_wishes_for_a_frozen_device_wait(device: FakeDevice) -> None:
    world = device.world
    wish = Desired(device.dev_id, 1, "true", 0, world.now_ms + 9)
    world.rule(lambda s: s.data_points.desired.put(wish))
    world.rule(lambda s: s.devices.freeze(known(device), world.now_ms, frozen=True))
    assert device.told(device.go_online()) == []
    assert world.state.data_points.desired.of(device.dev_id, world.now_ms) == [wish]


def test_a_command_that_has_no_room_is_not_sent(device: FakeDevice) -> None:
    device.go_online()
    with pytest.raises(TooLarge, match="no room"):
        command(device, {1: "x" * 2_000})
    assert device.heard() == []
    assert device.world.state.data_points.log.of(device.dev_id) == []


# --- generations --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", PayloadVersion)
def test_what_a_device_says_is_read_whatever_it_is_and_tells_what_it_reads(
    device: FakeDevice, version: PayloadVersion
) -> None:
    device.go_online()
    report = mqtt_payload.encode_dp_report(device.dev_id, 1, b'{"1":true}')
    nonce = bytes(12) if version is PayloadVersion.V23 else b""
    key = aes_key(device.local_key)
    payload = mqtt_payload.encode(key, report, 1, mqtt_payload.SOURCE_DEVICE, version, nonce)
    device.say(mqtt.Publish(topic=mqtt_payload.topic_out(device.dev_id), payload=payload))
    assert list(device.world.state.data_points.get(device.dev_id)) == ["1"]
    assert known(device).generation == version.value.decode()
    command(device, {1: False})
    (packet,) = device.heard()
    assert isinstance(packet, mqtt.Publish)
    assert packet.payload[:3] == version.value
    assert_reloads(device.world)


def test_what_a_device_declared_is_not_changed_by_how_it_speaks(device: FakeDevice) -> None:
    device.world.rule(lambda s: s.devices.note_generation(known(device), "2.3"))
    device.go_online()
    device.report(b'{"1":true}')
    assert known(device).generation == "2.3"


# --- firmware -----------------------------------------------------------------------------------


def test_progress_is_noted(device: FakeDevice) -> None:
    world = device.world
    firmware = world.rule(upgrading.add, Firmware(CAMERA, 0, "2.0.0", 5_000, ""))
    world.rule(upgrading.order, known(device), 0, "2.0.0", world.now_ms)
    (notice,) = device.told(device.go_online())
    assert (notice.protocol, bytes(notice.data)) == (
        15,
        b'{"firmwareType":0,"gwId":"%b"}' % device.dev_id.encode(),
    )
    publish(device, mqtt_payload.encode_upgrade_progress(30, 1))
    publish(device, mqtt_payload.encode_upgrade_progress(90, 1, cid="child"))
    (order,) = world.state.upgrades.orders(device.uuid)
    assert (order.version, order.percent) == (firmware.version, 30)


def download(device: FakeDevice, first: int, last: int, url: str) -> mqtt.Publish:
    asked = atop_messages.encode(atop_upgrade.file_download(url, first, last))
    request = mqtt_rpc.encode_request(5, "tuya.device.file.download", "1.0", 1, asked)
    topic = mqtt_payload.topic_rpc_request(device.dev_id)
    (answer,) = device.say(mqtt.Publish(topic=topic, payload=request))
    assert isinstance(answer, mqtt.Publish)
    return answer


def test_firmware_comes_in_pieces(device: FakeDevice) -> None:
    world = device.world
    firmware = world.rule(upgrading.add, Firmware(CAMERA, 0, "2.0.0", 5_000, ""))
    url = upgrading.offer_of(firmware).url
    device.go_online()
    whole = b""
    for first in range(0, 5_000, 1_024):
        answer = download(device, first, min(first + 1_024, 5_000) - 1, url)
        assert answer.topic == mqtt_payload.topic_rpc_file(device.dev_id)
        piece = mqtt_rpc.decode_file_piece(answer.payload)
        assert piece.id == 5
        whole += piece.data
    assert hashlib.md5(whole).hexdigest() == firmware.md5


@pytest.mark.parametrize(
    ("first", "last", "url", "code"),
    [
        (0, 9, "http://a.test/x", "NOT_FOUND"),
        (4_000, 5_000, "", "BAD_REQUEST"),
        (0, 4_000, "", "REPLY_TOO_LARGE"),
    ],
)
def test_pieces_that_there_are_not(
    device: FakeDevice, first: int, last: int, url: str, code: str
) -> None:
    world = device.world
    firmware = world.rule(upgrading.add, Firmware(CAMERA, 0, "2.0.0", 5_000, ""))
    device.go_online()
    answer = download(device, first, last, url or upgrading.offer_of(firmware).url)
    assert answer.topic == mqtt_payload.topic_rpc_response(device.dev_id)
    assert mqtt_rpc.decode_response(answer.payload).inner.error_code == code


def test_an_order_waits_until_a_reset_is_over(device: FakeDevice) -> None:
    world = device.world
    world.rule(upgrading.add, Firmware(CAMERA, 0, "2.0.0", 5_000, ""))
    world.rule(upgrading.order, known(device), 0, "2.0.0", world.now_ms)
    device.activate(world.unbind_token(world.account("repair"))["token"])
    assert [told.protocol for told in device.told(device.go_online())] == [11]


WORLD = World()


@given(
    st.binary(max_size=60)
    | st.binary(max_size=30).map(lambda dps: b'{"protocol":4,"t":1,"data":{"dps":{"1":%b}}}' % dps)
)
def test_garbage_under_the_right_key_is_survived(message: bytes) -> None:
    device = FakeDevice(WORLD, 1)
    device.go_online()
    assert publish(device, message) == [mqtt.Puback(3)]
    topic = mqtt_payload.topic_rpc_request(device.dev_id)
    device.say(mqtt.Publish(topic=topic, payload=message))


def test_and_leaves_the_cloud_as_it_is_on_disk() -> None:
    assert_reloads(WORLD)
