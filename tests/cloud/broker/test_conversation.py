"""What guests say and are answered: QoS 2, wills, subscriptions, retained messages, client ids.

Names in brackets are conformance statements of OASIS MQTT Version 3.1.1.
"""

import pytest

from firmware_sim.wire import mqtt
from fleet.cloud.broker import ClientGone, Gone, MessageReceived
from fleet.cloud.messages import StreamReceived
from tests.cloud.broker.world import GUEST, World, payloads

# --- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [0, 1, 2])
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_a_message_comes_at_the_lower_qos_mqtt_3_8_4_6(said: int, granted: int) -> None:
    world = World()
    listener, speaker = world.guest("one", ("t/#", granted)), world.guest("two")
    world.send(speaker, mqtt.Publish("t/1", b"x", said, 9 if said else 0))
    qos = min(said, granted)
    assert world.heard(listener) == [mqtt.Publish("t/1", b"x", qos, 1 if qos else 0)]
    assert world.heard(speaker) == [[], [mqtt.Puback(9)], [mqtt.Pubrec(9)]][said]


def test_qos_2_from_a_guest_is_passed_on_once_also_after_it_came_back_mqtt_4_3_3_2() -> None:
    world = World()
    listener = world.guest("one", ("t", 0))
    message = mqtt.Publish("t", b"x", qos=2, packet_id=7)
    speaker = world.guest("two", lasting=True)
    world.send(speaker, message)
    world.lose(speaker)
    speaker = world.guest("two", lasting=True, present=True)
    world.send(speaker, message)
    assert world.heard(speaker) == [mqtt.Pubrec(7)]
    world.send(speaker, mqtt.Pubrel(7))
    assert world.heard(speaker) == [mqtt.Pubcomp(7)]
    assert payloads(world.heard(listener)) == [b"x"]
    world.send(speaker, message)  # the id is free again: this is another message
    assert payloads(world.heard(listener)) == [b"x"]


def test_a_clean_session_forgets_which_qos_2_messages_came_mqtt_3_1_2_6() -> None:
    world = World()
    listener = world.guest("one", ("t", 0))
    for lasting in (True, False):
        speaker = world.guest("two", lasting=lasting)
        world.send(speaker, mqtt.Publish("t", b"x", qos=2, packet_id=7))
        world.lose(speaker)
    assert payloads(world.heard(listener)) == [b"x", b"x"]


def test_guests_hear_devices_and_the_cloud_and_neither_is_told_of_guests() -> None:
    world = World()
    device, monitor = world.listener("cam"), world.guest("monitor", ("#", 1))
    told = world.send(device, mqtt.Publish("cam/out", b"report"))
    assert told == [MessageReceived("cam", "cam/out", b"report")]
    assert world.publish("cam", b"command", tag="t")
    assert [(p.topic, p.qos) for p in world.heard(monitor) if isinstance(p, mqtt.Publish)] == [
        ("cam/out", 0),
        ("cam/in", 1),
    ]
    assert world.send(monitor, mqtt.Puback(1)) == [], "only the device can confirm"
    assert world.send(monitor, mqtt.Publish("cam/out", b"forged")) == []
    assert world.lose(monitor) == []


def test_the_cloud_is_not_told_that_a_guest_was_reached() -> None:
    world = World()
    world.guest("monitor", ("#", 1))
    assert not world.publish("cam", b"command")


def test_what_a_guest_sends_to_a_device_s_topic_reaches_the_device() -> None:
    world = World()
    device, guest = world.listener("cam"), world.guest()
    world.send(guest, mqtt.Publish("cam/in", b"x", qos=2, packet_id=1))
    assert world.heard(device) == [mqtt.Publish("cam/in", b"x", qos=1, packet_id=1)]


def test_a_guest_hears_itself() -> None:
    world = World()
    guest = world.guest("one", ("t", 0))
    world.send(guest, mqtt.Publish("t", b"x"))
    assert payloads(world.heard(guest)) == [b"x"]


@pytest.mark.parametrize("topic", ["secret/1", "$SYS/broker/uptime", "t" * 257, "/" * 32])
def test_what_a_guest_may_not_send_ends_its_connection_mqtt_3_3_5_2(topic: str) -> None:
    world = World()
    world.named.write = ["t/#", "$SYS/#", "t" * 257, "/" * 32]
    guest = world.guest()
    world.send(guest, mqtt.Publish(topic, b"x", qos=1, packet_id=1))
    assert world.heard(guest) == []
    assert world.closed == [guest]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_what_a_bridge_says_of_itself_is_taken_and_concerns_nobody(qos: int) -> None:
    world = World()
    world.named.write = ["t/#"]
    state = "$SYS/broker/connection/here.there/state"
    watcher = world.guest("watcher", ("$SYS/broker/connection/#", 2))
    bridge = world.guest("bridge", will=mqtt.Will(state, b"0", 1, retain=True))
    world.send(bridge, mqtt.Publish(state, b"1", qos, qos and 7, retain=True))
    world.send(bridge, mqtt.Publish("t/1", b"x", 1, 8))
    answers: list[list[mqtt.Packet]] = [[], [mqtt.Puback(7)], [mqtt.Pubrec(7)]]
    assert world.heard(bridge) == [*answers[qos], mqtt.Puback(8)]
    world.lose(bridge)
    assert world.heard(watcher) == []
    assert world.broker._hub._retained.count == 0


