"""A scanned device is handed a token; how the device takes it is told in tests/stories."""

from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.device_code import DeviceCode, encode_device_code
from tests.cloud.support import CAMERA, OWNER, FakeDevice, World

CODE = {"code": encode_device_code(DeviceCode(CAMERA, "uuid0000"))}


def wait_for_token(device: FakeDevice) -> None:
    password = mqtt_payload.mqtt_password(device.auth_key)
    assert device.connect_as(f"acon_{device.uuid}", password) == 0
    device.subscribe(mqtt_payload.topic_activation(device.uuid))


def tokens(device: FakeDevice) -> list[mqtt_payload.TokenData]:
    published = [packet for packet in device.heard() if isinstance(packet, mqtt.Publish)]
    assert {packet.topic for packet in published} <= {"d/ai/uuid0000"}
    key = aes_key(device.auth_key)
    messages = [mqtt_payload.decode(key, packet.payload) for packet in published]
    return [mqtt_payload.data_of(message, mqtt_payload.TokenData) for message in messages]


def test_the_owner_pairs_it_anew() -> None:
    world = World()
    device = FakeDevice(world, 0)
    wait_for_token(device)
    ticket = world.get("POST", "/app/v1/scans", CODE, world.consumer(0))
    both = tokens(device)
    assert [one.region + one.token + one.env for one in both] == [ticket["token"]] * 2
    assert device.activate(ticket["token"]) == ""


def test_it_has_to_listen_and_not_only_to_be_connected() -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.connect_as("acon_uuid0000", mqtt_payload.mqtt_password(device.auth_key))
    session = world.consumer(0)
    assert world.refusal("POST", "/app/v1/scans", CODE, session) == "not_waiting"
    device.subscribe("d/ai/uuid0000")
    world.get("POST", "/app/v1/scans", CODE, session)
    device.drop()
    assert world.refusal("POST", "/app/v1/scans", CODE, session) == "not_waiting"


def test_a_refusal_makes_no_token() -> None:
    world = World()
    wait_for_token(FakeDevice(world, 0))
    before = world.commits
    session = world.consumer(1)
    before = world.commits
    assert world.refusal("POST", "/app/v1/scans", CODE, session) == "already_bound"
    assert world.refusal("POST", "/app/v1/scans", {"code": "x" * 300}, session) == "bad_request"
    assert world.commits == before


def test_an_operator_hands_out_the_token_of_a_batch() -> None:
    world = World()
    device = FakeDevice(world, 0)
    wait_for_token(device)
    session = world.account(OWNER)
    ticket = world.unbind_token(session)
    path = f"/console/v1/unbind-tokens/{ticket['batch']}/scans"
    assert world.get("POST", path, CODE, session)["uuid"] == "uuid0000"
    assert {one.token for one in tokens(device)} == {ticket["token"][2:10]}
