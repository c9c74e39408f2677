"""A store without a disk: for tests, for virtual time and for a cloud that may forget.

Records are kept as the same cells as in a database, so that what comes back from `load` is never
the object that a service still holds, and a record that SQLite could not keep fails here as well.
"""

from collections.abc import Callable
from typing import Any, cast

from firmware_sim.errors import UsageError
from fleet.cloud.store.records import Change, Put, R, Record
from fleet.cloud.store.rows import Cell, Row, check_key, table_of


class MemoryStore:
    """Keeps records for as long as it lives; every submission is durable at once."""

    def __init__(self) -> None:
        """Start empty."""
        self._tables: dict[type[Record], dict[tuple[Cell, ...], Row]] = {}
        self._closed = False

    def load(self, kind: type[R]) -> list[R]:
        """Return all records of one kind in key order."""
        table = table_of(kind)
        rows = self._tables.get(kind, {})
        keys = sorted(rows, key=lambda key: cast("Any", key))
        return [table.record(rows[key]) for key in keys]

    def submit(
        self, changes: tuple[Change, ...], done: Callable[[BaseException | None], None]
    ) -> None:
        """Apply one transaction and call `done` before returning."""
        if self._closed:
            raise UsageError("this store is closed: nothing can be submitted any more")
        for change in changes:
            if isinstance(change, Put):
                table = table_of(type(change.record))
                rows = self._tables.setdefault(table.kind, {})
                rows[table.key(change.record)] = table.row(change.record)
            else:
                check_key(change.kind, change.key)
                self._tables.setdefault(change.kind, {}).pop(change.key, None)
        done(None)

    def close(self) -> None:
        """Refuse what is submitted from now on; what is kept can still be loaded."""
        self._closed = True