def test_nor_may_a_device_say_so() -> None:
    world = World()
    device = world.connect("cam")
    world.send(device, mqtt.Publish("$SYS/broker/connection/cam/state", b"1"))
    assert world.closed == [device]


# --- subscriptions --------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["a#", "#/a", "a/#/b", "+a", "a/b+", "##", "a/+b/c"])
def test_a_malformed_filter_ends_the_connection_mqtt_4_7_1(bad: str) -> None:
    world = World()
    guest = world.guest()
    world.send(guest, mqtt.Subscribe(1, (("good", 0), (bad, 0))))
    assert world.heard(guest) == []
    assert world.closed == [guest]
    assert world.heard_by() == {}, "nothing of a malformed packet counts"


def test_only_what_a_guest_may_hear_is_granted() -> None:
    world = World()
    world.named.read = ["t/#", "u/+"]
    guest = world.guest()
    wishes = ("t/1", "t/+/x", "t", "u/1", "u/#", "#", "+/1", "$SYS/#")
    world.send(guest, mqtt.Subscribe(1, tuple((wish, 2) for wish in wishes)))
    assert world.heard(guest) == [mqtt.Suback(1, (2, 2, 2, 2, 128, 128, 128, 128))]


def test_a_subscription_that_is_repeated_takes_the_new_qos_mqtt_3_8_4_3() -> None:
    world = World()
    listener, speaker = world.guest("one", ("t", 2)), world.guest("two")
    world.send(listener, mqtt.Subscribe(2, (("t", 0),)))
    world.heard(listener)
    world.send(speaker, mqtt.Publish("t", b"x", qos=1, packet_id=1))
    assert world.heard(listener) == [mqtt.Publish("t", b"x")]


# --- retained messages ----------------------------------------------------------------------------


def test_a_retained_message_comes_to_whoever_subscribes_mqtt_3_3_1_6_8_9() -> None:
    world = World()
    early, speaker = world.guest("one", ("t/#", 1)), world.guest("two")
    message = mqtt.Publish("t/1", b"x", qos=1, packet_id=1, retain=True)
    world.send(speaker, message)
    assert world.heard(early) == [mqtt.Publish("t/1", b"x", qos=1, packet_id=1)]
    late = world.guest("three")
    world.send(late, mqtt.Subscribe(1, (("t/+", 2), ("t/1", 0))))
    assert world.heard(late) == [
        mqtt.Suback(1, (2, 0)),
        mqtt.Publish("t/1", b"x", qos=1, packet_id=1, retain=True),
        mqtt.Publish("t/1", b"x", retain=True),
    ]
    world.send(late, mqtt.Subscribe(2, (("t/1", 0),)))
    assert payloads(world.heard(late)) == [b"x"], "and again, when it asks again [MQTT-3.8.4-3]"


def test_an_empty_message_takes_the_retained_one_away_mqtt_3_3_1_10_11() -> None:
    world = World()
    speaker = world.guest("two", ("t", 0))
    world.send(speaker, mqtt.Publish("t", b"x", retain=True), mqtt.Publish("t", b"", retain=True))
    assert payloads(world.heard(speaker)) == [b"x", b""]
    late = world.guest("three", ("t", 0))
    assert world.heard(late) == []


def test_a_message_without_the_flag_leaves_the_retained_one_alone_mqtt_3_3_1_12() -> None:
    world = World()
    speaker = world.guest("two")
    world.send(speaker, mqtt.Publish("t", b"kept", retain=True), mqtt.Publish("t", b"new"))
    late = world.guest("three")
    world.send(late, mqtt.Subscribe(1, (("t", 0),)))
    assert payloads(world.heard(late)) == [b"kept"]


def test_of_a_device_nothing_is_retained() -> None:
    world = World()
    device = world.connect("cam")
    world.send(device, mqtt.Publish("cam/out", b"x", retain=True))
    late = world.guest("three")
    world.send(late, mqtt.Subscribe(1, (("#", 0),)))
    assert payloads(world.heard(late)) == []


# --- wills ----------------------------------------------------------------------------------------

WILL = mqtt.Will("t/will", b"gone", qos=1, retain=True)


