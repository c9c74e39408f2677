"""What is on the wire in words: meanings and sizes, whole or broken, and never a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire import atop, discovery, iot_dns, lan_frame, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.mqtt_payload import SOURCE_CLOUD, PayloadVersion, Protocol
from firmware_sim.wire.provisioning import TokenForm, encode_token_bind
from fleet.run.virtual.telling import wire_words

KEY_TEXT = "l0calK3y01234567"
KEY, OTHER = aes_key(KEY_TEXT), aes_key("another_key_0000")
TOKEN = "EUabcd1234pro0"


# --- HTTP ---------------------------------------------------------------------------------------


def call(**who: str) -> tuple[str, bytes]:
    data = messages.encode(messages.StampRequest(t=1))
    return atop.encode_request("tuya.device.active", "4.4", 1, KEY_TEXT, data, **who)  # type: ignore[arg-type]


def test_calls_are_named_with_who_signs_them() -> None:
    target, body = call(uuid="uuid1")
    size = len(target) + len(body)
    told = wire_words.request(target, body)
    assert told == f"HTTP tuya.device.active 4.4, {size} B, signed by uuid uuid1"
    assert wire_words.call(target) == "tuya.device.active"
    target, body = call(dev_id="6cdevice")
    assert wire_words.request(target, body).endswith(", signed by device 6cdevice")


@pytest.mark.parametrize(
    ("region", "words"), [("EU", "of region EU"), (None, "to begin with")], ids=str
)
def test_iot_dns_is_asked_for_servers(region: str | None, words: str) -> None:
    body = iot_dns.encode_request(iot_dns.Request(env="pro", region=region))
    told = wire_words.request(iot_dns.PATH, body)
    assert told == f"HTTP {iot_dns.PATH}, {len(iot_dns.PATH) + len(body)} B: which servers {words}"
    assert wire_words.call(iot_dns.PATH) == iot_dns.PATH


@pytest.mark.parametrize("target", ["/d.json?broken", iot_dns.PATH, "/elsewhere?a=secret"])
def test_of_what_cannot_be_read_only_path_and_size_are_told(target: str) -> None:
    path = target.partition("?")[0]
    assert wire_words.request(target, b"{") == f"HTTP {path}, {len(target) + 1} B"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/console/v1/login", "/console/v1/login"),
        ("/console/v1/history?batch=b1", "/console/v1/history"),
        (f"/app/v1/pair-tokens/{TOKEN}", "/app/v1/pair-tokens/..."),
    ],
)
def test_paths_of_people_are_shown_without_tokens(target: str, shown: str) -> None:
    assert wire_words.path_shown(target) == shown


# --- MQTT ---------------------------------------------------------------------------------------


def message(protocol: Protocol, key: bytes = KEY) -> bytes:
    body = b'{"protocol":%d,"t":1,"data":{}}' % protocol
    return mqtt_payload.encode(key, body, 1, SOURCE_CLOUD, PayloadVersion.V22, b"")


def publish(topic: str, payload: bytes, **more: object) -> mqtt.Publish:
    return mqtt.Publish(topic, payload, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", Protocol)
def test_messages_are_told_by_their_number(protocol: Protocol) -> None:
    told = wire_words.packet(publish("smart/device/in/6c1", message(protocol)), (OTHER, KEY))
    assert told.startswith(f"PUBLISH smart/device/in/.. QoS 0: protocol {protocol.value}, ")
    assert "of another kind" not in told


def test_a_message_of_another_number_or_key_is_told_as_far_as_can_be() -> None:
    body = b'{"protocol":999,"t":1,"data":{}}'
    payload = mqtt_payload.encode(KEY, body, 1, SOURCE_CLOUD, PayloadVersion.V22, b"")
    topic = "smart/device/in/6c1"
    assert wire_words.packet(publish(topic, payload), (KEY,)).endswith(
        ": protocol 999, of another kind"
    )
    sealed = wire_words.packet(publish(topic, payload, qos=1, packet_id=1, dup=True), (OTHER,))
    assert sealed == f"PUBLISH smart/device/in/.. QoS 1, again: {len(payload)} B sealed"


@pytest.mark.parametrize(
    ("topic", "payload", "words"),
    [
        ("rpc/req/6c1", mqtt_rpc.encode_request(1, "tuya.device.x", "1.0", 1, b"{}"), "call tuya.device.x"),
        ("rpc/rsp/6c1", mqtt_rpc.encode_response(1, 1, b"{}"), "answered"),
        ("rpc/rsp/6c1", mqtt_rpc.encode_error_response(1, 1, "NO", "why"), "refused, NO"),
        ("rpc/file/6c1", mqtt_rpc.encode_file_piece(1, b"x"), "a piece of a file"),
        ("rpc/req/6c1", b"?", "which cannot be read"),
    ],
)  # fmt: skip
def test_calls_over_mqtt_are_told_by_name(topic: str, payload: bytes, words: str) -> None:
    assert wire_words.packet(publish(topic, payload), ()).endswith(f".. QoS 0: {words}")


def test_packets_are_told_by_what_they_say() -> None:
    connect = mqtt.Connect("6c1", "6c1", "the_mqtt_password")
    several = (
        mqtt.Subscribe(1, (("smart/device/in/6c1", 1),)),
        mqtt.Subscribe(2, (("rpc/rsp/6c1", 1),)),
        mqtt.Pingreq(),
    )
    data = b"".join(mqtt.encode(one) for one in several)
    assert wire_words.said([connect], ()) == "CONNECT as 6c1"
    assert wire_words.packets(data, ()) == (
        f"SUBSCRIBE smart/device/in/.., rpc/rsp/..; PINGREQ, {len(data)} B"
    )
    assert wire_words.said([mqtt.Connack(5)], ()) == "CONNACK 5 (not authorised)"
    assert wire_words.said([mqtt.Suback(1, (1,)), mqtt.Suback(2, (1,))], ()) == "SUBACK"
    assert wire_words.said([mqtt.Suback(1, (0x80,))], ()) == "SUBACK, 1 refused"
    assert wire_words.said([mqtt.Unsubscribe(1, ("a/b",))], ()) == "UNSUBSCRIBE a/.."


@pytest.mark.parametrize("code", range(6))
def test_every_answer_to_connect_has_a_meaning(code: int) -> None:
    assert wire_words.packet(mqtt.Connack(code), ()).startswith(f"CONNACK {code} (")


# --- the LAN ------------------------------------------------------------------------------------


def test_frames_are_told_by_their_command_and_no_token_is() -> None:
    frame = encode_token_bind(TOKEN, 1, TokenForm.PLAIN)
    told = wire_words.frames(frame)
    assert told == f"frame 0x0C (token bind), {len(frame)} B"
    assert TOKEN not in told
    odd = lan_frame.encode(lan_frame.Frame(1, 0x77, b""))
    assert wire_words.frames(odd) == f"frame 0x77 (unknown), {len(odd)} B"
    assert wire_words.frames(frame[:9]) == "part of a frame, 9 B"


def test_announcements_say_who_and_whether_a_token_is_wanted() -> None:
    card = discovery.Announcement(
        ip="10.0.0.2",
        gw_id="uuid1",
        active=0,
        encrypt=True,
        product_key="p",
        version="3.3",
        token=True,
    )
    data = discovery.encode_announcement(card)
    told = wire_words.announced(data)
    assert told == f"I am uuid1, active 0, takes a token, {len(data)} B"


@given(st.binary(max_size=200), st.text(max_size=50))
def test_garbage_never_raises(data: bytes, text: str) -> None:
    wire_words.frames(data)
    wire_words.announced(data)
    wire_words.request(f"/d.json?{text}", data)
    wire_words.path_shown(f"/{text}")
    wire_words.packet(publish("smart/device/in/6c1", data), (KEY,))
    wire_words.packet(publish("rpc/rsp/6c1", data), ())
