"""What waits for a guest: in order, within bounds, at the guest's own pace."""

import msgspec
import pytest

from firmware_sim.wire import mqtt
from fleet.cloud.broker.delivery import WINDOW
from fleet.cloud.settings import Settings
from tests.cloud.broker.world import GUEST_LIMITS, LIMITS, SETTINGS, World, payloads


def said(number: int, qos: int = 1) -> mqtt.Publish:
    return mqtt.Publish("t", b"%d" % number, qos, number if qos else 0)


def acknowledge(world: World, conn: int) -> list[bytes]:
    """Let a guest acknowledge all that it is sent, until nothing more comes."""
    got: list[bytes] = []
    while packets := world.heard(conn):
        for packet in packets:
            match packet:
                case mqtt.Publish(qos=1):
                    world.send(conn, mqtt.Puback(packet.packet_id))
                case mqtt.Publish(qos=2):
                    world.send(conn, mqtt.Pubrec(packet.packet_id))
                case mqtt.Pubrel():
                    world.send(conn, mqtt.Pubcomp(packet.packet_id))
        got += payloads(packets)
    return got


@pytest.mark.parametrize("qos", [1, 2])
def test_only_so_many_are_under_way_and_the_rest_waits_in_order(qos: int) -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", qos)), world.guest("two")
    for number in range(1, 10):
        world.send(speaker, said(number, qos))
    sent = [packet for packet in world.heard(listener) if isinstance(packet, mqtt.Publish)]
    assert payloads([*sent]) == [b"%d" % number for number in range(1, LIMITS.inflight_max + 1)]
    for packet in sent:
        world.send(listener, (mqtt.Puback, mqtt.Pubrec)[qos - 1](packet.packet_id))
    assert acknowledge(world, listener) == [b"%d" % n for n in range(LIMITS.inflight_max + 1, 10)]
    assert world.broker._delivery.waiting == world.broker._delivery.waiting_bytes == 0


def test_qos_0_waits_behind_what_waits() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 1)), world.guest("two")
    for number in range(1, LIMITS.inflight_max + 2):
        world.send(speaker, said(number))
    world.send(speaker, said(99, qos=0))
    assert acknowledge(world, listener)[-1] == b"99"


def test_what_does_not_fit_is_dropped_as_the_newest_and_counted() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 1)), world.guest("two")
    for number in range(1, GUEST_LIMITS.queue_max + 4):
        world.send(speaker, said(number))
    assert world.broker._meters.publish_dropped == 3
    assert acknowledge(world, listener) == [b"%d" % n for n in range(1, GUEST_LIMITS.queue_max + 1)]
    world.send(speaker, said(77))
    assert payloads(world.heard(listener)) == [b"77"]


def test_bytes_are_bounded_as_well() -> None:
    world = World()
    listener = world.guest("one", ("t", 1), lasting=True)
    world.lose(listener)
    speaker = world.guest("two")
    size = GUEST_LIMITS.queue_bytes_max // 3
    for number in range(1, 6):
        world.send(speaker, mqtt.Publish("t", bytes(size), 1, number))
    assert world.broker._meters.publish_dropped == 2
    assert len(world.broker._kept["one"].backlog.queue) == 3  # type: ignore[union-attr]


def test_of_an_absent_client_qos_1_and_2_wait_and_qos_0_does_not() -> None:
    world = World()
    listener = world.guest("one", ("t", 2), lasting=True)
    world.send(listener, mqtt.Disconnect())
    speaker = world.guest("two")
    for qos in (0, 1, 2):
        world.send(speaker, mqtt.Publish("t", b"%d" % qos, qos, 9 if qos else 0))
    listener = world.guest("one", lasting=True, present=True)
    assert acknowledge(world, listener) == [b"1", b"2"]


def test_what_was_not_acknowledged_comes_again_with_dup_and_its_id_mqtt_4_4_0_1() -> None:
    world = World()
    listener = world.guest("one", ("t", 2), lasting=True)
    speaker = world.guest("two")
    world.send(speaker, said(1), said(2, qos=2), said(3, qos=2))
    world.heard(listener)
    world.send(listener, mqtt.Pubrec(2))
    assert world.heard(listener) == [mqtt.Pubrel(2)]
    world.lose(listener)
    listener = world.guest("one", lasting=True, present=True)
    assert world.heard(listener) == [
        mqtt.Publish("t", b"1", 1, 1, dup=True),
        mqtt.Publish("t", b"3", 2, 3, dup=True),
        mqtt.Pubrel(2),
    ]
    world.send(listener, mqtt.Puback(1), mqtt.Pubcomp(2), mqtt.Pubrec(3), mqtt.Pubcomp(3))
    assert world.heard(listener) == [mqtt.Pubrel(3)]
    assert world.broker._delivery.waiting == 0


