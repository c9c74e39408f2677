import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge
from firmware_sim.wire import mqtt
from firmware_sim.wire.mqtt import (
    Connack,
    Connect,
    Decoder,
    Disconnect,
    OtherVersion,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)

from .support import outcome, truncations, vector_bytes

PACKETS: dict[str, Packet] = {
    "mqtt_connect_paired": Connect(
        "6cemu000000000000001", "6cemu000000000000001", "166a8beb85a06380"
    ),
    "mqtt_connect_will": Connect("a", "d", "e", keep_alive_s=10, will=Will("b", b"c", qos=1)),
    "mqtt_connack_refused": Connack(mqtt.NOT_AUTHORIZED),
    "mqtt_publish": Publish("a/b", b"hi", qos=1, packet_id=10),
    "mqtt_puback": Puback(10),
    "mqtt_pubrec": Pubrec(10),
    "mqtt_pubrel": Pubrel(10),
    "mqtt_pubcomp": Pubcomp(10),
    "mqtt_subscribe": Subscribe(10, (("a/b", 1), ("c/d", 2))),
    "mqtt_suback": Suback(10, (0, 2, mqtt.SUBSCRIBE_REFUSED)),
    "mqtt_unsubscribe": Unsubscribe(10, ("a/b", "c/d")),
    "mqtt_unsuback": Unsuback(10),
    "mqtt_pingreq": Pingreq(),
    "mqtt_pingresp": Pingresp(),
    "mqtt_disconnect": Disconnect(),
}

IDS = st.integers(1, 65535)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
TOPICS = st.text(
    st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=200
)
FILTERS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)
QOS = st.integers(0, 2)
WILLS = st.builds(Will, TOPICS, st.binary(max_size=20), QOS, st.booleans())


@st.composite
def publishes(draw: st.DrawFn) -> Publish:
    qos = draw(QOS)
    return Publish(
        draw(TOPICS),
        draw(st.binary(max_size=300)),
        qos,
        draw(IDS) if qos else 0,
        draw(st.booleans()),
        draw(st.booleans()) if qos else False,
    )


@st.composite
def connects(draw: st.DrawFn) -> Connect:
    username = draw(st.none() | TEXTS)
    return Connect(
        draw(TEXTS),
        username,
        None if username is None else draw(st.none() | TEXTS),
        draw(st.integers(0, 65535)),
        draw(st.booleans()),
        draw(st.none() | WILLS),
    )


ANY_PACKET = st.one_of(
    connects(),
    st.builds(Connack, st.integers(0, 5), st.booleans()),
    publishes(),
    st.sampled_from((Puback, Pubrec, Pubrel, Pubcomp, Unsuback)).flatmap(
        lambda kind: st.builds(kind, IDS)
    ),
    st.builds(Subscribe, IDS, st.lists(st.tuples(FILTERS, QOS), min_size=1, max_size=4).map(tuple)),
    st.builds(
        Suback, IDS, st.lists(st.sampled_from((0, 1, 2, 128)), min_size=1, max_size=4).map(tuple)
    ),
    st.builds(Unsubscribe, IDS, st.lists(FILTERS, min_size=1, max_size=4).map(tuple)),
    st.sampled_from((Pingreq(), Pingresp(), Disconnect())),
)


def decode_all(data: bytes) -> list[Packet]:
    return Decoder().feed(data)


@pytest.mark.parametrize("name", PACKETS)
def test_golden_packets_both_ways(name: str) -> None:
    data = vector_bytes(name, "bytes")
    assert mqtt.encode(PACKETS[name]) == data
    assert decode_all(data) == [PACKETS[name]]


@given(ANY_PACKET)
def test_round_trip(packet: Packet) -> None:
    found = decode_all(mqtt.encode(packet))
    assert found == [packet]
    assert type(found[0]) is type(packet)


@given(st.lists(ANY_PACKET, max_size=5), st.integers(1, 50))
def test_any_cut_of_a_stream_gives_the_same_packets(packets: list[Packet], size: int) -> None:
    stream = b"".join(map(mqtt.encode, packets))
    decoder = Decoder()
    pieces = (stream[at : at + size] for at in range(0, len(stream), size))
    assert [packet for piece in pieces for packet in decoder.feed(piece)] == packets
    assert decoder.pending_size == 0


