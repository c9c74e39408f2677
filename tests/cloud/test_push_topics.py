"""Stories of messages and their consumers.

What consumers see is the real form (`tests/cloud/push_world.py` decrypts it); only sockets are
missing.
"""

import json
from typing import Any

import pytest

from firmware_sim.events import DeadlineReached
from fleet.cloud.open.push_crypto import password
from fleet.cloud.push_topics import BATCH
from tests.cloud.push_world import SECRET, PushWorld
from tests.cloud.support import OWNER, REPAIR, STRANGER, FakeDevice, assert_reloads

HOUR_MS = 3_600_000


def of_project(access_id: str) -> dict[str, str]:
    """Return what a consumer of another project of the same secret says."""
    pw = password(access_id, SECRET)
    return {"tenant": access_id, "username": access_id, "name": f"{access_id}-sub", "pw": pw}


# --- one consumer -------------------------------------------------------------------------------


def test_an_unbinding_is_heard_as_the_clients_expect_it() -> None:
    world = PushWorld()
    consumer = world.connect()
    assert consumer.state == "in"
    session = world.consumer(0)
    (own,) = world.get("GET", "/app/v1/devices", None, session)
    world.get("DELETE", f"/app/v1/devices/{own['dev_id']}", None, session)
    (delivery,) = consumer.heard()
    assert set(delivery) == {
        "messageId",
        "payload",
        "properties",
        "publishTime",
        "redeliveryCount",
    }
    assert delivery["publishTime"] == "2023-11-14T22:13:20.000Z"
    assert (delivery["redeliveryCount"], delivery["properties"]) == (0, {})
    assert consumer.read(delivery) == {
        "protocol": 20,
        "t": world.now_ms,
        "bizCode": "delete",
        "bizData": {"devId": "bfdevice00000000000000", "uid": "uid0"},
        "devId": "bfdevice00000000000000",
        "productKey": "camera0000000001",
        "ts": world.now_ms,
    }
    assert world.unread == 1
    consumer.acknowledge(delivery)
    assert world.unread == 0
    assert_reloads(world)


def test_a_batch_unbinding_is_heard_with_gcm_and_in_both_forms() -> None:
    world = PushWorld(push_encryption="aes_gcm", push_families="both")
    consumer = world.connect()
    FakeDevice(world, 0).activate(world.unbind_token(world.account(REPAIR))["token"])
    first, second = consumer.heard()
    assert first["properties"] == second["properties"] == {"em": "aes_gcm"}
    assert consumer.read(first)["bizCode"] == "delete"
    core = consumer.read(second)
    assert (core["protocol"], core["bizCode"]) == (1001, "deviceUnbindSpace")
    assert core["bizData"]["devId"] == "bfdevice00000000000000"


def test_a_project_chooses_form_and_encryption_for_itself() -> None:
    world = PushWorld()
    chosen = {"push_families": "iot_core", "push_encryption": "aes_gcm"}
    other = "another0client0id000"
    world.rule(lambda s: s.projects.add(OWNER, "x", access_id=other, secret=SECRET, **chosen))
    consumer, core = world.connect(), world.connect(**of_project(other))
    device = FakeDevice(world, 0)
    device.go_online()
    (delivery,), (core_delivery,) = consumer.heard(), core.heard()
    assert (delivery["properties"], consumer.read(delivery)["bizCode"]) == ({}, "online")
    assert core_delivery["properties"] == {"em": "aes_gcm"}
    assert core.read(core_delivery)["bizCode"] == "deviceOnline"


def test_only_projects_of_the_products_owner_hear_of_a_device() -> None:
    world = PushWorld()
    other = "another0client0id000"
    world.rule(lambda s: s.projects.add(STRANGER, "x", access_id=other, secret=SECRET))
    world.rule(lambda s: s.projects.add(OWNER, "second", secret=SECRET))
    world.happen()
    assert world.unread == 2
    world.wait(2 * HOUR_MS)
    assert world.unread == 0


def test_what_nobody_hears_is_kept_for_two_hours() -> None:
    world = PushWorld()
    world.happen(1)
    world.wait(HOUR_MS)
    world.happen(2)
    world.wait(HOUR_MS - 1)
    assert world.unread == 2
    world.wait(1)
    assert world.unread == 1
    assert world.connect().numbers() == [2]
    assert world.state.counts["push_dropped_too_old"] == 1
    assert_reloads(world)


def test_what_is_under_way_is_dropped_by_the_same_rule() -> None:
    world = PushWorld()
    consumer = world.connect(query="")
    world.happen(1)
    world.happen(2)
    (first, _) = consumer.heard()
    consumer.acknowledge(first)
    world.wait(2 * HOUR_MS)
    assert world.unread == 0
    consumer.acknowledge(first)
    assert world.state.counts["push_acknowledged_in_vain"] == 1
    assert world.cloud.next_deadline_ms() is None


