"""Ledgers and the journal: every change is noted, and the commit leads its step."""

from firmware_sim.effects import Noted
from fleet.cloud.ledger import Journal, Ledger, nothing
from fleet.cloud.messages import Commit
from fleet.cloud.quotas import QuotaUse
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.records import Delete, Put
from fleet.cloud.users import User


def test_a_step_is_its_commit_and_then_its_effects() -> None:
    journal = Journal()
    ledger = Ledger(User, nothing, journal)
    journal.effects.append(Noted("said", "before the change"))
    first, second = User("u1", "a", ""), User("u2", "b", "")
    ledger.put(first)
    ledger.put(second)
    ledger.remove(first)
    commit, note = journal.take()
    assert commit == Commit((Put(first), Put(second), Delete(User, ("u1",))))
    assert note == Noted("said", "before the change")
    assert journal.take() == []


def test_a_step_without_change_has_no_commit() -> None:
    journal = Journal()
    journal.effects.append(Noted("said", "x"))
    assert journal.take() == [Noted("said", "x")]


def test_a_ledger_holds_what_was_loaded_and_put() -> None:
    store = MemoryStore()
    kept = QuotaUse("account", "a", "2023-11-14", 1)
    store.submit((Put(kept),), lambda _error: None)
    journal = Journal()
    ledger = Ledger(QuotaUse, store.load, journal)
    assert list(ledger) == [kept]
    key = ("account", "a", "2023-11-14")
    more = ledger.put(QuotaUse(*key, 2))
    assert ledger.get(key) is more
    assert len(ledger) == 1
    ledger.remove(more)
    assert ledger.get(key) is None
    (commit,) = journal.take()
    assert isinstance(commit, Commit)
    assert commit.changes[-1] == Delete(QuotaUse, key)
