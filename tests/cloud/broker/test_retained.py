"""The store of retained messages: bounded, and the same after a restart."""

from fleet.cloud.broker.records import RetainedMessage
from fleet.cloud.broker.retained import Retained
from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.settings import Settings
from fleet.cloud.store import Put
from fleet.cloud.store.memory import MemoryStore

SETTINGS = Settings(mqtt_retained_max=3, mqtt_retained_size_max=10)


def found(retained: Retained, topic_filter: str) -> dict[str, bytes]:
    return {message.topic: message.payload for message in retained.of(topic_filter)[0]}


def test_the_last_message_of_a_topic_counts() -> None:
    retained = Retained(SETTINGS, nothing, Journal())
    assert retained.put("a", b"1", 0)
    assert retained.put("a", b"22", 2)
    assert retained.of("a") == ([RetainedMessage("a", b"22", 2)], 1)
    assert (retained.count, retained.size) == (1, 2)
    assert retained.put("a", b"", 0)
    assert retained.put("never/had", b"", 0)
    assert (retained.count, retained.size) == (0, 0)
    assert found(retained, "#") == {}


def test_number_and_bytes_are_bounded_and_a_topic_without_room_has_none() -> None:
    retained = Retained(SETTINGS, nothing, Journal())
    assert all(retained.put(topic, b"123", 0) for topic in "abc")
    assert not retained.put("d", b"1", 0)
    assert retained.put("c", b"1234", 0)
    assert not retained.put("c", b"12345", 0)
    assert found(retained, "#") == {"a": b"123", "b": b"123"}
    assert retained.put("d", b"1234", 0)


def test_a_restart_finds_the_same() -> None:
    journal, store = Journal(), MemoryStore()
    retained = Retained(SETTINGS, nothing, journal)
    retained.put("a/b", b"\x00\xff", 1)
    retained.put("a/c", b"x", 0)
    retained.put("a/c", b"", 0)
    (commit,) = journal.take()
    store.submit(commit.changes, lambda _error: None)  # type: ignore[attr-defined]
    again = Retained(SETTINGS, store.load, Journal())
    assert found(again, "a/+") == {"a/b": b"\x00\xff"}
    assert again.size == 2


def test_every_change_is_noted() -> None:
    journal = Journal()
    Retained(SETTINGS, nothing, journal).put("a", b"x", 0)
    (commit,) = journal.take()
    assert commit.changes == (Put(RetainedMessage("a", b"x", 0)),)  # type: ignore[attr-defined]
