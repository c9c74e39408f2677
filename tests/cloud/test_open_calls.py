"""The day's calls per key: counted, and written down now and then."""

from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.messages import Commit
from fleet.cloud.open_calls import NOTED_EVERY, OpenCalls
from fleet.cloud.settings import Settings
from fleet.cloud.store.memory import MemoryStore
from tests.cloud.support import DAY_MS, START_MS


def test_calls_are_counted_per_key() -> None:
    calls = OpenCalls(Settings(), nothing, Journal())
    assert calls.today("a", START_MS) == 0
    assert [calls.count("a", START_MS) for _ in range(3)] == [1, 2, 3]
    assert calls.count("b", START_MS) == 1
    assert calls.today("a", START_MS) == 3
    assert calls.today("a", START_MS + DAY_MS) == 0


def test_a_count_begins_anew_with_the_day() -> None:
    calls = OpenCalls(Settings(), nothing, Journal())
    midnight_ms = START_MS // DAY_MS * DAY_MS + DAY_MS
    assert calls.count("a", midnight_ms - 1) == 1
    assert calls.count("a", midnight_ms) == 1


def test_every_thousandth_call_is_written_down_and_survives() -> None:
    store, journal = MemoryStore(), Journal()
    calls = OpenCalls(Settings(), store.load, journal)
    for _ in range(NOTED_EVERY + 1):
        calls.count("a", START_MS)
    (commit,) = journal.take()
    assert isinstance(commit, Commit)
    store.submit(commit.changes, lambda _error: None)
    again = OpenCalls(Settings(), store.load, Journal())
    assert again.count("a", START_MS) == NOTED_EVERY + 1
    assert again.count("a", START_MS + DAY_MS) == 1
