"""$SYS has Mosquitto's names, and tells what has changed."""

from fleet.cloud.broker.meters import Levels, Meters, Watch, readings

LEVELS = Levels(connected=2, away=1, subscriptions=5, retained=3, stored=4, stored_bytes=100)
# As Mosquitto 2.0.11 publishes them; its load averages, heap and shared subscriptions are left out.
MOSQUITTO = """
bytes/received bytes/sent clients/active clients/connected clients/disconnected clients/expired
clients/inactive clients/maximum clients/total messages/received messages/sent messages/stored
publish/bytes/received publish/bytes/sent publish/messages/dropped publish/messages/received
publish/messages/sent store/messages/bytes store/messages/count subscriptions/count uptime version
"""


def test_names_are_mosquitto_s() -> None:
    told = readings(Meters(), LEVELS, 0)
    assert {*told} == {
        *(f"$SYS/broker/{name}" for name in MOSQUITTO.split()),
        "$SYS/broker/retained messages/count",
    }


def test_values_are_texts() -> None:
    told = readings(Meters(started_ms=1_000, bytes_sent=7), LEVELS, 62_500)
    assert told["$SYS/broker/uptime"] == b"61 seconds"
    assert told["$SYS/broker/bytes/sent"] == b"7"
    assert told["$SYS/broker/clients/total"] == b"3"


def test_news_are_what_changed_and_there_is_no_next_time_without_watchers() -> None:
    watch = Watch(10)
    watch.begin(5)
    watch.begin(9)
    assert watch.due_ms == 15
    assert watch.news({"a": b"1", "b": b"1"}, 15) == {"a": b"1", "b": b"1"}
    assert watch.news({"a": b"1", "b": b"2"}, 25) == {"b": b"2"}
    assert watch.due_ms == 35
    watch.end()
    watch.news({}, 35)
    assert watch.due_ms == 45
    watch.end()
    watch.news({}, 45)
    assert not watch.due_ms
