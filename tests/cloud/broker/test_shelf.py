"""Sessions that are kept: over a lost connection, over a kill, until nobody comes back."""

import pytest

from firmware_sim.wire import mqtt
from fleet.cloud.broker.records import GuestMessage, KeptReceipt, KeptSession, KeptSubscription
from fleet.cloud.settings import Settings
from fleet.cloud.store import Record
from tests.cloud.broker.world import GUEST, GUEST_LIMITS, LIMITS, SETTINGS, World, payloads

KINDS: tuple[type[Record], ...] = (KeptSession, KeptSubscription, KeptReceipt, GuestMessage)


def rows(world: World) -> list[int]:
    """Return how many records of each kind are in the store."""
    return [len(world.store.load(kind)) for kind in KINDS]


def busy(world: World) -> int:
    """Return a connection whose session has something of everything."""
    conn = world.guest("one", ("t", 2), ("u/+", 1), lasting=True)
    speaker = world.guest("two")
    for number in range(1, 7):
        world.send(speaker, mqtt.Publish("t", b"%d" % number, 2, number))
    world.send(conn, mqtt.Pubrec(1), mqtt.Publish("x", b"", 2, 5), mqtt.Publish("x", b"", 2, 6))
    world.lose(speaker)
    world.heard(conn)
    return conn


def test_a_session_is_taken_up_after_a_kill_as_it_was() -> None:
    world = World()
    busy(world)
    assert rows(world) == [1, 2, 2, 6]
    before = world.broker._kept["one"]
    world.kill_and_restart()
    after = world.broker._kept["one"]
    assert after.subscriptions == before.subscriptions == {"t": 2, "u/+": 1}
    assert after.received == before.received == {5, 6}
    assert after.backlog is not None
    assert before.backlog is not None
    assert [m.payload for m in after.backlog.queue] == [m.payload for m in before.backlog.queue]
    assert after.backlog.size == before.backlog.size == 5  # the first one has been released
    assert list(after.sent) == list(before.sent)
    assert [sent.packet for sent in after.sent.values()] == [
        sent.packet for sent in before.sent.values()
    ]
    conn = world.guest("one", lasting=True, present=True)
    assert payloads(world.heard(conn)) == [b"2", b"3", b"4"]


def test_a_clean_session_ends_it_and_nothing_is_left_mqtt_3_1_2_6() -> None:
    world = World()
    conn = busy(world)
    world.send(conn, mqtt.Disconnect())
    assert rows(world)[0] == 1
    world.guest("one", lasting=False)
    assert rows(world) == [0, 0, 0, 0]
    assert world.broker._delivery.waiting == world.broker._delivery.waiting_bytes == 0
    world.kill_and_restart()
    world.guest("one", lasting=True, present=False)


def test_unsubscribing_is_kept_too() -> None:
    world = World()
    conn = busy(world)
    world.send(conn, mqtt.Unsubscribe(9, ("t", "never/had")))
    world.kill_and_restart()
    assert world.broker._kept["one"].subscriptions == {"u/+": 1}
    assert world.broker._hub._subscriptions == 1


def test_no_client_is_told_of_a_session_that_is_not_durable() -> None:
    """`World.carry_out` sees to the order; here is that there is something to be ordered."""
    world = World()
    conn = world.open()
    world.send(conn, mqtt.Connect("one", GUEST, "ok", 0, clean_session=False))
    assert rows(world)[0] == 1
    world.send(conn, mqtt.Subscribe(1, (("t", 1),)))
    assert rows(world)[1] == 1
    world.send(conn, mqtt.Publish("t", b"x", qos=2, packet_id=1))
    assert rows(world)[2:] == [1, 1]
    world.send(conn, mqtt.Pubrel(1), mqtt.Puback(1))
    assert rows(world)[2:] == [0, 0]


def test_a_session_that_nobody_comes_back_to_ends() -> None:
    world = World(settings=Settings(mqtt_session_life_s=60))
    conn = busy(world)
    other = world.guest("other", lasting=True)
    world.lose(conn)
    world.wait(59_999)
    assert rows(world)[0] == 2
    world.wait(1)
    assert rows(world) == [1, 0, 0, 0]
    assert world.broker._meters.clients_expired == 1
    assert world.broker._hub._subscriptions == 0
    assert other not in world.closed
    world.guest("one", lasting=True, present=False)


def test_a_client_that_came_back_in_time_keeps_its_session() -> None:
    world = World(settings=Settings(mqtt_session_life_s=60))
    for number in range(3):
        conn = world.guest("one", lasting=True, present=number > 0)
        world.wait(100_000)
        world.lose(conn)
        world.wait(50_000)
    assert rows(world)[0] == 1


def test_after_a_kill_time_runs_for_those_who_were_connected() -> None:
    world = World(settings=Settings(mqtt_session_life_s=60))
    world.guest("one", lasting=True)
    world.kill_and_restart()
    assert world.broker.next_deadline_ms() is None
    world.guest("two")
    world.wait(60_000)
    assert rows(world)[0] == 0
    left = world.guest("one", lasting=True)
    world.lose(left)
    world.wait(30_000)
    world.kill_and_restart()
    world.wait(29_999)
    assert rows(world)[0] == 1
    world.wait(1)
    assert rows(world)[0] == 0


# --- bounds -----------------------------------------------------------------------------------------