def test_pubrels_are_repeated_in_the_order_of_their_pubrecs_mqtt_4_6_0_4() -> None:
    world = World()
    listener = world.guest("one", ("t", 2), lasting=True)
    speaker = world.guest("two")
    for number in (1, 2, 3):
        world.send(speaker, said(number, qos=2))
    world.send(listener, mqtt.Pubrec(3), mqtt.Pubrec(1))
    world.kill_and_restart()
    listener = world.guest("one", lasting=True, present=True)
    assert world.heard(listener) == [
        mqtt.Publish("t", b"2", 2, 2, dup=True),
        mqtt.Pubrel(3),
        mqtt.Pubrel(1),
    ]


def test_an_answer_of_the_wrong_kind_finishes_nothing() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 2)), world.guest("two")
    world.send(speaker, said(1), said(2, qos=2))
    world.heard(listener)
    world.send(listener, mqtt.Pubcomp(1), mqtt.Puback(2), mqtt.Pubcomp(2))
    assert world.heard(listener) == []
    assert list(world.broker._clients["one"].sent) == [1, 2]
    world.send(listener, mqtt.Pubrec(77))
    assert world.heard(listener) == [mqtt.Pubrel(77)], "for the client to be rid of it"
    world.send(listener, mqtt.Pubrec(1))
    assert world.heard(listener) == [mqtt.Pubrel(1)]
    assert list(world.broker._clients["one"].sent) == [1, 2]


def test_pubrel_is_repeated_without_dup_and_who_never_answers_is_closed() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 2)), world.guest("two")
    world.send(speaker, said(1, qos=2))
    world.send(listener, mqtt.Pubrec(1))
    world.heard(listener)
    for _ in range(LIMITS.resends_max):
        world.wait(LIMITS.resend_after_ms + 250)
        assert world.heard(listener) == [mqtt.Pubrel(1)]
    world.wait(LIMITS.resend_after_ms + 250)
    assert world.closed == [listener]


# --- the guest's own pace ---------------------------------------------------------------------------

BIG = bytes(GUEST_LIMITS.queue_bytes_max // 12)


def test_a_guest_is_not_sent_more_than_it_takes() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 0)), world.guest("two")
    for _ in range(10):
        world.send(speaker, mqtt.Publish("t", BIG))
    first = len(payloads(world.heard(listener)))
    assert first == WINDOW // len(BIG) + 1
    assert world.watched == [listener], "asked for once"
    for _ in range(5):
        world.drain()
    assert first + len(payloads(world.heard(listener))) == 10


def test_answers_are_not_held_back() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 0)), world.guest("two")
    for _ in range(5):
        world.send(speaker, mqtt.Publish("t", BIG))
    world.heard(listener)
    world.send(listener, mqtt.Pingreq())
    assert world.heard(listener) == [mqtt.Pingresp()]


def test_a_guest_that_takes_nothing_costs_what_its_queue_may_hold() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 0)), world.guest("two")
    for _ in range(100):
        world.send(speaker, mqtt.Publish("t", BIG))
    backlog = world.broker._clients["one"].backlog
    assert backlog is not None
    assert len(world.sent[listener]) < 2 * WINDOW
    assert backlog.size <= GUEST_LIMITS.queue_bytes_max
    assert len(backlog.queue) <= GUEST_LIMITS.queue_max
    assert world.broker._meters.publish_dropped > 80
    world.lose(listener)
    assert world.broker._delivery.waiting == world.broker._delivery.waiting_bytes == 0


def test_what_is_not_taken_is_not_repeated_into_the_same_wire() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 1)), world.guest("two")
    world.send(speaker, mqtt.Publish("t", BIG, 1, 1), mqtt.Publish("t", BIG, 1, 2))
    world.send(speaker, mqtt.Publish("t", BIG, 1, 3))
    world.heard(listener)
    world.wait(LIMITS.resend_after_ms + 250)
    assert world.heard(listener) == []
    world.wait(LIMITS.resend_after_ms * (LIMITS.resends_max + 1))
    assert world.closed == [listener], "but it is not waited for for ever"


