"""Records to rows and back, for every store: one table per record class, one column per field.

Numbers, text and bytes are columns of their own type, a boolean is 0 or 1, and whatever has
parts (lists, nested structs, mappings) is kept as JSON text. Pure functions of the record class;
nothing here knows a database connection.
"""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain
from typing import Any, Generic, cast

import msgspec
from msgspec import inspect

from firmware_sim.errors import UsageError
from fleet.cloud.store.records import Change, Put, R, Record

Cell = str | int | float | bytes | None
Row = tuple[Cell, ...]
Folded = dict[type[Record], dict[tuple[Cell, ...], Record | None]]

_PLAIN = (
    inspect.IntType,
    inspect.FloatType,
    inspect.StrType,
    inspect.BytesType,
    inspect.EnumType,
)


def _same(value: Any) -> Any:
    return value


def _write_bool(value: Any) -> Cell:
    return None if value is None else int(value)


def _read_bool(cell: Cell) -> Cell:
    # Anything but 0 and 1 stays what it is, for the check of the whole record to refuse.
    return bool(cell) if cell in (0, 1) else cell


def _write_json(value: Any) -> Cell:
    return msgspec.json.encode(value).decode()


def _read_json(cell: Cell) -> Any:
    return msgspec.json.decode(cast("str", cell))


_CELLS: dict[str, tuple[Callable[[Any], Cell], Callable[[Cell], Any]]] = {
    "plain": (_same, _same),
    "bool": (_write_bool, _read_bool),
    "json": (_write_json, _read_json),
}


class Table(Generic[R]):
    """How one record class lies in its table, with the SQL that all stores share."""

    def __init__(self, kind: type[R]) -> None:
        """Read the fields of `kind` once."""
        shape = cast("inspect.StructType", inspect.type_info(kind))
        self.kind = kind
        self.names = tuple(field.name for field in shape.fields)
        self._cells = tuple(_CELLS[_shape_of(field.type)] for field in shape.fields)
        self._written = tuple(
            (index, write) for index, (write, _) in enumerate(self._cells) if write is not _same
        )
        columns = ", ".join(self.names)
        marks = ", ".join("?" * len(self.names))
        match = " AND ".join(f"{name} = ?" for name in kind.KEY)
        # Names come from our own classes, never from outside: nothing to inject.
        self.put_sql = f"INSERT OR REPLACE INTO {kind.TABLE} ({columns}) VALUES ({marks})"  # noqa: S608
        self.delete_sql = f"DELETE FROM {kind.TABLE} WHERE {match}"  # noqa: S608
        self.load_sql = f"SELECT {columns} FROM {kind.TABLE} ORDER BY {', '.join(kind.KEY)}"  # noqa: S608

    def key(self, record: R) -> tuple[Cell, ...]:
        """Return the values of the key columns of `record`."""
        return tuple(getattr(record, name) for name in self.kind.KEY)

    def row(self, record: R) -> Row:
        """Return the cells of `record` in the order of its fields."""
        cells = list(msgspec.structs.astuple(record))
        for index, write in self._written:
            cells[index] = write(cells[index])
        return tuple(cells)

    def record(self, row: Row) -> R:
        """Build the record of `row`; UsageError when the cells are not what the class says."""
        try:
            values = {
                name: read(cell)
                for name, cell, (_, read) in zip(self.names, row, self._cells, strict=True)
            }
            return msgspec.convert(values, self.kind)
        except (msgspec.MsgspecError, TypeError) as error:
            raise UsageError(
                f"table {self.kind.TABLE} has a row that this program cannot read ({error}): "
                "restore the data folder from a copy or start with an empty one"
            ) from error


@cache
def table_of(kind: type[R]) -> Table[R]:
    """Return the table of a record class, worked out once."""
    return Table(kind)


def check_key(kind: type[Record], key: tuple[str | int, ...]) -> None:
    """Refuse a key that does not have one value per key column (a mistake of the caller)."""
    if len(key) != len(kind.KEY):
        raise UsageError(f"{kind.__name__} has the key {kind.KEY}, got {len(key)} values")


def folded(transactions: Iterable[Iterable[Change]]) -> Folded:
    """Return the last state of every record that is changed; None where it is removed.

    Who makes one transaction of all needs no more: nobody could see an earlier state.
    """
    states: Folded = {}
    for change in chain.from_iterable(transactions):
        if isinstance(change, Put):
            kind = type(change.record)
            states.setdefault(kind, {})[table_of(kind).key(change.record)] = change.record
        else:
            check_key(change.kind, change.key)
            states.setdefault(change.kind, {})[change.key] = None
    return states


def _shape_of(kind: inspect.Type) -> str:
    parts = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    present = [part for part in parts if not isinstance(part, inspect.NoneType)]
    if all(isinstance(part, _PLAIN) for part in present):
        return "plain"
    if all(isinstance(part, inspect.BoolType) for part in present):
        return "bool"
    return "json"