def test_what_is_dropped_makes_room_for_others() -> None:
    world = PushWorld(push_window_max=1)
    consumer = world.connect(query="")
    world.happen(1)
    world.wait(HOUR_MS)
    world.happen(2)
    assert consumer.numbers() == [1]
    world.wait(HOUR_MS)
    assert consumer.numbers() == [2]


def test_what_is_too_much_together_is_dropped_at_once() -> None:
    world = PushWorld(push_size_max=1_000)
    for number in range(3):
        world.happen(number)
    assert world.unread == 3
    world.happen(10**800)
    assert world.unread == 1
    assert world.state.counts["push_dropped_too_many"] == 3
    assert_reloads(world)


def test_of_too_many_the_oldest_are_dropped() -> None:
    world = PushWorld(push_messages_max=3)
    for number in range(5):
        world.happen(number)
    assert world.state.counts["push_dropped_too_many"] == 2
    consumer = world.connect()
    world.happen(5)
    assert consumer.numbers() == [2, 3, 4, 5]
    world.happen(6)
    assert world.unread == 3
    assert_reloads(world)


def test_a_message_is_sent_again_until_it_is_acknowledged() -> None:
    world = PushWorld()
    consumer = world.connect()
    world.happen(1)
    world.wait(1_000)
    world.happen(2)
    first, second = consumer.heard()
    consumer.acknowledge(second)
    for count in (1, 2, 3):
        world.wait(3_000)
        (again,) = consumer.heard()
        assert (again["messageId"], again["redeliveryCount"]) == (first["messageId"], count)
    consumer.acknowledge(first)
    world.wait(10_000)
    assert consumer.heard() == []
    assert world.unread == 0


def test_without_a_time_limit_nothing_is_sent_again() -> None:
    world = PushWorld()
    consumer = world.connect(query="ackTimeoutMillis=0")
    world.happen(1)
    world.wait(HOUR_MS)
    assert consumer.numbers() == [1]


def test_the_window_bounds_what_is_sent_ahead() -> None:
    world = PushWorld()
    consumer = world.connect(query="receiverQueueSize=2")
    for number in range(5):
        world.happen(number)
    first, second = consumer.heard()
    consumer.acknowledge(second)
    assert consumer.numbers() == [2]
    consumer.acknowledge(first)
    assert consumer.numbers() == [3]


def test_a_long_backlog_is_sent_in_pieces_between_which_others_have_their_turn() -> None:
    world = PushWorld()
    for number in range(2 * BATCH + 1):
        world.happen(number)
    consumer = world.connect()
    assert len(consumer.heard()) == BATCH
    assert world.cloud.next_deadline_ms() == world.now_ms
    world.handle(DeadlineReached())
    assert len(consumer.heard()) == BATCH
    world.handle(DeadlineReached())
    assert len(consumer.heard()) == 1


def test_who_acknowledges_nothing_is_closed_and_the_next_takes_over() -> None:
    world = PushWorld(push_redeliveries_max=3)
    deaf, next_one = world.connect(), world.connect()
    world.happen(1)
    world.wait(4 * 3_000 - 1)
    assert (len(deaf.heard()), next_one.heard()) == (4, [])
    world.wait(1)
    assert deaf.state == "1008 nothing was acknowledged"
    assert next_one.numbers() == [1]
    world.wait(3_000)
    assert next_one.state == "in"
    deaf.say('{"messageId": "x"}')
    deaf.close()


def test_who_acknowledges_other_messages_is_not() -> None:
    world = PushWorld(push_redeliveries_max=3)
    consumer = world.connect()
    world.happen(1)
    consumer.heard()
    for number in range(2, 12):
        world.happen(number)
        consumer.acknowledge(consumer.heard()[-1])
        world.wait(3_000)
    assert consumer.state == "in"


def test_who_does_not_read_is_sent_nothing_more_until_it_does() -> None:
    world = PushWorld()
    consumer, waiting = world.connect(), world.connect()
    world.happen(1)
    consumer.stall()
    world.happen(2)
    world.wait(10_000)
    assert consumer.numbers() == [1]
    waiting.stall()
    waiting.resume()
    consumer.resume()
    assert consumer.numbers() == [1, 2]


@pytest.mark.parametrize("kind", ["permit", "isEndOfTopic", "negativeAcknowledge", "unsubscribe"])
def test_other_commands_acknowledge_nothing(kind: str) -> None:
    world = PushWorld()
    consumer = world.connect()
    world.happen(1)
    (delivery,) = consumer.heard()
    consumer.say(json.dumps({"type": kind, "messageId": delivery["messageId"]}))
    assert (world.unread, consumer.state) == (1, "in")


