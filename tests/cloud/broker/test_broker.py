"""The broker by packets: who may come in, what is acknowledged, who hears what.

Names in brackets are conformance statements of OASIS MQTT Version 3.1.1.
"""

import pytest

from firmware_sim.wire import mqtt
from fleet.cloud.broker import (
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Gone,
    MessageReceived,
)
from fleet.cloud.messages import StreamClosed, StreamReceived
from tests.cloud.broker.world import GUEST, LIMITS, START_MS, World, hello

# --- CONNECT --------------------------------------------------------------------------------------


def test_a_client_with_the_right_password_is_in() -> None:
    world = World()
    conn = world.open()
    assert world.send(conn, hello("cam")) == [ClientConnected("cam")]
    assert world.heard(conn) == [mqtt.Connack(mqtt.ACCEPTED)]
    assert world.directory.asked == [("cam", "user", b"ok", START_MS)]
    assert world.broker.connected("cam")
    assert world.broker.clients == 1


def test_a_refused_client_hears_its_code_and_is_closed_without_a_happening() -> None:
    world = World()
    conn = world.open()
    assert world.send(conn, hello("cam", password="no")) == []
    assert world.heard(conn) == [mqtt.Connack(mqtt.NOT_AUTHORIZED)]
    assert world.closed == [conn]
    assert not world.broker.connected("cam")


def test_missing_credentials_are_empty_for_the_directory() -> None:
    world = World()
    world.send(world.open(), mqtt.Connect("cam"))
    assert world.directory.asked == [("cam", "", b"", START_MS)]


@pytest.mark.parametrize("client_id", ["", "x" * 65])
def test_an_unusable_client_id_is_refused_with_code_2_unasked(client_id: str) -> None:
    world = World()
    conn = world.open()
    world.send(conn, hello(client_id))
    assert world.heard(conn) == [mqtt.Connack(2)]
    assert world.closed == [conn]
    assert world.directory.asked == []


@pytest.mark.parametrize(
    "connect",
    [
        b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02id",  # MQTT 5
        b"\x10\x10\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x02id",  # MQTT 3.1
    ],
)
def test_another_version_is_refused_with_code_1_mqtt_3_1_2_2(connect: bytes) -> None:
    world = World()
    conn = world.open()
    assert world.handle(StreamReceived(conn, connect)) == []
    assert world.heard(conn) == [mqtt.Connack(1)]
    assert world.closed == [conn]


def test_nor_does_it_matter_in_how_many_pieces_it_comes() -> None:
    world = World()
    conn = world.open()
    for byte in b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02id":
        world.handle(StreamReceived(conn, bytes((byte,))))
    assert world.heard(conn) == [mqtt.Connack(1)]
    assert world.closed == [conn]


def test_what_comes_along_with_connect_has_the_limits_of_who_connects() -> None:
    world = World()
    conn = world.open()
    many = [mqtt.Publish("t", b"", 1, number) for number in range(1, LIMITS.packets_per_s_max + 9)]
    large = mqtt.Publish("t", bytes(LIMITS.packet_size_max + 1), 1, 999)
    world.send(conn, mqtt.Connect("one", GUEST, "ok"), *many, large)
    answers = world.heard(conn)
    assert answers[0] == mqtt.Connack(mqtt.ACCEPTED)
    assert answers[1:] == [mqtt.Puback(packet.packet_id) for packet in (*many, large)]


def test_what_comes_along_with_a_refused_connect_is_not_looked_at_mqtt_3_1_4_5() -> None:
    world = World()
    conn = world.open()
    world.send(conn, hello("cam", password="no"), mqtt.Publish("cam/out", b"x", 1, 1))
    assert world.heard(conn) == [mqtt.Connack(mqtt.NOT_AUTHORIZED)]
    assert world.closed == [conn]


