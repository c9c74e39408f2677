"""The books have what was written, of the kinds that somebody wants, and tell of each change."""

from fleet.cloud.quotas import QuotaLimit, QuotaUse
from fleet.cloud.store.records import Delete, Put
from fleet.run.checks.books import Books

USE = QuotaUse("account", "a", "2026-01-01", 1)
MORE = QuotaUse("account", "a", "2026-01-01", 2)
KEY = ("account", "a", "2026-01-01")


def test_what_is_kept_is_what_was_written_last() -> None:
    books = Books()
    uses = books.keep(QuotaUse)
    books.take((Put(USE), Put(QuotaLimit("account", "a", 5)), Put(MORE)))
    assert dict(uses) == {KEY: MORE}
    books.take((Delete(QuotaUse, KEY),))
    assert dict(uses) == {}


def test_each_change_is_told_with_what_was_before() -> None:
    books = Books()
    told: list[object] = []
    books.keep(QuotaUse)
    books.look(QuotaUse, lambda before, after: told.append((before, after)))
    books.closed.append(lambda: told.append("closed"))
    books.take((Put(USE), Put(MORE)))
    books.take((Delete(QuotaUse, KEY),))
    assert told == [(None, USE), (USE, MORE), "closed", (MORE, None), "closed"]


def test_what_nobody_keeps_has_no_before() -> None:
    books = Books()
    told: list[object] = []
    books.look(QuotaUse, lambda before, after: told.append((before, after)))
    books.take((Put(USE), Put(MORE), Delete(QuotaUse, KEY)))
    assert told == [(None, USE), (None, MORE), (None, None)]