def test_a_new_connection_begins_with_a_free_wire() -> None:
    world = World()
    listener = world.guest("one", ("t", 1), lasting=True)
    speaker = world.guest("two")
    for number in range(1, 7):
        world.send(speaker, mqtt.Publish("t", BIG, 1, number))
    assert len(payloads(world.heard(listener))) == 2
    world.lose(listener)
    listener = world.guest("one", lasting=True, present=True)
    sent = world.heard(listener)
    assert len(payloads(sent)) == 2
    while sent:
        for packet in sent:
            assert isinstance(packet, mqtt.Publish)
            world.send(listener, mqtt.Puback(packet.packet_id))
        world.drain()
        sent = world.heard(listener)
    assert world.broker._delivery.waiting == 0


def test_who_comes_back_after_a_long_time_has_time_to_answer() -> None:
    world = World()
    listener = world.guest("one", ("t", 1), lasting=True)
    world.send(world.guest("two"), said(1))
    world.wait(LIMITS.resend_after_ms * LIMITS.resends_max + 1_000)
    assert len(payloads(world.heard(listener))) == 1 + LIMITS.resends_max
    world.lose(listener)
    world.wait(3_600_000)
    listener = world.guest("one", lasting=True, present=True)
    assert payloads(world.heard(listener)) == [b"1"]
    world.wait(LIMITS.resend_after_ms - 1_000)
    assert world.heard(listener) == []
    world.wait(2_000)
    assert payloads(world.heard(listener)) == [b"1"]
    assert listener not in world.closed


def test_what_waits_at_qos_0_goes_with_the_connection() -> None:
    world = World()
    listener = world.guest("one", ("t", 1), lasting=True)
    speaker = world.guest("two")
    for qos in (0, 0, 0, 0, 1):
        world.send(speaker, mqtt.Publish("t", BIG, qos, qos))
    world.lose(listener)
    assert world.broker._delivery.waiting == 1
    listener = world.guest("one", lasting=True, present=True)
    assert [p.qos for p in world.heard(listener) if isinstance(p, mqtt.Publish)] == [1]


def test_what_was_to_be_repeated_is_repeated_by_the_next_connection_once() -> None:
    world = World()
    listener = world.guest("one", ("t", 1), lasting=True)
    speaker = world.guest("two")
    for number in (1, 2, 3, 4):
        world.send(speaker, mqtt.Publish("t", BIG, 1, number))
        world.heard(listener)
        world.drain()
    for _ in range(3):
        world.lose(listener)
        listener = world.guest("one", lasting=True, present=True)
    ids = []
    while sent := world.heard(listener):
        ids += [packet.packet_id for packet in sent if isinstance(packet, mqtt.Publish)]
        world.drain()
    assert ids == [1, 2, 3, 4]


def test_retained_messages_come_all_however_many_there_are() -> None:
    """More than a queue holds and a wire takes at once: they come one after the other."""
    world = World()
    speaker = world.guest("two")
    for number in range(SETTINGS.mqtt_retained_max):
        world.send(speaker, mqtt.Publish(f"r/{number}", bytes(90), 1, 1, retain=True))
    listener = world.guest("one")
    for qos, wanted in ((1, SETTINGS.mqtt_retained_max), (0, SETTINGS.mqtt_retained_max)):
        world.send(listener, mqtt.Subscribe(1, (("r/+", qos),)))
        assert len(acknowledge(world, listener)) == wanted
    assert world.broker._meters.publish_dropped == 0
    assert SETTINGS.mqtt_retained_max > GUEST_LIMITS.queue_max


def test_what_is_no_longer_retained_when_its_turn_comes_does_not_come() -> None:
    world = World()
    speaker = world.guest("two")
    for number in range(10):
        world.send(speaker, mqtt.Publish(f"r/{number}", b"x", 1, 1, retain=True))
    listener = world.guest("one")
    world.send(listener, mqtt.Subscribe(1, (("r/+", 1),)))
    world.send(speaker, mqtt.Publish("r/9", b"", 0, 0, retain=True))
    assert sorted(acknowledge(world, listener)) == [b"", *[b"x"] * 9]


