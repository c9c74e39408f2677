import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire import mqtt
from firmware_sim.wire.mqtt_packets import (
    Connack,
    Connect,
    Packet,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsubscribe,
    Will,
    encode,
    is_plain,
    is_topic_filter,
    is_topic_name,
)


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
        encode(packet)


def test_a_packet_beyond_the_format_is_the_callers_mistake() -> None:
    with pytest.raises(UsageError, match="268435456"):
        encode(Publish("t", bytes(128**4 - 3)))


def test_a_password_is_not_shown() -> None:
    assert repr(Connect("c", "u", "hunter22")) == "Connect(client_id='c', keep_alive_s=120)"


def test_a_password_may_be_any_bytes() -> None:
    text = b"\xff\0p\xc3".decode("utf-8", "surrogateescape")
    packet = Connect("c", "u", text)
    assert encode(packet).endswith(b"\x00\x04\xff\0p\xc3")
    assert mqtt.Decoder().feed(encode(packet)) == [packet]
    assert isinstance(packet.password, str)


def test_topic_filters() -> None:
    for text in ("a", "/", "#", "+", "a/#", "/#", "+/+/#", "a/+/b", "a b/\u00fc", "$SYS/#"):
        assert is_topic_filter(text)
    for text in ("", "a#", "#/a", "a/#/b", "+a", "a+", "a/b+/c", "##", "++", "a\0", "a/#\0"):
        assert not is_topic_filter(text)
    assert is_plain("a/b")
    assert not is_plain("a/+")
    assert not is_plain("#")


def test_topic_names() -> None:
    assert is_topic_name("a/b")
    for text in ("", "+", "a/#", "a\0"):
        assert not is_topic_name(text)


@pytest.mark.parametrize(
    ("packet", "head"),
    [
        (Publish("t", b""), 0x30),
        (Publish("t", b"", retain=True), 0x31),
        (Publish("t", b"", qos=1, packet_id=1), 0x32),
        (Publish("t", b"", qos=1, packet_id=1, dup=True), 0x3A),
        (Publish("t", b"", qos=2, packet_id=1, retain=True, dup=True), 0x3D),
    ],
)
def test_the_flags_of_a_message_are_in_the_first_byte(packet: Packet, head: int) -> None:
    assert encode(packet)[0] == head


def test_every_packet_is_in_the_public_list_of_the_codec() -> None:
    kinds = {kind.__name__ for kind in Packet.__subclasses__() if not kind.__name__.startswith("_")}
    assert kinds <= set(mqtt.__all__)
