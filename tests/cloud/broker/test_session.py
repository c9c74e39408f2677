"""One client's messages in flight and its signs of life, told by packets through the broker."""

from firmware_sim.wire import mqtt
from fleet.cloud.broker import (
    ClientGone,
    Delivered,
    Gone,
)
from fleet.cloud.messages import StreamReceived
from tests.cloud.broker.world import LIMITS, World

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
        world.now_ms += 20
        world.send(conn, mqtt.Puback(last_id))
    assert last_id == 3


# --- signs of life --------------------------------------------------------------------------------


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


def test_nobody_was_silent_while_the_clock_was_moved() -> None:
    world = World()
    conn = world.connect("cam", keep_alive_s=10)
    newcomer = world.open()
    world.wait(5_000)
    world.move_clock(7_200_000)
    assert world.closed == []
    assert world.wait(9_999) == []
    assert world.wait(251) == [ClientGone("cam", Gone.SILENT)]
    assert world.closed == [newcomer, conn]


def test_nor_did_anybody_fail_to_acknowledge() -> None:
    world = World()
    conn = world.listener("cam")
    world.publish("cam", b"x")
    (packet,) = world.heard(conn)
    assert isinstance(packet, mqtt.Publish)
    world.move_clock(7_200_000)
    assert world.heard(conn) == []
    assert world.send(conn, mqtt.Puback(packet.packet_id)) == [Delivered("cam", "")]


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
