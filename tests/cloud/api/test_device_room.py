"""How long an answer may be, measured against what really leaves the cloud: to the byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire import atop, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.mqtt_payload import PayloadVersion
from fleet.cloud.api import device_room

NOW_S = 1_700_000_000
KEY = "0123456789abcdef"
DEV_ID = "bfdevice00000000000000"
ETS = (atop.ET_NONE, atop.ET_ECB, atop.ET_GCM)
SLACK = {atop.ET_NONE: 1, atop.ET_ECB: 24, atop.ET_GCM: 4}  # blocks and base64 come in steps


def reply_size(size: int, et: int) -> int:
    inner = atop.encode_success(b'"' + b"x" * (size - 2) + b'"', NOW_S)
    reply = atop.encode_reply(inner, NOW_S, KEY, et, bytes(12))
    return device_room.HEAD_SIZE_MAX + len(reply)


@pytest.mark.parametrize("et", ETS)
@pytest.mark.parametrize(
    ("api", "buffer_size"),
    [
        ("tuya.device.active", 8_192),
        ("thing.device.opensdk.active", 8_192),
        ("s.gw.dev.pk.active", 8_192),
        ("tuya.device.upgrade.get", 2_048),
        ("tuya.device.upgrade.silent.get", 2_048),
        ("tuya.device.dev.dp.get", 1_024),
        ("no.such.call", 1_024),
    ],
)
def test_what_fits_into_the_buffers_of_firmware(api: str, buffer_size: int, et: int) -> None:
    size_max = device_room.over_http(api, et)
    assert reply_size(size_max, et) <= buffer_size
    assert reply_size(size_max + SLACK[et], et) > buffer_size


def test_what_fits_into_a_packet() -> None:
    size_max = device_room.over_mqtt(DEV_ID)
    result = b'"' + b"x" * (size_max - 2) + b'"'
    payload = mqtt_rpc.encode_response(0xFFFF, NOW_S, result)
    topic = mqtt_payload.topic_rpc_response(DEV_ID)
    packet = mqtt.Publish(topic=topic, payload=payload, qos=1, packet_id=1)
    assert len(mqtt.encode(packet)) == device_room.PACKET_SIZE_MAX


def test_a_piece_of_a_file_fits_into_a_packet() -> None:
    payload = mqtt_rpc.encode_file_piece(1, bytes(device_room.of_a_piece(DEV_ID)))
    topic = mqtt_payload.topic_rpc_file(DEV_ID)
    packet = mqtt.Publish(topic=topic, payload=payload, qos=1, packet_id=1)
    assert len(mqtt.encode(packet)) == device_room.PACKET_SIZE_MAX
    assert device_room.of_a_piece("x" * 25) > 1_024, "as long as firmware asks for"


@given(st.sampled_from(PayloadVersion), st.integers(1, 3_000))
def test_a_message_fits_or_does_not(version: PayloadVersion, size: int) -> None:
    nonce = bytes(12) if version is PayloadVersion.V23 else b""
    payload = mqtt_payload.encode(KEY.encode(), b"x" * size, 1, bytes(4), version, nonce)
    topic = mqtt_payload.topic_in(DEV_ID)
    packet = mqtt.encode(mqtt.Publish(topic=topic, payload=payload, qos=1, packet_id=1))
    fits = len(packet) <= device_room.PACKET_SIZE_MAX
    assert device_room.has_room(topic, version, size) is fits
