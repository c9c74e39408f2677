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

    `before_reply` is called between that and the word to the cloud; it returns whether the cloud
    hears it, which it does not if it has crashed at that very moment.
    """

    def __init__(self, agenda: Agenda, write_ms: int) -> None:
        """Start empty; a transaction takes `write_ms`."""
        self._agenda = agenda
        self._write_ms = write_ms
        self._tables: dict[type[Record], dict[Any, Record]] = {}
        self._keys: dict[type[Record], Callable[[Record], Any]] = {}
        self._generation = 0
        self.written: list[Callable[[tuple[Change, ...]], None]] = []
        self.before_reply: Callable[[], bool] = lambda: True
        self.lost = 0

    def load(self, kind: type[R]) -> Iterable[R]:
        """Return all records of one kind in key order."""
        table, kept = table_of(kind), self._tables.get(kind, {})
        return [table.record(table.row(cast("R", kept[key]))) for key in sorted(kept)]

    def submit(self, changes: tuple[Change, ...], done: Done) -> None:
        """Write one transaction; `done` is called when it is durable."""
        self._agenda.after(self._write_ms, self._write, self._generation, changes, done)

    def write_now(self, changes: tuple[Change, ...]) -> None:
        """Write what a cloud starts with."""
        self._write(self._generation, changes, lambda _: None)

    def _write(self, generation: int, changes: tuple[Change, ...], done: Done) -> None:
        if generation != self._generation:
            self.lost += 1
            return
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
        if self.before_reply():
            done(None)

    def _remove(self, change: Any) -> None:
        key = change.key if len(change.kind.KEY) > 1 else change.key[0]
        self._tables.get(change.kind, {}).pop(key, None)

    def crash(self) -> None:
        """Lose what was not written yet."""
        self._generation += 1

    def close(self) -> None:
        """Keep everything."""
