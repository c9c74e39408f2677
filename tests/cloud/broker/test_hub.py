"""From whoever publishes to whoever subscribed: $SYS, what retained messages cost, one copy each."""

import msgspec

from firmware_sim.wire import mqtt
from tests.cloud.broker.world import GUEST_LIMITS, LIMITS, SETTINGS, World, payloads


def readings(packets: list[mqtt.Packet]) -> dict[str, str]:
    """Return what is told of $SYS, by the rest of the topic."""
    told = [packet for packet in packets if isinstance(packet, mqtt.Publish)]
    return {one.topic.removeprefix("$SYS/broker/"): one.payload.decode() for one in told}


def test_overlapping_filters_give_one_copy_with_the_highest_qos_mqtt_3_3_5_1() -> None:
    world = World()
    listener = world.guest("one", ("t/1", 0), ("t/+", 1), ("#", 2))
    other = world.guest("other", ("t/1", 0), ("t/+", 2), ("#", 1))
    world.send(world.guest("two"), mqtt.Publish("t/1", b"x", qos=2, packet_id=3))
    assert world.heard(listener) == world.heard(other) == [mqtt.Publish("t/1", b"x", 2, 1)]


def test_sys_is_told_at_once_as_retained_and_then_what_has_changed() -> None:
    world = World()
    world.connect("cam")
    monitor = world.guest("monitor", ("$SYS/broker/clients/#", 2))
    assert world.heard(monitor) == []
    world.send(monitor, mqtt.Subscribe(2, (("$SYS/broker/clients/+", 1),)))
    packets = world.heard(monitor)
    assert readings(packets) == {
        "clients/total": "2",
        "clients/connected": "2",
        "clients/active": "2",
        "clients/disconnected": "0",
        "clients/inactive": "0",
        "clients/maximum": "2",
        "clients/expired": "0",
    }
    assert all(p.retain and p.qos == 0 for p in packets if isinstance(p, mqtt.Publish))
    world.wait(LIMITS.sys_interval_ms)
    world.heard(monitor)
    world.lose(world.guest("one", lasting=True))
    world.wait(LIMITS.sys_interval_ms)
    packets = world.heard(monitor)
    assert readings(packets) == {
        "clients/total": "3",
        "clients/disconnected": "1",
        "clients/inactive": "1",
        "clients/maximum": "3",
    }
    assert not any(p.retain for p in packets if isinstance(p, mqtt.Publish))


def test_without_anybody_who_wants_to_know_the_broker_sleeps() -> None:
    world = World()
    monitor = world.guest("monitor", ("#", 0))
    world.wait(60_000)
    assert world.heard(monitor) == [], "# does not match $SYS [MQTT-4.7.2-1]"
    assert world.broker.next_deadline_ms() is None
    world.send(monitor, mqtt.Subscribe(1, (("$SYS/#", 0),)))
    assert world.broker.next_deadline_ms() == world.now_ms + LIMITS.sys_interval_ms
    world.send(monitor, mqtt.Unsubscribe(2, ("$SYS/#",)))
    world.wait(LIMITS.sys_interval_ms)
    assert world.broker.next_deadline_ms() is None


def test_counters_count() -> None:
    world = World()
    monitor = world.guest("monitor", ("t/#", 1))
    world.send(monitor, mqtt.Publish("t/1", b"12345", qos=1, packet_id=1, retain=True))
    kept = world.guest("one", ("t/#", 1), lasting=True)
    world.lose(kept)
    world.send(monitor, mqtt.Publish("t/2", b"123", qos=1, packet_id=2))
    world.heard(monitor)
    world.send(monitor, mqtt.Subscribe(2, (("$SYS/#", 0),)))
    told = readings(world.heard(monitor))
    assert told["publish/messages/received"] == "2"
    assert told["publish/bytes/received"] == "8"
    assert told["publish/messages/sent"] == "3"
    assert told["publish/bytes/sent"] == "13"
    assert told["publish/messages/dropped"] == "0"
    assert told["subscriptions/count"] == "3"
    assert told["retained messages/count"] == "1"
    assert told["store/messages/count"] == told["messages/stored"] == "5"
    assert told["store/messages/bytes"] == str(5 + 5 + 3 + 5 + 3)
    assert int(told["bytes/received"]) > 100
    assert int(told["messages/received"]) == 7
    assert told["uptime"] == "0 seconds"


def test_all_that_is_retained_can_be_asked_for_however_much_it_is() -> None:
    world = World(guest_limits=msgspec.structs.replace(GUEST_LIMITS, packets_per_s_max=100))
    speaker = world.guest("two")
    for number in range(SETTINGS.mqtt_retained_max):
        world.send(speaker, mqtt.Publish(f"{number}/{'a/' * 30}", b"x", 0, retain=True))
    listener = world.guest("one", username="guest2")
    world.send(listener, mqtt.Subscribe(1, (("#", 0),)))
    assert len(payloads(world.heard(listener))) == SETTINGS.mqtt_retained_max
    assert listener not in world.closed


def test_one_packet_does_not_search_for_ever() -> None:
    world = World(guest_limits=msgspec.structs.replace(GUEST_LIMITS, packets_per_s_max=100))
    speaker = world.guest("two")
    for number in range(SETTINGS.mqtt_retained_max):
        world.send(speaker, mqtt.Publish(f"{number}/{'a/' * 30}", b"x", 0, retain=True))
    greedy = world.guest("one", username="guest2")
    world.send(greedy, mqtt.Subscribe(1, tuple((f"{'+/' * n}#", 0) for n in range(8))))
    assert greedy in world.closed
    assert world.broker._meters.publish_sent < 8 * SETTINGS.mqtt_retained_max


def test_who_asks_for_sys_again_and_again_is_closed() -> None:
    world = World()
    greedy = world.guest("one")
    asked = 0
    while greedy not in world.closed:
        world.send(greedy, mqtt.Subscribe(1, (("$SYS/#", 0),)))
        asked += 1
    assert 20 < asked < GUEST_LIMITS.packets_per_s_max // 4


def test_who_asks_for_all_that_is_retained_again_and_again_is_closed() -> None:
    world = World()
    speaker = world.guest("two")
    for number in range(SETTINGS.mqtt_retained_max):
        world.send(speaker, mqtt.Publish(f"{'a/' * 25}{number}", b"", 0, retain=True))
        world.send(speaker, mqtt.Publish(f"{'a/' * 25}{number}", b"x", 0, retain=True))
    greedy = world.guest("one")
    asked = 0
    while greedy not in world.closed:
        world.send(greedy, mqtt.Subscribe(1, (("a/" + "+/" * 25 + "never", 0),)))
        asked += 1
    assert 20 < asked < 400
    assert payloads(world.heard(greedy)) == []