@pytest.mark.parametrize("text", ["", "[]", "no json", '{"messageId": 7}'])
def test_what_is_no_acknowledgement_closes(text: str) -> None:
    world = PushWorld()
    consumer = world.connect()
    world.happen(1)
    (delivery,) = consumer.heard()
    consumer.say(text, json.dumps({"messageId": delivery["messageId"]}))
    assert consumer.state == "1007 not an acknowledgement"
    assert world.unread == 1


@pytest.mark.parametrize("name", ["", "x", "CAEQAg==", "é", "CIGAgICAgICAgICAgICAgIAB"])
def test_ids_of_no_message_are_ignored(name: str) -> None:
    world = PushWorld()
    consumer = world.connect()
    world.happen(1)
    consumer.say(json.dumps({"messageId": name}))
    assert (world.unread, consumer.state) == (1, "in")


def test_ids_of_another_topic_are_ignored() -> None:
    world = PushWorld()
    consumer, tester = world.connect(), world.connect("event-test")
    world.happen(1)
    (delivery,) = consumer.heard()
    tester.acknowledge(delivery)
    assert world.unread == 2
    consumer.acknowledge(delivery, delivery)
    assert world.unread == 1
    assert world.state.counts["push_acknowledged_in_vain"] == 2


# --- several consumers, several topics ----------------------------------------------------------


def test_the_next_one_takes_over_in_the_step_in_which_the_active_one_is_gone() -> None:
    world = PushWorld()
    first, second, third = (world.connect() for _ in range(3))
    for number in range(4):
        world.happen(number)
    deliveries = first.heard()
    first.acknowledge(deliveries[1])
    assert second.heard() == third.heard() == []
    first.close()
    taken = second.heard()
    assert [second.read(one)["bizData"]["number"] for one in taken] == [0, 2, 3]
    assert [one["redeliveryCount"] for one in taken] == [1, 1, 1]
    second.close()
    third.acknowledge(*third.heard())
    assert world.unread == 0


def test_who_waits_has_nothing_to_acknowledge() -> None:
    world = PushWorld()
    first, second = world.connect(), world.connect()
    world.happen(1)
    second.acknowledge(*first.heard())
    assert world.unread == 1
    second.close()
    assert len(world.cloud._push._topics) == 1


def test_the_test_topic_is_kept_from_its_first_consumer_on() -> None:
    world = PushWorld()
    world.happen(1)
    tester = world.connect("event-test")
    assert tester.heard() == []
    world.happen(2)
    tester.close()
    world.happen(3)
    world.kill_and_restart()
    world.happen(4)
    assert world.connect("event-test").numbers() == [2, 3, 4]
    assert world.connect("event").numbers() == [1, 2, 3, 4]
    assert_reloads(world)


def test_each_data_centre_has_its_own_topic() -> None:
    world = PushWorld()
    consumers = {
        host: world.connect(host=host)
        for host in ("mqe.tuyaeu.com:8285", "mqe.tuyaus.com:8285", "127.0.0.1")
    }
    western = world.connect(prefix="/eu-w")
    world.happen(1)
    heard = {host: consumer.numbers() for host, consumer in consumers.items()}
    assert heard == {"mqe.tuyaeu.com:8285": [1], "mqe.tuyaus.com:8285": [], "127.0.0.1": []}
    consumers["mqe.tuyaeu.com:8285"].close()
    consumers["127.0.0.1"].close()
    assert western.numbers() == [1]


def test_consumers_of_a_topic_are_bounded() -> None:
    world = PushWorld(push_consumers_max=2)
    world.connect()
    world.connect()
    assert world.connect().state == "409 Failed to subscribe: too many consumers"
    assert world.connect("event-test").state == "in"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"pw": "3267bec17a642c26"}, "401"),
        ({"username": "another0client0id000"}, "401"),
        ({"tenant": "another0client0id000"}, "401"),
        ({"name": "other-sub"}, "404"),
        ({"channel": "news"}, "404"),
        ({"prefix": "/nowhere"}, "404"),
        ({"query": "subscriptionType=Shared"}, "400"),
        ({"query": "\udcff=1"}, "400"),
    ],
)
def test_who_may_not_is_refused(request_: dict[str, Any], status: str) -> None:
    consumer = PushWorld().connect(**request_)
    assert consumer.state.split()[0] == status


# --- what survives ------------------------------------------------------------------------------


def test_nothing_is_lost_when_the_cloud_is_killed() -> None:
    world = PushWorld()
    consumer = world.connect()
    for number in range(3):
        world.happen(number)
    first, *_ = consumer.heard()
    consumer.acknowledge(first)
    world.kill_and_restart()
    assert world.cloud.next_deadline_ms() == world.now_ms + 2 * HOUR_MS
    again = world.connect()
    assert again.numbers() == [1, 2]
    world.happen(3)
    assert again.numbers() == [3]
