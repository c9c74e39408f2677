import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import mqtt
from firmware_sim.wire.mqtt import (
    Connack,
    Connect,
    Decoder,
    Disconnect,
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
        assert isinstance(found, Malformed) or len(body) > 2


@pytest.mark.parametrize(
    "data",
    [
        "00",
        "f000",
        "3600",
        "3e00",
        "3800",
        "8000",
        "6000",
        "41020001",
    ],
)
def test_a_bad_first_byte_is_refused_at_once(data: str) -> None:
    with pytest.raises(Malformed, match="begins with"):
        decode_all(bytes.fromhex(data)[:1])


@pytest.mark.parametrize(
    "data",
    [
        "30ffffffff01",  # five length bytes
        "3000",  # no topic
        "30020003",  # topic beyond the end
        "300400026100",  # NUL in the topic
        "3003000123",  # wildcard
        "30020000",  # empty topic
        "30040002c328",  # topic not UTF-8
        "3203000161",  # no packet identifier
        "32050001610000",  # packet identifier 0
        "40020000",
        "400101",
        "4003000101",
        "c00100",
        "20020200",
        "20020006",
        "200100",
        "2003000000",
        "100d00044d51545405020000000161",  # level 5
        "100d00044d51545404030000000161",  # reserved flag
        "100d00044d515454044000000001611000"[:30],  # password without username
        "100d00044d51545404080000000161",  # quality of a will without a will
        "101300044d515454041c000000016100016200"[:42],
        "101400044d515454041c0000000161000162000163",  # will of QoS 3
        "101400044d51545404040000000161000123000163",  # will to a wildcard
        "100e00044d5154540402000000016100",  # a byte too many
        "82020001",
        "8205000100016100"[:14],
        "82060001000161ff",
        "820500010000 01",
        "90020001",
        "9003000103",
        "a2020001",
        "a20400010000",
        "a2020000",
    ],
)
def test_a_bad_packet_is_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        decode_all(bytes.fromhex(data))


def test_a_huge_packet_is_refused_when_its_length_is_known() -> None:
    with pytest.raises(TooLarge, match="the limit is 65536"):
        decode_all(bytes.fromhex("30ffffff7f"))
    with pytest.raises(TooLarge, match="the limit is 100"):
        Decoder(size_max=100).feed(bytes.fromhex("3064"))
    assert Decoder(size_max=100).feed(bytes.fromhex("3062")) == []


@given(st.binary(max_size=200))
def test_garbage_is_a_result_or_a_peer_error(data: bytes) -> None:
    outcome(decode_all, data)
    for packet in PACKETS.values():
        head = packet.HEAD
        outcome(decode_all, bytes((head, len(data) & 127)) + data)
        outcome(decode_all, mqtt.encode(Connect("c", will=None))[:2] + data)


@given(st.sampled_from(sorted(PACKETS)), st.data())
def test_a_damaged_packet_is_a_result_or_a_peer_error(name: str, data: st.DataObject) -> None:
    packet = bytearray(vector_bytes(name, "bytes"))
    packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    found = outcome(decode_all, bytes(packet))
    assert isinstance(found, list | PeerError)


@pytest.mark.parametrize(
    "packet",
    [
        Connect("c", password="x"),
        Connect("c\0"),
        Connect("c", keep_alive_s=65536),
        Connect("x" * 65536),
        Connect("c", will=Will("t", b"", qos=3)),
        Connack(6),
        Publish("", b""),
        Publish("a/+", b""),
        Publish("#", b""),
        Publish("a\0", b""),
        Publish("x" * 65536, b""),
        Publish("t", b"", qos=3),
        Publish("t", b"", qos=1),
        Publish("t", b"", qos=1, packet_id=65536),
        Puback(0),
        Subscribe(1, ()),
        Subscribe(1, (("t", -1),)),
        Suback(1, (3,)),
        Unsubscribe(1, ()),
    ],
)
def test_a_packet_that_cannot_travel_is_the_callers_mistake(packet: Packet) -> None:
    with pytest.raises(UsageError):
        mqtt.encode(packet)


def test_a_packet_beyond_the_format_is_the_callers_mistake() -> None:
    with pytest.raises(UsageError, match="268435456"):
        mqtt.encode(Publish("t", bytes(128**4 - 3)))


def test_a_password_is_not_shown() -> None:
    assert repr(Connect("c", "u", "hunter22")) == "Connect(client_id='c', keep_alive_s=120)"


def test_topic_names() -> None:
    assert mqtt.is_topic_name("a/b")
    for text in ("", "+", "a/#", "a\0"):
        assert not mqtt.is_topic_name(text)