def test_a_malformed_connect_is_closed_without_an_answer() -> None:
    world = World()
    conn = world.open()
    world.handle(StreamReceived(conn, b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x3c\x00\x00"))
    assert world.heard(conn) == []
    assert world.closed == [conn]


@pytest.mark.parametrize(
    "first", [mqtt.Pingreq(), mqtt.Publish("cam/out", b""), mqtt.Disconnect()], ids=repr
)
def test_the_first_packet_must_be_connect_mqtt_3_1_0_1(first: mqtt.Packet) -> None:
    world = World()
    conn = world.open()
    assert world.send(conn, first, hello("cam")) == []
    assert world.closed == [conn]
    assert not world.broker.connected("cam")


def test_a_second_connect_closes_mqtt_3_1_0_2() -> None:
    world = World()
    conn = world.connect("cam")
    assert world.send(conn, hello("cam")) == [ClientGone("cam", Gone.BROKE_PROTOCOL)]
    assert world.closed == [conn]


def test_a_newer_connection_takes_the_client_id_over_mqtt_3_1_4_2() -> None:
    world = World()
    old = world.listener("cam")
    new = world.open()
    assert world.send(new, hello("cam")) == [
        ClientGone("cam", Gone.TAKEN_OVER),
        ClientConnected("cam"),
    ]
    assert world.closed == [old]
    assert world.broker.connected("cam")
    assert not world.publish("cam", b"for the old session only")
    assert world.send(old, mqtt.Pingreq()) == []  # bytes that crossed the closing


def test_an_impostor_without_the_password_takes_nothing_over() -> None:
    world = World()
    conn = world.listener("cam")
    world.send(world.open(), hello("cam", password="guess"))
    assert conn not in world.closed
    assert world.publish("cam", b"still here")


def test_who_says_no_connect_in_time_is_closed() -> None:
    world = World()
    conn = world.open()
    world.handle(StreamReceived(conn, b"\x10"))
    world.wait(9_999)
    assert world.closed == []
    assert world.wait(250) == []
    assert world.closed == [conn]


# --- messages of clients --------------------------------------------------------------------------


def test_qos_0_and_1_reach_the_cloud_and_qos_1_is_acknowledged() -> None:
    world = World()
    conn = world.connect("cam")
    assert world.send(
        conn, mqtt.Publish("cam/out", b"a"), mqtt.Publish("cam/out", b"b", qos=1, packet_id=9)
    ) == [MessageReceived("cam", "cam/out", b"a"), MessageReceived("cam", "cam/out", b"b")]
    assert world.heard(conn) == [mqtt.Puback(9)]


def test_qos_2_is_taken_once_however_often_it_is_sent_mqtt_4_3_3() -> None:
    world = World()
    conn = world.connect("cam")
    message = mqtt.Publish("cam/out", b"a", qos=2, packet_id=9)
    assert world.send(conn, message) == [MessageReceived("cam", "cam/out", b"a")]
    assert world.send(conn, message) == []
    assert world.send(conn, mqtt.Pubrel(9), mqtt.Pubrel(9)) == []
    assert world.heard(conn) == [mqtt.Pubrec(9)] * 2 + [mqtt.Pubcomp(9)] * 2
    assert world.send(conn, message) == [MessageReceived("cam", "cam/out", b"a")]


def test_qos_2_messages_that_are_never_released_are_bounded() -> None:
    world = World()
    conn = world.connect("cam")
    for packet_id in range(1, LIMITS.inflight_max + 1):
        world.send(conn, mqtt.Publish("cam/out", b"", qos=2, packet_id=packet_id))
    assert world.closed == []
    happened = world.send(conn, mqtt.Publish("cam/out", b"", qos=2, packet_id=99))
    assert happened == [ClientGone("cam", Gone.BROKE_PROTOCOL)]


def test_a_release_of_nothing_is_completed_mqtt_4_3_3_2() -> None:
    world = World()
    conn = world.connect("cam")
    world.send(conn, mqtt.Pubrel(5))
    assert world.heard(conn) == [mqtt.Pubcomp(5)]


def test_a_message_to_a_foreign_topic_closes_mqtt_3_3_5_2() -> None:
    world = World()
    conn = world.connect("cam")
    message = mqtt.Publish("nvr/out", b"", qos=1, packet_id=1)
    assert world.send(conn, message) == [ClientGone("cam", Gone.NOT_ITS_TOPIC)]
    assert world.heard(conn) == []
    assert world.closed == [conn]


@pytest.mark.parametrize(
    "packet",
    [mqtt.Connack(0), mqtt.Suback(1, (0,)), mqtt.Unsuback(1), mqtt.Pingresp()],
    ids=repr,
)
def test_what_only_a_broker_sends_closes(packet: mqtt.Packet) -> None:
    world = World()
    conn = world.connect("cam")
    assert world.send(conn, packet) == [ClientGone("cam", Gone.BROKE_PROTOCOL)]
    assert world.closed == [conn]


@pytest.mark.parametrize(
    "garbage", [b"\x00", b"\xf0\x00", b"\x30\xff\xff\xff\xff\x01", b"\xc0\x01a"]
)
def test_malformed_packets_close(garbage: bytes) -> None:
    world = World()
    conn = world.connect("cam")
    assert world.handle(StreamReceived(conn, garbage)) == [ClientGone("cam", Gone.BROKE_PROTOCOL)]
    assert world.closed == [conn]


def test_what_is_in_front_of_a_malformed_packet_counts() -> None:
    world = World()
    conn = world.connect("cam")
    said = mqtt.encode(mqtt.Publish("cam/out", b"x", 1, 5))
    happened = world.handle(StreamReceived(conn, said + b"\x00\x00"))
    assert happened == [
        MessageReceived("cam", "cam/out", b"x"),
        ClientGone("cam", Gone.BROKE_PROTOCOL),
    ]
    assert world.heard(conn) == [mqtt.Puback(5)]


def test_a_packet_beyond_the_limit_closes_before_it_is_complete() -> None:
    world = World()
    conn = world.connect("cam")
    head = mqtt.encode(mqtt.Publish("cam/out", bytes(LIMITS.packet_size_max)))[:20]
    assert world.handle(StreamReceived(conn, head)) == [ClientGone("cam", Gone.BROKE_PROTOCOL)]


def test_a_client_that_sends_too_much_in_a_second_is_closed() -> None:
    world = World()
    conn = world.connect("cam")
    world.now_ms += 1_000
    pings = [mqtt.Pingreq()] * LIMITS.packets_per_s_max
    for _ in range(2):
        assert world.send(conn, *pings) == []
        world.now_ms += 1_000
    world.send(conn, *pings)
    world.now_ms += 999
    assert world.send(conn, mqtt.Pingreq()) == [ClientGone("cam", Gone.TOO_FAST)]
    assert world.closed == [conn]


def test_filters_count_like_packets() -> None:
    world = World()
    conn = world.connect("cam")
    packet = mqtt.Subscribe(3, (("cam/a", 1),) * (LIMITS.packets_per_s_max // 2))
    assert len(world.send(conn, packet)) == LIMITS.packets_per_s_max // 2
    assert world.send(conn, packet) == [ClientGone("cam", Gone.TOO_FAST)]


# --- subscriptions --------------------------------------------------------------------------------


def test_each_filter_is_granted_or_refused_on_its_own() -> None:
    world = World()
    conn = world.connect("cam")
    filters = (("cam/a", 0), ("nvr/a", 1), ("cam/b", 2), ("cam/+", 1), ("cam/#", 1))
    assert world.send(conn, mqtt.Subscribe(3, filters)) == [
        ClientSubscribed("cam", "cam/a"),
        ClientSubscribed("cam", "cam/b"),
    ]
    assert world.heard(conn) == [mqtt.Suback(3, (0, 0x80, 2, 0x80, 0x80))]


def test_subscriptions_are_bounded_in_number_and_length_and_can_be_renewed() -> None:
    world = World()
    conn = world.connect("cam")
    long = "cam/" + "x" * LIMITS.topic_size_max
    filters = (("cam/1", 1), ("cam/2", 1), (long, 1), ("cam/3", 1), ("cam/4", 1), ("cam/1", 0))
    world.send(conn, mqtt.Subscribe(3, filters))
    assert world.heard(conn) == [mqtt.Suback(3, (1, 1, 0x80, 1, 0x80, 0))]


def test_a_message_goes_to_those_who_subscribed_to_exactly_its_topic() -> None:
    world = World()
    cam, nvr = world.listener("cam"), world.listener("nvr", qos=0)
    assert world.publish("cam", b"x")
    assert world.publish("nvr", b"y")
    assert not world.publish("hub", b"z")
    assert world.heard(cam) == [mqtt.Publish("cam/in", b"x", qos=1, packet_id=1)]
    assert world.heard(nvr) == [mqtt.Publish("nvr/in", b"y")]


def test_two_clients_may_hear_the_same_topic_and_leave_it_one_by_one() -> None:
    world = World()
    first, second = world.listener("cam"), world.connect("cam/2")
    world.directory.may_subscribe = lambda *_: True  # type: ignore[method-assign]
    world.send(second, mqtt.Subscribe(1, (("cam/in", 0),)))
    world.heard(second)
    world.publish("cam", b"x", qos=0)
    assert world.heard(first) == world.heard(second) == [mqtt.Publish("cam/in", b"x")]
    world.handle(StreamClosed(first))
    assert world.publish("cam", b"y", qos=0)
    assert world.heard(first) == []
    assert world.heard(second) == [mqtt.Publish("cam/in", b"y")]


def test_after_unsubscribe_nothing_comes_any_more_mqtt_3_10_4_2() -> None:
    world = World()
    conn = world.listener("cam")
    world.send(conn, mqtt.Unsubscribe(4, ("cam/in", "never/had")))
    assert world.heard(conn) == [mqtt.Unsuback(4)]
    assert not world.publish("cam", b"x")
