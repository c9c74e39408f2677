"""A bounded log of records: rows with rising ids, oldest dropped first, paged by name.

Both the operation history and the device logs are such logs. Dropping is a change like any
other, so the store stays as bounded as the memory.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

import msgspec

from fleet.cloud.ledger import Ledger
from fleet.cloud.store.records import Record


class Row(Record):
    """A record of a log; ids rise and never repeat while their row is kept."""

    TABLE = ""
    KEY = ("id",)

    id: int


RowT = TypeVar("RowT", bound=Row)


class Page(msgspec.Struct, Generic[RowT], frozen=True):
    """Some rows in order of id, and the id to go on after (None when these were the last)."""

    rows: list[RowT]
    next: int | None


class RowLog(Generic[RowT]):
    """The rows of one ledger, filed under the names that `names` gives each of them."""

    def __init__(
        self,
        ledger: Ledger[RowT],
        names: Callable[[RowT], Iterable[str]],
        *,
        rows_max: int,
        rows_per_name_max: int,
    ) -> None:
        """Take the rows of `ledger`; from now on keep at most so many, in all and per name."""
        self._ledger = ledger
        self._names = names
        self._rows_max = rows_max
        self._per_name_max = rows_per_name_max
        self._by_name: dict[str, array[int]] = {}  # unlike lists, nothing for the garbage collector
        self.next_id = 1
        for row in ledger:
            self._file(row)
        self._first_id = next((row.id for row in ledger), 1)  # no row is older

    def __iter__(self) -> Iterator[RowT]:
        """Go through all rows, oldest first."""
        return iter(self._ledger)

    def get(self, row_id: int) -> RowT | None:
        """Return a row that is still kept."""
        return self._ledger.get(row_id)

    def append(self, row: RowT) -> RowT:
        """Add a row whose id is `next_id`; drop what has become too much."""
        self._ledger.put(row)
        for ids in self._file(row):
            while len(ids) > self._per_name_max:
                self._drop(ids[0])
        while len(self._ledger) > self._rows_max:
            self._drop(self._oldest_id())
        return row

    def replace(self, row: RowT) -> RowT:
        """Put a changed row in the place of the one with its id; its names must be the same."""
        return self._ledger.put(row)

    def forget(self, name: str) -> None:
        """Drop all rows of `name`; ids go on after the last row that is left, as on a restart."""
        for row_id in list(self._by_name.get(name, ())):
            self._drop(row_id)
        last = next(reversed(self._ledger), None)
        self.next_id = last.id + 1 if last is not None else 1
        self._first_id = min(self._first_id, self.next_id)

    def page(
        self, name: str, after: int, limit: int, keep: Callable[[RowT], bool] = lambda _row: True
    ) -> Page[RowT]:
        """Return up to `limit` (> 0) rows of `name` with ids above `after` that `keep` accepts."""
        ids = self._by_name.get(name, array("q"))
        return self._page(ids, range(bisect_right(ids, after), len(ids)), limit, keep)

    def latest(
        self, name: str, before: int, limit: int, keep: Callable[[RowT], bool] = lambda _row: True
    ) -> Page[RowT]:
        """Return such rows with ids below `before`, newest first; `before` 0 begins with the last."""
        ids = self._by_name.get(name, array("q"))
        end = bisect_left(ids, before) if before else len(ids)
        return self._page(ids, range(end - 1, -1, -1), limit, keep)

    def _page(
        self, ids: "array[int]", places: Iterable[int], limit: int, keep: Callable[[RowT], bool]
    ) -> Page[RowT]:
        filed = (self._ledger.get(ids[place]) for place in places)
        rows = list(islice((row for row in filed if row is not None and keep(row)), limit + 1))
        return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)

    def _file(self, row: RowT) -> "list[array[int]]":
        """Enter a row under its names; return the ids that are filed there now."""
        self.next_id = row.id + 1
        filed = []
        for name in self._names(row):
            ids = self._by_name.get(name)
            if ids is None:
                ids = self._by_name[name] = array("q")
            ids.append(row.id)
            filed.append(ids)
        return filed

    def _oldest_id(self) -> int:
        """Return the id of the oldest row; a dictionary would pass over all that was dropped."""
        while self._ledger.get(self._first_id) is None:
            self._first_id += 1
        return self._first_id

    def _drop(self, row_id: int) -> None:
        row = self._ledger.get(row_id)
        assert row is not None, "a filed row is kept"
        self._ledger.remove(row)
        for name in self._names(row):
            filed = self._by_name[name]
            filed.remove(row_id)
            if not filed:
                del self._by_name[name]