@pytest.mark.parametrize(
    ("other", "comes"), [("u/+", LIMITS.inflight_max), ("+/#", 10 + LIMITS.inflight_max)]
)
def test_nor_what_its_client_no_longer_subscribes_to(other: str, comes: int) -> None:
    world = World()
    speaker = world.guest("two")
    for number in range(10):
        world.send(speaker, mqtt.Publish(f"r/{number}", b"x", 1, 1, retain=True))
    listener = world.guest("one")
    world.send(listener, mqtt.Subscribe(1, ((other, 1), ("r/+", 1))))
    world.send(listener, mqtt.Unsubscribe(1, ("r/+",)))
    assert len(acknowledge(world, listener)) == comes


def test_large_retained_messages_wait_until_there_is_room_for_them() -> None:
    size = GUEST_LIMITS.queue_bytes_max // 3
    world = World(settings=Settings(mqtt_retained_size_max=10 * size))
    speaker = world.guest("two")
    for number in range(8):
        world.send(speaker, mqtt.Publish(f"r/{number}", bytes(size), 1, 1, retain=True))
    listener = world.guest("one")
    world.send(listener, mqtt.Subscribe(1, (("r/+", 1),)))
    unanswered: list[mqtt.Packet] = []
    for _ in range(8):  # it takes all that it is sent, and answers nothing
        unanswered += world.heard(listener)
        world.drain()
    assert len(payloads(unanswered)) == 3
    got = 0
    while unanswered:
        for packet in unanswered:
            if isinstance(packet, mqtt.Publish):
                got += 1
                world.send(listener, mqtt.Puback(packet.packet_id))
        world.drain()
        unanswered = world.heard(listener)
    assert got == 8
    assert world.broker._meters.publish_dropped == 0


def test_what_is_retained_and_larger_than_all_the_room_is_dropped() -> None:
    size = GUEST_LIMITS.queue_bytes_max
    limits = msgspec.structs.replace(GUEST_LIMITS, packet_size_max=2 * size)
    world = World(guest_limits=limits, settings=Settings(mqtt_retained_size_max=2 * size))
    speaker = world.guest("two")
    world.send(speaker, mqtt.Publish("r/0", bytes(size + 1), 1, 1, retain=True))
    world.send(speaker, mqtt.Publish("r/1", b"x", 1, 1, retain=True))
    assert payloads(world.heard(world.guest("one"))) == []
    listener = world.guest("one")
    world.send(listener, mqtt.Subscribe(1, (("r/+", 1),)))
    assert acknowledge(world, listener) == [b"x"]
    assert world.broker._meters.publish_dropped == 1


@pytest.mark.parametrize("qos", [1, 2])
def test_who_works_through_what_it_was_sent_is_neither_hurried_nor_closed(qos: int) -> None:
    """The last of what is under way is answered long after it was sent."""
    world = World()
    listener, speaker = world.guest("one", ("t", qos)), world.guest("two")
    for number in range(1, LIMITS.inflight_max + 1):
        world.send(speaker, said(number, qos))
    inbox, got = world.heard(listener), []
    while inbox:
        packet = inbox.pop(0)
        match packet:
            case mqtt.Publish():
                world.wait(LIMITS.resend_after_ms * (LIMITS.resends_max + 1) // 5)
                got.append((packet.payload, packet.dup))
                answer: mqtt.Packet = (mqtt.Puback, mqtt.Pubrec)[qos - 1](packet.packet_id)
                world.send(listener, answer)
            case mqtt.Pubrel():
                world.send(listener, mqtt.Pubcomp(packet.packet_id))
        inbox += world.heard(listener)
    assert got == [(b"%d" % number, False) for number in range(1, LIMITS.inflight_max + 1)]
    assert world.closed == []


def test_who_leaves_out_the_first_and_answers_the_others_is_sent_it_again() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 1)), world.guest("two")
    for number in (1, 2, 3):
        world.send(speaker, said(number))
    world.heard(listener)
    for number in (2, 3):
        world.wait(LIMITS.resend_after_ms // 3)
        world.send(listener, mqtt.Puback(number))
    world.wait(LIMITS.resend_after_ms // 3 + 250)
    (again,) = world.heard(listener)
    assert isinstance(again, mqtt.Publish)
    assert (again.packet_id, again.dup) == (1, True)
