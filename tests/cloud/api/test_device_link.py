"""The MQTT side: presence, data points, calls, and the order to reset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from tests.cloud.support import ADMIN, FakeDevice, World, assert_reloads


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
