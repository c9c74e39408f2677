"""State that is a set of records: in memory, with each change noted for the step's one commit.

Services keep all that must survive in a `Ledger`. A ledger hands out records and takes whole new
ones (records are replaced, never altered), and notes each change in the `Journal` of the step.
`Cloud` drains the journal after each event into one `Commit`, followed by what the step sends; so
memory and store cannot drift apart, and a restart on the same store gives the same cloud.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from firmware_sim.effects import Effect
from fleet.cloud.messages import Commit
from fleet.cloud.store.records import Change, Delete, Put, Record

R = TypeVar("R", bound=Record)
Key = str | int | tuple[str | int, ...]


class Loader(Protocol):
    """What gives a ledger its first records: `Store.load`, or `nothing`."""

    def __call__(self, kind: type[R], /) -> Iterable[R]:
        """Return all stored records of one kind in key order."""
        ...


def nothing(_kind: type[R], /) -> Iterable[R]:
    """Load no records: the cloud starts empty."""
    return ()


class Journal:
    """What the step under way has changed, and what it wants done once that is durable."""

    __slots__ = ("changes", "effects")

    def __init__(self) -> None:
        """Start with an empty step."""
        self.changes: list[Change] = []
        self.effects: list[Effect] = []

    def take(self) -> list[Effect]:
        """Return the step, its commit in front of its effects, and begin the next one."""
        step, self.effects = self.effects, []
        if self.changes:
            step.insert(0, Commit(tuple(self.changes)))
            self.changes = []
        return step


class Ledger(Generic[R]):
    """All records of one kind by key, in order of insertion.

    `get(key)` returns the record of a key (a tuple where it has several columns), or None; it is
    the dictionary's own, since nothing is called more often.
    """

    __slots__ = ("_journal", "_key", "_kind", "_rows", "get")

    def __init__(self, kind: type[R], load: Loader, journal: Journal) -> None:
        """Take the stored records; later changes are noted in `journal`."""
        self._kind = kind
        self._key: Callable[[Any], Key] = attrgetter(*kind.KEY)
        self._journal = journal
        self._rows: dict[Key, R] = {self._key(row): row for row in load(kind)}
        self.get: Callable[[Key], R | None] = self._rows.get

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        """Go through the records, oldest first."""
        return iter(self._rows.values())

    def __reversed__(self) -> Iterator[R]:
        """Go through the records, newest first."""
        return reversed(self._rows.values())

    def put(self, record: R) -> R:
        """Insert `record`, or replace the one with the same key; return it."""
        self._rows[self._key(record)] = record
        self._journal.changes.append(Put(record))
        return record

    def remove(self, record: R) -> None:
        """Remove `record`, which must be present."""
        key = self._key(record)
        del self._rows[key]
        self._journal.changes.append(Delete(self._kind, key if isinstance(key, tuple) else (key,)))