@pytest.mark.parametrize(
    ("size", "length"),
    [(0, "0a"), (117, "7f"), (118, "8001"), (16373, "ff7f"), (16374, "808001"), (65000, "f2fb03")],
)
def test_remaining_length(size: int, length: str) -> None:
    # Topic and packet identifier take 10 bytes.
    packet = Publish("topic6", bytes(size), 1, 1)
    data = mqtt.encode(packet)
    assert data[1 : 1 + len(length) // 2].hex() == length
    assert decode_all(data) == [packet]


def test_a_fourth_length_byte() -> None:
    packet = Publish("topic6", bytes(3_000_000), 1, 1)
    data = mqtt.encode(packet)
    assert Decoder(size_max=4_000_000).feed(data) == [packet]


@pytest.mark.parametrize("name", PACKETS)
def test_a_truncated_packet_is_waited_for(name: str) -> None:
    data = vector_bytes(name, "bytes")
    for part in truncations(data):
        decoder = Decoder()
        assert decoder.feed(part) == []
        assert decoder.pending_size == len(part)
        assert decoder.feed(data[len(part) :]) == [PACKETS[name]]


@pytest.mark.parametrize("name", PACKETS)
def test_a_body_that_ends_early_is_a_packet_or_a_peer_error(name: str) -> None:
    data = vector_bytes(name, "bytes")
    for body in truncations(data[2:]):
        found = outcome(decode_all, data[:1] + bytes((len(body),)) + body)
        assert found != [PACKETS[name]]


@pytest.mark.parametrize("head", [0x00, 0xF0, 0x36, 0x3E, 0x38, 0x80, 0x60, 0x41])
def test_a_bad_first_byte_is_refused_at_once(head: int) -> None:
    with pytest.raises(Malformed, match="begins with"):
        decode_all(bytes((head,)))


def connect_body(flags: int, payload: str, level: int = 4) -> str:
    return f"00044d515454{level:02x}{flags:02x}0000{payload}"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param(0x30, "", id="no topic"),
        pytest.param(0x30, "0003", id="topic beyond the end"),
        pytest.param(0x30, "00026100", id="NUL in the topic"),
        pytest.param(0x30, "000123", id="wildcard in the topic"),
        pytest.param(0x30, "0000", id="empty topic"),
        pytest.param(0x30, "0002c328", id="topic that is not UTF-8"),
        pytest.param(0x32, "000161", id="no packet identifier"),
        pytest.param(0x32, "0001610000", id="packet identifier 0 of a message"),
        pytest.param(0x40, "0000", id="packet identifier 0 of an acknowledgement"),
        pytest.param(0x40, "01", id="short acknowledgement"),
        pytest.param(0x40, "000101", id="long acknowledgement"),
        pytest.param(0xC0, "00", id="ping with a body"),
        pytest.param(0x20, "0200", id="reserved flag of CONNACK"),
        pytest.param(0x20, "0006", id="reserved code of CONNACK"),
        pytest.param(0x20, "00", id="short CONNACK"),
        pytest.param(0x20, "000000", id="long CONNACK"),
        pytest.param(0x10, connect_body(0x02, "000161", level=5), id="MQTT 5"),
        pytest.param(0x10, connect_body(0x03, "000161"), id="reserved flag of CONNECT"),
        pytest.param(0x10, connect_body(0x42, "000161000162"), id="password without username"),
        pytest.param(0x10, connect_body(0x0A, "000161"), id="quality of no will"),
        pytest.param(0x10, connect_body(0x1E, "0001610001620000"), id="will of QoS 3"),
        pytest.param(0x10, connect_body(0x06, "0001610001230000"), id="will to a wildcard"),
        pytest.param(0x10, connect_body(0x02, "00016100"), id="a byte too many in CONNECT"),
        pytest.param(0x82, "0001", id="SUBSCRIBE to nothing"),
        pytest.param(0x82, "0001000001", id="SUBSCRIBE to an empty filter"),
        pytest.param(0x82, "000100016103", id="SUBSCRIBE with QoS 3"),
        pytest.param(0x82, "0000000161", id="SUBSCRIBE without identifier"),
        pytest.param(0x90, "0001", id="SUBACK without codes"),
        pytest.param(0x90, "000103", id="reserved code of SUBACK"),
        pytest.param(0xA2, "0001", id="UNSUBSCRIBE from nothing"),
        pytest.param(0xA2, "00010000", id="UNSUBSCRIBE from an empty filter"),
    ],
)
def test_a_bad_packet_is_malformed(head: int, body: str) -> None:
    data = bytes.fromhex(body)
    with pytest.raises(Malformed):
        decode_all(bytes((head, len(data))) + data)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("00064d514973647003", True),  # MQTT 3.1
        ("00044d51545405", True),
        ("00044d51545484", True),  # as bridges begin
        ("00044d51545400", True),
        ("00064d514973647004", True),
        ("00044854545004", False),  # of something else
        ("00054d5154545304", False),
    ],
)
def test_a_connect_of_another_version_is_told_apart_mqtt_3_1_2_2(version: str, told: bool) -> None:
    body = bytes.fromhex(version + "02003c00000361")
    with pytest.raises(Malformed) as raised:
        Decoder().feed(bytes((Connect.HEAD, len(body))) + body)
    assert isinstance(raised.value, OtherVersion) is told


def test_a_remaining_length_of_five_bytes_is_malformed() -> None:
    with pytest.raises(Malformed, match="four bytes"):
        decode_all(bytes.fromhex("30ffffffff"))


def test_a_huge_packet_is_refused_when_its_length_is_known() -> None:
    with pytest.raises(TooLarge, match="the limit is 65536"):
        decode_all(bytes.fromhex("30ffffff7f"))
    with pytest.raises(TooLarge, match="the limit is 100"):
        Decoder(size_max=100).feed(bytes.fromhex("3064"))
    assert Decoder(size_max=100).feed(bytes.fromhex("3062")) == []


@given(st.sampled_from(sorted(PACKETS)), st.binary(max_size=127))
def test_garbage_is_a_result_or_a_peer_error(name: str, data: bytes) -> None:
    outcome(decode_all, data)
    outcome(decode_all, bytes((PACKETS[name].HEAD, len(data))) + data)


@given(st.sampled_from(sorted(PACKETS)), st.data())
def test_a_damaged_packet_is_a_result_or_a_peer_error(name: str, data: st.DataObject) -> None:
    packet = bytearray(vector_bytes(name, "bytes"))
    packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    found = outcome(decode_all, bytes(packet))
    assert isinstance(found, list | PeerError)


def test_a_decoder_between_packets_is_small() -> None:
    decoder = Decoder()
    decoder.feed(mqtt.encode(Publish("t", bytes(1000)))[:-1])
    decoder.feed(b"\0")
    assert not hasattr(decoder, "__dict__")
    assert decoder.pending_size == 0
    assert sys.getsizeof(decoder) <= 64