def test_a_will_is_published_when_the_connection_is_lost_and_kept_if_it_says_so() -> None:
    world = World()
    listener = world.guest("one", ("t/#", 2))
    world.lose(world.guest("two", will=WILL))
    assert world.heard(listener) == [mqtt.Publish("t/will", b"gone", qos=1, packet_id=1)]
    late = world.guest("three")
    world.send(late, mqtt.Subscribe(1, (("t/will", 0),)))
    assert payloads(world.heard(late)) == [b"gone"]


def test_a_will_is_dropped_with_disconnect_mqtt_3_14_4_3() -> None:
    world = World()
    listener = world.guest("one", ("t/#", 2))
    world.send(world.guest("two", will=WILL), mqtt.Disconnect())
    assert world.heard(listener) == []


def test_also_if_nonsense_follows_disconnect() -> None:
    world = World()
    heir = world.guest("heir", ("will", 0))
    conn = world.guest("one", will=mqtt.Will("will", b"gone"))
    world.handle(StreamReceived(conn, mqtt.encode(mqtt.Disconnect()) + b"\x00\x00"))
    assert world.closed == [conn]
    assert world.heard(heir) == []


def test_a_will_is_published_however_the_connection_ends() -> None:
    world = World()
    listener = world.guest("one", ("t/#", 0))
    dead = world.open()
    world.send(dead, mqtt.Connect("two", GUEST, "ok", keep_alive_s=10, will=WILL))
    world.wait(15_250)
    assert dead in world.closed
    assert payloads(world.heard(listener)) == [b"gone"]
    world.handle(StreamReceived(world.guest("two", will=WILL), b"\x00"))
    assert payloads(world.heard(listener)) == [b"gone"]
    world.guest("two", will=WILL)
    world.guest("two")
    assert payloads(world.heard(listener)) == [b"gone"], "taken over"
    device = world.open()
    will = mqtt.Will("cam/out", b"bye")
    world.send(device, mqtt.Connect("cam", "user", "ok", will=will))
    world.send(listener, mqtt.Subscribe(2, (("cam/out", 0),)))
    world.heard(listener)
    world.broker.disconnect("cam", world.journal.effects)
    world.carry_out(world.journal.take())
    assert payloads(world.heard(listener)) == [b"bye"], "closed by the cloud"


def test_wills_of_those_who_were_there_when_the_process_was_killed_are_said_by_the_next_one() -> (
    None
):
    world = World()
    world.lose(world.guest("one", ("t/#", 1), lasting=True))
    world.send(world.guest("polite", will=mqtt.Will("t/polite", b"never")), mqtt.Disconnect())
    world.guest("two", will=WILL)
    world.kill_and_restart()
    listener = world.guest("one", lasting=True, present=True)
    assert payloads(world.heard(listener)) == [b"gone"]
    world.lose(world.guest("two"))
    late = world.guest("late")
    world.send(late, mqtt.Subscribe(1, (("t/will", 0),)))
    retained = mqtt.Publish("t/will", b"gone", retain=True)
    assert world.heard(late) == [mqtt.Suback(1, (0,)), retained]
    world.send(listener, mqtt.Puback(1))
    world.kill_and_restart()
    again = world.guest("one", lasting=True, present=True)
    assert world.heard(again) == [], "once"


def test_a_will_that_its_client_may_no_longer_publish_is_dropped() -> None:
    world = World()
    world.guest("two", will=WILL)
    world.kill_and_restart()
    world.named.write.clear()
    late = world.guest("late")
    world.send(late, mqtt.Subscribe(1, (("t/will", 0),)))
    assert world.heard(late) == [mqtt.Suback(1, (0,))]


def test_a_will_is_published_once_and_not_by_the_next_connection() -> None:
    world = World()
    listener = world.guest("one", ("t/#", 0))
    world.lose(world.guest("two", lasting=True, will=WILL))
    world.lose(world.guest("two", lasting=True, present=True))
    assert payloads(world.heard(listener)) == [b"gone"]


def test_a_will_to_where_its_client_may_not_send_is_not_published() -> None:
    world = World()
    listener = world.guest("one", ("t/#", 0))
    world.named.write = ["other"]
    world.lose(world.guest("two", will=WILL))
    assert world.heard(listener) == []


def test_the_will_of_a_device_is_its_last_message() -> None:
    world = World()
    listener = world.guest("one", ("cam/#", 0))
    conn = world.open()
    will = mqtt.Will("cam/out", b"gone", retain=True)
    world.send(conn, mqtt.Connect("cam", "user", "ok", will=will))
    assert world.lose(conn) == [
        MessageReceived("cam", "cam/out", b"gone"),
        ClientGone("cam", Gone.LOST),
    ]
    assert payloads(world.heard(listener)) == [b"gone"]
