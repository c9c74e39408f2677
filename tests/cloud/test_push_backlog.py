"""The backlog of push messages: order, bounds, age, and the topics that are kept."""

import msgspec

from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.messages import Commit
from fleet.cloud.push_backlog import Backlog, PushMessage, Topic, topic_of
from fleet.cloud.settings import Settings
from fleet.cloud.store.memory import MemoryStore

EVENT = Topic("client", "EU", "event")
TEST = Topic("client", "EU", "event-test")
OTHER = Topic("other", "EU", "event")
SETTINGS = Settings(push_messages_max=2, push_retention_s=10)


def message(number: int, topic: Topic = EVENT, time_ms: int = 0) -> PushMessage:
    return PushMessage(number, *topic, protocol=20, time_ms=time_ms, text="{}")


def make(*messages: PushMessage) -> Backlog:
    backlog = Backlog(SETTINGS, nothing, Journal())
    for one in messages:
        backlog.add(one)
    return backlog


def test_messages_are_kept_by_topic_in_order() -> None:
    backlog = make(message(1), message(2, OTHER), message(3))
    assert list(backlog.ids(EVENT)) == [1, 3]
    assert list(backlog.ids(OTHER)) == [2]
    assert list(backlog.ids(TEST)) == []
    assert (len(backlog), backlog.newest_id()) == (3, 3)
    kept = backlog.get(2)
    assert kept is not None
    assert topic_of(kept) == OTHER
    backlog.remove(kept)
    assert backlog.get(2) is None
    assert make().newest_id() == 0


def test_the_oldest_is_one_too_many() -> None:
    backlog = make(message(1), message(2), message(3, OTHER))
    assert backlog.surplus(EVENT) is None
    backlog.add(message(4))
    surplus = backlog.surplus(EVENT)
    assert surplus is not None
    assert surplus.id == 1


def test_the_oldest_go_until_all_are_small_enough_together() -> None:
    backlog = Backlog(msgspec.structs.replace(SETTINGS, push_size_max=10), nothing, Journal())
    small = message(1)
    backlog.add(small)
    assert backlog.surplus(EVENT) is None
    large = msgspec.structs.replace(message(2), text="x" * 9)
    backlog.add(large)
    assert backlog.surplus(EVENT) == small
    backlog.remove(small)
    assert backlog.surplus(EVENT) is None
    largest = msgspec.structs.replace(message(3), text="x" * 99)
    backlog.add(largest)
    assert backlog.surplus(EVENT) == large
    backlog.remove(large)
    assert backlog.surplus(EVENT) is None, "the newest is kept in any case"


def test_age() -> None:
    backlog = make(message(1, time_ms=100), message(2, time_ms=200), message(3, OTHER, time_ms=50))
    assert backlog.next_expiry_ms() == 10_050
    assert [one.id for one in backlog.too_old(10_049)] == []
    assert [one.id for one in backlog.too_old(10_100)] == [1, 3]
    assert make().next_expiry_ms() is None


def test_the_test_topic_is_kept_once_somebody_asked() -> None:
    journal, store = Journal(), MemoryStore()
    backlog = Backlog(SETTINGS, nothing, journal)
    assert (backlog.kept(EVENT), backlog.kept(TEST)) == (True, False)
    backlog.subscribe(TEST)
    backlog.subscribe(TEST)
    backlog.subscribe(EVENT)
    (commit,) = journal.take()
    assert isinstance(commit, Commit)
    assert len(commit.changes) == 1
    store.submit(commit.changes, lambda _: None)
    again = Backlog(msgspec.structs.replace(SETTINGS), store.load, Journal())
    assert again.kept(TEST)
    assert not again.kept(Topic("client", "AZ", "event-test"))
