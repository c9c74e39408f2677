"""The disk of a virtual cloud: what was committed survives its crash, what was not is lost.

Writing takes time, so between a step of the cloud and the moment at which it may speak of it there
is a gap, and a crash can come into it: before the disk has the change, or after it has it and
before anybody was told.

Records are kept as they are and go through the cells of a database when they are loaded: what a
cloud starts with is never an object that another one has held.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, cast

from firmware_sim.runtime.virtual.agenda import Agenda
from fleet.cloud.store.records import Change, Put, R, Record
from fleet.cloud.store.rows import table_of

Done = Callable[[BaseException | None], None]


class Disk:
    """A store; `written` are told of each transaction that is durable from now on.

    `before_write` is called when one is about to be, and returns whether it will be; `before_reply`
    between that and the word to the cloud, and returns whether the cloud hears it. It does not if it
    has crashed at that very moment. A disk may be slow: it is `late_ms` late then.
    """

    def __init__(self, agenda: Agenda, write_ms: int) -> None:
        """Start empty; a transaction takes `write_ms`."""
        self._agenda = agenda
        self.write_ms = write_ms
        self.late_ms = 0
        self._due_ms = 0  # when what was submitted last is written
        self._tables: dict[type[Record], dict[Any, Record]] = {}
        self._keys: dict[type[Record], Callable[[Record], Any]] = {}
        self._generation = 0
        self.written: list[Callable[[tuple[Change, ...]], None]] = []
        self.before_write: Callable[[], bool] = _always
        self.before_reply: Callable[[], bool] = _always
        self.lost = 0

    def load(self, kind: type[R]) -> Iterable[R]:
        """Return all records of one kind in key order."""
        table, kept = table_of(kind), self._tables.get(kind, {})
        return [table.record(table.row(cast("R", kept[key]))) for key in sorted(kept)]

    def submit(self, changes: tuple[Change, ...], done: Done) -> None:
        """Write one transaction; `done` is called when it is durable."""
        agenda = self._agenda
        self._due_ms = max(agenda.now_ms + self.write_ms + self.late_ms, self._due_ms)
        agenda.at(self._due_ms, self._write, self._generation, changes, done)

    def write_now(self, changes: tuple[Change, ...]) -> None:
        """Write what a cloud starts with."""
        self._keep(changes)

    def _write(self, generation: int, changes: tuple[Change, ...], done: Done) -> None:
        if generation != self._generation or not self.before_write():
            self.lost += 1
            return
        self._keep(changes)
        if self.before_reply():
            done(None)

    def _keep(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if type(change) is Put:
                record = change.record
                kind = type(record)
                if kind not in self._keys:
                    self._keys[kind] = attrgetter(*kind.KEY)
                    self._tables[kind] = {}
                self._tables[kind][self._keys[kind](record)] = record
            else:
                self._remove(cast("Any", change))
        for look in self.written:
            look(changes)

    def _remove(self, change: Any) -> None:
        key = change.key if len(change.kind.KEY) > 1 else change.key[0]
        self._tables.get(change.kind, {}).pop(key, None)

    def crash(self) -> None:
        """Lose what was not written yet."""
        self._generation += 1
        self._due_ms = 0

    def close(self) -> None:
        """Keep everything."""


def _always() -> bool:
    """Nothing comes in between."""
    return True
