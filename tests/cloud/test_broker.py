"""The broker by packets: who may come in, what is acknowledged, when a connection ends.

Names in brackets are conformance statements of OASIS MQTT Version 3.1.1.
"""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached
from firmware_sim.wire import mqtt
from fleet.cloud.broker import (
    Broker,
    BrokerSettings,
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Delivered,
    Gone,
    Happening,
    MessageReceived,
)
from fleet.cloud.messages import CloseStream, SendStream, StreamClosed, StreamOpened, StreamReceived

START_MS = 1_000_000
LIMITS = BrokerSettings(packet_size_max=512, subscriptions_max=3, inflight_max=4)


class OwnTopics:
    """A directory: password "ok", and topics that begin with the client's own id."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, int]] = []

    def admit(self, client_id: str, username: str, password: bytes, now_ms: int) -> int:
        self.asked.append((client_id, username, password, now_ms))
        return mqtt.ACCEPTED if password == b"ok" else mqtt.NOT_AUTHORIZED

    def may_subscribe(self, client_id: str, topic: str) -> bool:
        return topic.startswith(f"{client_id}/")

    def may_publish(self, client_id: str, topic: str) -> bool:
        return topic.startswith(f"{client_id}/")


class World:
    """A broker, a clock, and what each connection has been sent."""

    def __init__(self, limits: BrokerSettings = LIMITS) -> None:
        self.directory = OwnTopics()
        self.broker = Broker(self.directory, limits)
        self.now_ms = START_MS
        self.sent: defaultdict[int, bytes] = defaultdict(bytes)
        self.closed: list[int] = []
        self._conns = 0

    def handle(
        self, event: StreamOpened | StreamReceived | StreamClosed | DeadlineReached
    ) -> list[Happening]:
        out: list[Effect] = []
        happened = self.broker.handle(event, self.now_ms, out)
        self.carry_out(out)
        return happened

    def carry_out(self, out: list[Effect]) -> None:
        for effect in out:
            if isinstance(effect, SendStream):
                assert effect.conn not in self.closed
                self.sent[effect.conn] += effect.data
            else:
                assert isinstance(effect, CloseStream)
                self.closed.append(effect.conn)

    def open(self) -> int:
        self._conns += 1
        assert self.handle(StreamOpened(self._conns)) == []
        return self._conns

    def send(self, conn: int, *packets: mqtt.Packet) -> list[Happening]:
        return self.handle(StreamReceived(conn, b"".join(map(mqtt.encode, packets))))

    def heard(self, conn: int) -> list[mqtt.Packet]:
        """Return what the client has been sent since the last time."""
        return mqtt.Decoder().feed(self.sent.pop(conn, b""))

    def connect(self, client_id: str, keep_alive_s: int = 120) -> int:
        conn = self.open()
        self.send(conn, _hello(client_id, keep_alive_s))
        assert self.heard(conn) == [mqtt.Connack(mqtt.ACCEPTED)]
        return conn

    def listener(self, client_id: str, qos: int = 1) -> int:
        """Return a client that subscribed to its topic `in`."""
        conn = self.connect(client_id)
        self.send(conn, mqtt.Subscribe(1, ((f"{client_id}/in", qos),)))
        assert self.heard(conn) == [mqtt.Suback(1, (qos,))]
        return conn

    def publish(self, client_id: str, payload: bytes, qos: int = 1, tag: str = "") -> bool:
        out: list[Effect] = []
        reached = self.broker.publish(f"{client_id}/in", payload, qos, tag, self.now_ms, out)
        self.carry_out(out)
        return reached

    def wait(self, duration_ms: int) -> list[Happening]:
        """Let time pass; the broker is woken when it asked to be."""
        end_ms = self.now_ms + duration_ms
        happened: list[Happening] = []
        while (due_ms := self.broker.next_deadline_ms()) is not None and due_ms <= end_ms:
            self.now_ms = due_ms
            happened += self.handle(DeadlineReached())
        self.now_ms = end_ms
        return happened


def _hello(client_id: str, keep_alive_s: int = 120, password: str = "ok") -> mqtt.Connect:
    return mqtt.Connect(client_id, "user", password, keep_alive_s)


# --- CONNECT --------------------------------------------------------------------------------------


def test_a_client_with_the_right_password_is_in() -> None:
    world = World()
    conn = world.open()
    assert world.send(conn, _hello("cam")) == [ClientConnected("cam")]
    assert world.heard(conn) == [mqtt.Connack(mqtt.ACCEPTED)]
    assert world.directory.asked == [("cam", "user", b"ok", START_MS)]
    assert world.broker.connected("cam")
    assert world.broker.clients == 1


def test_a_refused_client_hears_its_code_and_is_closed_without_a_happening() -> None:
    world = World()
    conn = world.open()
    assert world.send(conn, _hello("cam", password="no")) == []
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
    world.send(conn, _hello(client_id))
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
    assert world.send(conn, first, _hello("cam")) == []
    assert world.closed == [conn]
    assert not world.broker.connected("cam")


def test_a_second_connect_closes_mqtt_3_1_0_2() -> None:
    world = World()
    conn = world.connect("cam")
    assert world.send(conn, _hello("cam")) == [ClientGone("cam", Gone.BROKE_PROTOCOL)]
    assert world.closed == [conn]


def test_a_newer_connection_takes_the_client_id_over_mqtt_3_1_4_2() -> None:
    world = World()
    old = world.listener("cam")
    new = world.open()
    assert world.send(new, _hello("cam")) == [
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
    world.send(world.open(), _hello("cam", password="guess"))
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
    "packet", [mqtt.Connack(0), mqtt.Pubrec(1), mqtt.Pubcomp(1), mqtt.Pingresp()], ids=repr
)
def test_what_only_a_broker_or_a_qos_2_receiver_sends_closes(packet: mqtt.Packet) -> None:
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


def test_a_packet_beyond_the_limit_closes_before_it_is_complete() -> None:
    world = World()
    conn = world.connect("cam")
    head = mqtt.encode(mqtt.Publish("cam/out", bytes(LIMITS.packet_size_max)))[:20]
    assert world.handle(StreamReceived(conn, head)) == [ClientGone("cam", Gone.BROKE_PROTOCOL)]


# --- subscriptions --------------------------------------------------------------------------------


def test_each_filter_is_granted_or_refused_on_its_own() -> None:
    world = World()
    conn = world.connect("cam")
    filters = (("cam/a", 0), ("nvr/a", 1), ("cam/b", 2), ("cam/+", 1), ("cam/#", 1))
    assert world.send(conn, mqtt.Subscribe(3, filters)) == [
        ClientSubscribed("cam", "cam/a"),
        ClientSubscribed("cam", "cam/b"),
    ]
    assert world.heard(conn) == [mqtt.Suback(3, (0, 0x80, 1, 0x80, 0x80))]


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
    world.directory.may_subscribe = lambda client_id, topic: True  # type: ignore[method-assign]
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


# --- messages of the cloud ------------------------------------------------------------------------


def test_a_qos_1_message_is_delivered_once_its_puback_is_there() -> None:
    world = World()
    conn = world.listener("cam")
    world.publish("cam", b"a", tag="reset")
    world.publish("cam", b"b", tag="other")
    assert world.send(conn, mqtt.Puback(1)) == [Delivered("cam", "reset")]
    assert world.send(conn, mqtt.Puback(1)) == []
    assert world.send(conn, mqtt.Puback(77)) == []
    assert world.send(conn, mqtt.Puback(2)) == [Delivered("cam", "other")]


def test_an_unacknowledged_message_is_sent_again_with_dup_and_then_the_client_given_up() -> None:
    world = World()
    conn = world.listener("cam")
    world.publish("cam", b"a", tag="reset")
    world.heard(conn)
    for _ in range(LIMITS.resends_max):
        assert world.wait(LIMITS.resend_after_ms + 250) == []
        assert world.heard(conn) == [mqtt.Publish("cam/in", b"a", qos=1, packet_id=1, dup=True)]
        world.send(conn, mqtt.Pingreq())
        world.heard(conn)
    assert world.wait(LIMITS.resend_after_ms + 250) == [ClientGone("cam", Gone.UNACKNOWLEDGED)]
    assert world.closed == [conn]


def test_only_the_overdue_message_is_sent_again() -> None:
    world = World()
    conn = world.listener("cam")
    world.publish("cam", b"early", tag="e")
    world.wait(LIMITS.resend_after_ms // 2)
    world.publish("cam", b"late", tag="l")
    world.heard(conn)
    world.wait(LIMITS.resend_after_ms // 2 + 250)
    assert world.heard(conn) == [mqtt.Publish("cam/in", b"early", qos=1, packet_id=1, dup=True)]
    assert world.send(conn, mqtt.Puback(1)) == [Delivered("cam", "e")]


def test_messages_in_flight_are_bounded_and_ids_wrap_around_them() -> None:
    world = World()
    conn = world.listener("cam")
    assert all(world.publish("cam", b"x") for _ in range(LIMITS.inflight_max))
    assert not world.publish("cam", b"one too many")
    assert world.publish("cam", b"qos 0 passes", qos=0)
    world.send(conn, mqtt.Puback(2), mqtt.Puback(3), mqtt.Puback(4))
    world.heard(conn)
    for _ in range(65_533):
        world.publish("cam", b"x")
        (packet,) = world.heard(conn)
        assert isinstance(packet, mqtt.Publish)
        last_id = packet.packet_id
        assert last_id != 1  # still in flight
        world.send(conn, mqtt.Puback(last_id))
    assert last_id == 3


# --- how connections end --------------------------------------------------------------------------


def test_disconnect_of_the_client_and_loss_of_its_stream_are_told_apart() -> None:
    world = World()
    polite, lost = world.listener("cam"), world.listener("nvr")
    assert world.send(polite, mqtt.Disconnect(), mqtt.Pingreq()) == [
        ClientGone("cam", Gone.DISCONNECTED)
    ]
    assert world.handle(StreamClosed(lost)) == [ClientGone("nvr", Gone.LOST)]
    assert world.handle(StreamClosed(lost)) == []
    assert world.closed == [polite]
    assert world.broker.clients == 0
    assert not world.publish("cam", b"x")


def test_a_stream_that_ends_before_connect_is_forgotten_silently() -> None:
    world = World()
    conn = world.open()
    assert world.handle(StreamClosed(conn)) == []
    assert world.wait(60_000) == []
    assert world.closed == []


def test_the_cloud_can_close_a_client_and_is_not_told_so() -> None:
    world = World()
    conn = world.listener("cam")
    out: list[Effect] = []
    world.broker.disconnect("cam", out)
    world.broker.disconnect("cam", out)
    assert out == [CloseStream(conn)]
    assert not world.broker.connected("cam")
    assert world.handle(StreamClosed(conn)) == []


def test_a_client_is_silent_for_at_most_one_and_a_half_keep_alives_mqtt_3_1_2_24() -> None:
    world = World()
    conn = world.connect("cam", keep_alive_s=10)
    for _ in range(20):
        assert world.wait(14_000) == []
        world.send(conn, mqtt.Pingreq())
        assert world.heard(conn) == [mqtt.Pingresp()]
    assert world.wait(14_999) == []
    assert world.wait(251) == [ClientGone("cam", Gone.SILENT)]
    assert world.closed == [conn]


def test_trickling_bytes_are_no_sign_of_life() -> None:
    world = World()
    conn = world.connect("cam", keep_alive_s=2)
    world.wait(2_000)
    world.handle(StreamReceived(conn, b"\x30\x7f"))
    assert world.wait(1_250) == [ClientGone("cam", Gone.SILENT)]


def test_keep_alive_0_is_no_limit_mqtt_3_1_2_10() -> None:
    world = World()
    world.connect("cam", keep_alive_s=0)
    assert world.wait(10 * 86_400_000) == []
    assert world.broker.next_deadline_ms() is None


def test_wake_ups_of_an_active_client_do_not_pile_up() -> None:
    world = World()
    conn = world.connect("cam", keep_alive_s=65_535)
    world.send(conn, mqtt.Subscribe(1, (("cam/in", 1),)))
    for _ in range(500):
        world.publish("cam", b"x")
        packet = world.heard(conn)[-1]
        assert isinstance(packet, mqtt.Publish)
        assert world.send(conn, mqtt.Puback(packet.packet_id)) == [Delivered("cam", "")]
        assert world.wait(21_000) == []
    assert len(world.broker._wakes) < 10


# --- whatever arrives -----------------------------------------------------------------------------

packets = st.sampled_from(
    [
        mqtt.Connect("cam", "user", "ok"),
        mqtt.Connect("nvr", "user", "ok"),
        mqtt.Publish("cam/out", b"x", qos=1, packet_id=1),
        mqtt.Publish("cam/out", b"x", qos=2, packet_id=2),
        mqtt.Pubrel(2),
        mqtt.Puback(1),
        mqtt.Subscribe(1, (("cam/in", 1), ("nvr/in", 0))),
        mqtt.Unsubscribe(1, ("cam/in",)),
        mqtt.Pingreq(),
        mqtt.Disconnect(),
    ]
).map(mqtt.encode)


@given(st.binary(min_size=2, max_size=200), st.booleans())
def test_garbage_ends_in_a_closed_connection_or_waits_for_more(
    garbage: bytes, connected: bool
) -> None:
    world = World()
    conn = world.connect("cam", keep_alive_s=5) if connected else world.open()
    world.handle(StreamReceived(conn, garbage))
    world.wait(20_000)
    assert world.closed == [conn]
    assert world.broker.clients == 0
    assert world.broker._sessions == {}
    assert world.broker._listeners == {}
    assert world.broker.next_deadline_ms() is None


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.one_of(packets, st.binary(max_size=6), st.just(b"close"), st.just(b"publish")),
        ),
        max_size=40,
    )
)
def test_any_walk_leaves_a_consistent_broker(steps: list[tuple[int, bytes]]) -> None:
    world = World()
    conns: dict[int, int] = {}
    for who, what in steps:
        if who not in conns or conns[who] in world.closed:
            conns[who] = world.open()
        if what == b"close":
            world.handle(StreamClosed(conns[who]))
            world.closed.append(conns[who])
        elif what == b"publish":
            world.publish("cam", b"x")
            world.wait(7_000)
        else:
            world.handle(StreamReceived(conns[who], what))
    live = world.broker._sessions
    assert {s.client_id for s in live.values()} - {""} == set(world.broker._clients)
    heard = {(topic, s.conn) for topic, many in world.broker._listeners.items() for s in many}
    assert heard == {(topic, s.conn) for s in live.values() for topic in s.subscriptions}
    for conn in list(live):
        world.handle(StreamClosed(conn))
    assert world.broker._listeners == {}


def test_a_hostile_client_costs_no_more_than_its_limits() -> None:
    world = World()
    conn = world.listener("cam")
    world.handle(StreamReceived(conn, b"\x30\xfa\x03"))  # begins a packet of 509 bytes
    for number in range(500):
        world.publish("cam", b"never acknowledged")
        world.handle(StreamReceived(conn, bytes(1)))
        session = world.broker._sessions[conn]
        assert session.decoder.pending_size == 4 + number
        assert len(session.sent) <= LIMITS.inflight_max
    happened = world.handle(StreamReceived(conn, bytes(100)))
    assert happened == [ClientGone("cam", Gone.BROKE_PROTOCOL)]
    assert world.broker._sessions == {}
