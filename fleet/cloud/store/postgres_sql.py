"""PostgreSQL's side of records and tables: its statements, its dialect, its texts.

Pure functions. Public source: postgresql.org, "SQL Syntax", "Character Types" (a text holds no
character zero), "Collation Support".
"""

import re
from functools import cache
from typing import Generic

from fleet.cloud.store.records import R
from fleet.cloud.store.rows import Cell, Row, table_of

# Integers have 64 bits and texts are ordered by their bytes, as in SQLite.
_WORDS = {
    "INTEGER": "BIGINT",
    "REAL": "DOUBLE PRECISION",
    "BLOB": "BYTEA",
    "TEXT": 'TEXT COLLATE "C"',
}
_TOKEN = re.compile(
    r"(?P<kept>'(?:[^']|'')*'|--[^\n]*)"
    r"|(?P<word>\b(?:INTEGER|REAL|BLOB|TEXT)\b)"
    r"|(?P<closing>\)\s*(?:(?:STRICT|WITHOUT\s+ROWID)\s*,?\s*)+;)"
)


def translate(script: str) -> str:
    """Return one of our schema files, which are in SQLite's dialect, in that of PostgreSQL."""
    return _TOKEN.sub(_translated, script)


def _translated(found: re.Match[str]) -> str:
    if found["word"]:
        return _WORDS[found["word"]]
    return ");" if found["closing"] else found[0]


class PostgresTable(Generic[R]):
    """The statements of one record class, and its rows as PostgreSQL can keep them."""

    def __init__(self, kind: type[R]) -> None:
        """Write the statements once."""
        self.table = table_of(kind)
        columns = [f'"{name}"' for name in self.table.names]
        keys = [f'"{name}"' for name in kind.KEY]
        marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        match = " AND ".join(f"{key} = ${n}" for n, key in enumerate(keys, start=1))
        renewed = ", ".join(f"{c} = EXCLUDED.{c}" for c in columns if c not in keys)
        conflict = f"DO UPDATE SET {renewed}" if renewed else "DO NOTHING"
        every = ", ".join(columns)
        # Names come from our own classes, never from outside: nothing to inject.
        self.put_sql = (
            f'INSERT INTO "{kind.TABLE}" ({every}) VALUES ({marks}) '  # noqa: S608
            f"ON CONFLICT ({', '.join(keys)}) {conflict}"
        )
        self.delete_sql = f'DELETE FROM "{kind.TABLE}" WHERE {match}'  # noqa: S608
        self.load_sql = f'SELECT {every} FROM "{kind.TABLE}" ORDER BY {", ".join(keys)}'  # noqa: S608


@cache
def postgres_table_of(kind: type[R]) -> PostgresTable[R]:
    """Return the table of a record class, worked out once."""
    return PostgresTable(kind)


def written(row: Row) -> Row:
    """Return cells as they are kept: character zero is escaped, in a way that keeps the order."""
    return tuple(map(_write, row))


def read(row: Row) -> Row:
    """Undo `written`."""
    return tuple(map(_read, row))


def _write(cell: Cell) -> Cell:
    if isinstance(cell, str) and ("\0" in cell or "\1" in cell):
        return cell.replace("\1", "\1\2").replace("\0", "\1\1")
    return cell


def _read(cell: Cell) -> Cell:
    if isinstance(cell, str) and "\1" in cell:
        return cell.replace("\1\1", "\0").replace("\1\2", "\1")
    return cell