def test_more_sessions_than_are_kept_are_refused_with_code_3() -> None:
    world = World()
    for number in range(SETTINGS.mqtt_sessions_max):
        world.guest(f"c{number}", lasting=True, username=f"guest{number}")
    conn = world.open()
    world.send(conn, mqtt.Connect("more", GUEST, "ok", clean_session=False))
    assert world.heard(conn) == [mqtt.Connack(3)]
    assert world.closed == [conn]
    world.guest("c0", lasting=True, present=True, username="guest0")
    world.guest("more", lasting=False)


def test_sessions_of_one_name_are_bounded_those_included_that_wait() -> None:
    world = World()
    conns = [world.guest(f"c{n}", lasting=n < 2) for n in range(GUEST_LIMITS.connections_max)]
    world.lose(conns[0])
    conn = world.open()
    world.send(conn, mqtt.Connect("more", GUEST, "ok"))
    assert world.heard(conn) == [mqtt.Connack(3)]
    world.guest("c0", lasting=True, present=True)
    world.guest("c1", lasting=False)
    world.guest("of another", username="guest2")
    world.lose(conns[2])
    world.guest("more")


# --- whose they are -----------------------------------------------------------------------------------


@pytest.mark.parametrize("connected", [True, False])
def test_nobody_takes_over_a_session_of_somebody_else(connected: bool) -> None:
    world = World()
    mine = world.guest("one", ("t", 1), lasting=True)
    if not connected:
        world.lose(mine)
    conn = world.open()
    world.send(conn, mqtt.Connect("one", "guest of evil", "ok", clean_session=False))
    assert world.heard(conn) == [mqtt.Connack(2)]
    assert mine not in world.closed
    assert rows(world)[:2] == [1, 1]


def test_a_device_takes_its_client_id_back_from_a_guest() -> None:
    world = World()
    guest = world.guest("cam", ("cam/in", 1), lasting=True)
    device = world.connect("cam")
    assert world.closed == [guest]
    assert rows(world) == [0, 0, 0, 0]
    assert world.publish("cam", b"x") is False
    assert world.heard(device) == []


def test_a_guest_does_not_take_a_device_s_client_id() -> None:
    world = World()
    device = world.listener("cam")
    conn = world.open()
    world.send(conn, mqtt.Connect("cam", GUEST, "ok"))
    assert world.heard(conn) == [mqtt.Connack(2)]
    assert device not in world.closed


def test_what_a_guest_may_no_longer_hear_ends_with_a_review() -> None:
    world = World()
    conn = world.guest("one", ("t/#", 1), ("u", 1), lasting=True)
    clean, other = world.guest("two"), world.guest("three", ("t/#", 0), username="guest2")
    world.named.read = ["u"]
    world.broker.review(GUEST, world.now_ms, world.journal.effects)
    world.carry_out(world.journal.take())
    assert world.closed == [conn, clean]
    assert world.broker._kept["one"].subscriptions == {"u": 1}
    assert rows(world)[:2] == [1, 1]
    assert other not in world.closed


@pytest.mark.parametrize("killed", [False, True])
def test_nor_is_it_told_what_was_said_there_before(killed: bool) -> None:
    world = World()
    world.lose(world.guest("one", ("t/#", 1), ("u", 1), lasting=True))
    speaker = world.guest("two", username="guest2")
    for number, topic in enumerate(["t/1", "u", "t/2"], 1):
        world.send(speaker, mqtt.Publish(topic, topic.encode(), 1, number))
    world.named.read = ["u"]
    world.broker.review(GUEST, world.now_ms, world.journal.effects)
    world.carry_out(world.journal.take())
    if killed:
        world.kill_and_restart()
    assert payloads(world.heard(world.guest("one", lasting=True, present=True))) == [b"u"]
    assert rows(world)[-1] == 1
    assert world.broker._delivery.waiting == 1
    assert world.broker._delivery.waiting_bytes == 1


def test_nor_what_is_retained_there() -> None:
    world = World()
    speaker = world.guest("two", username="guest2")
    for number in range(SETTINGS.mqtt_retained_max):
        world.send(speaker, mqtt.Publish(f"r/{number}", b"%d" % number, 1, 1, retain=True))
    world.guest("one", ("r/+", 1), ("r/19", 1), lasting=True)
    world.named.read = ["r/19"]
    world.broker.review(GUEST, world.now_ms, world.journal.effects)
    world.carry_out(world.journal.take())
    conn = world.guest("one", lasting=True, present=True)
    under_way = world.heard(conn)
    assert payloads(under_way) == [b"%d" % number for number in range(LIMITS.inflight_max)]
    world.send(conn, *[mqtt.Puback(number + 1) for number in range(LIMITS.inflight_max)])
    assert payloads(world.heard(conn)) == [b"19"]


def test_of_a_guest_that_is_gone_nothing_is_left() -> None:
    world = World()
    conn = busy(world)
    world.named.gone = [GUEST]
    world.broker.review(GUEST, world.now_ms, world.journal.effects)
    world.carry_out(world.journal.take())
    assert world.closed == [conn]
    assert rows(world) == [0, 0, 0, 0]


def test_nor_if_it_is_gone_after_a_restart() -> None:
    world = World()
    busy(world)
    world.named.gone = [GUEST]
    world.kill_and_restart()
    assert world.broker._kept == {}
    world.connect("cam")  # the step whose commit it is part of
    assert rows(world) == [0, 0, 0, 0]
