"""The console's page of message push: what waits, for whom, and that no secret is in it."""

import json

from tests.cloud.push_world import ACCESS_ID, SECRET, PushWorld
from tests.cloud.support import OWNER, STRANGER

PUSH = "/console/v1/push"


def test_a_project_without_messages_has_no_topics() -> None:
    world = PushWorld(push_families="both")
    assert world.get("GET", PUSH, None, world.account(OWNER)) == [
        {
            "access_id": ACCESS_ID,
            "name": "app",
            "families": "both",
            "encryption": "aes_ecb",
            "topics": [],
        }
    ]
    assert world.get("GET", PUSH, None, world.account(STRANGER)) == []
    assert world.refusal("GET", PUSH) == "no_session"


def test_what_is_unread_and_under_way_is_told_with_who_reads() -> None:
    world = PushWorld()
    session = world.account(OWNER)
    raised_ms = world.now_ms
    for number in range(3):
        world.happen(number)
    (project,) = world.get("GET", PUSH, None, session)
    (topic,) = project["topics"]
    size = topic.pop("size")
    assert size > 100
    assert topic == {
        "centre": "EU",
        "topic": "event",
        "unread": 3,
        "oldest_ms": raised_ms,
        "under_way": 0,
        "consumers": [],
    }
    consumer = world.connect(query="receiverQueueSize=2&subscriptionType=Failover")
    world.connect("event")
    world.connect("event-test").stall()
    consumer.acknowledge(consumer.heard()[0])
    said = world.get("GET", PUSH, None, session)
    assert SECRET not in json.dumps(said)
    event, test = said[0]["topics"]
    assert (event["unread"], event["under_way"]) == (2, 2)
    assert event["size"] < size
    assert event["consumers"] == [
        {"active": True, "window": 2, "ack_timeout_ms": 0, "stalled": False},
        {"active": False, "window": 1000, "ack_timeout_ms": 3000, "stalled": False},
    ]
    assert (test["topic"], test["unread"], test["oldest_ms"]) == ("event-test", 0, None)
    assert [one["stalled"] for one in test["consumers"]] == [True]


def test_a_topic_that_was_asked_for_stays_on_the_page() -> None:
    world = PushWorld()
    world.connect("event-test").close()
    (project,) = world.get("GET", PUSH, None, world.account(OWNER))
    assert [(one["topic"], one["consumers"]) for one in project["topics"]] == [("event-test", [])]
