"""Typed records and the contract of a store.

A record is a flat struct: one class per table, one field per column (integers, floats, text,
booleans; lists and nested structs are kept as JSON text). Services change their state in memory
and hand the same change on as `Put` or `Delete`; they never read from a store except at start.
"""

from collections.abc import Callable, Iterable
from typing import ClassVar, Protocol, TypeVar

import msgspec


class Record(msgspec.Struct):
    """Base of everything that is stored."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]


class Put(msgspec.Struct, frozen=True, gc=False):
    """Insert or replace one record, as it is when the commit is written.

    Services must not change a record between the step that puts it and its commit; they replace
    it instead (`msgspec.structs.replace`).
    """

    record: Record


class Delete(msgspec.Struct, frozen=True, gc=False):
    """Remove the record of `kind` whose key columns have these values."""

    kind: type[Record]
    key: tuple[str | int, ...]


Change = Put | Delete
R = TypeVar("R", bound=Record)


class Store(Protocol):
    """Keeps records. `submit` calls `done` once the changes are durable, or with the error."""

    def load(self, kind: type[R]) -> Iterable[R]:
        """Return all records of one kind in key order; used once, at start."""
        ...

    def submit(
        self, changes: tuple[Change, ...], done: Callable[[BaseException | None], None]
    ) -> None:
        """Queue one transaction. Transactions become durable in the order of submission."""
        ...

    def close(self) -> None:
        """Write what is queued and release the files. Nothing can be submitted afterwards."""
        ...
