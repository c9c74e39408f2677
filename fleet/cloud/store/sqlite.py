"""A store on disk: one SQLite file, one writer thread, many transactions per disk flush.

Callers queue transactions; the writer takes all that wait, writes them as one SQLite transaction
and calls each `done` after the flush (`journal_mode=WAL`, `synchronous=FULL`: what was reported
survives `kill -9` and power loss). The file is locked for as long as the store is open
(`locking_mode=EXCLUSIVE`; the kernel drops the lock with the process). The database knows its
own version (`PRAGMA user_version`) and is brought up to date by the numbered files in `schema/`.
See sqlite.org: "Write-Ahead Logging", "PRAGMA statements".
"""

import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_sim.errors import UsageError
from fleet.cloud.store.records import Change, R
from fleet.cloud.store.rows import folded, table_of
from fleet.cloud.store.schema_files import SCHEMA, scripts_after

FILE_NAME = "cloud.db"

_APPLICATION_ID = 0x46574C54  # "FWLT": tells our files from other programs' databases
_GROUP_MAX = 2_000
_LOCK_WAIT_S = 0.5

Done = Callable[[BaseException | None], None]
_Submission = tuple[tuple[Change, ...], Done]


class SqliteStore:
    """Keeps records in `folder`/cloud.db; `done` is called on the writer's thread, in order."""

    def __init__(self, folder: Path, *, schema: Path = SCHEMA) -> None:
        """Open or create the database; UsageError says in one line why that cannot be."""
        self.path = folder / FILE_NAME
        self._error: BaseException | None = None
        self._queue: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._closed = False
        self._connection = _open(self.path, schema)
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    def load(self, kind: type[R]) -> list[R]:
        """Return all records of one kind in key order."""
        table = table_of(kind)
        with self._turn:
            rows = self._connection.execute(table.load_sql).fetchall()
        return [table.record(row) for row in rows]

    def submit(self, changes: tuple[Change, ...], done: Done) -> None:
        """Queue one transaction; `done` gets None once it is durable, or the error.

        After a first error nothing is written any more: the caller's memory is ahead of the
        disk, and a later transaction may build on one that was lost. `done` must not raise.
        """
        if self._closed:
            raise UsageError(f"{self.path} is closed: nothing can be submitted any more")
        self._queue.put((changes, done))

    def close(self) -> None:
        """Write what is queued, stop the writer and release the file."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._writer.join()
        self._connection.close()

    def _write(self) -> None:
        while True:
            group: list[_Submission] = []
            item = self._queue.get()
            while item is not None:
                group.append(item)
                if len(group) == _GROUP_MAX or self._queue.empty():
                    break
                item = self._queue.get()
            if group:
                self._settle(group)
            if item is None:
                return

    def _settle(self, group: list[_Submission]) -> None:
        if self._error is None:
            try:
                with self._turn, _explained(self.path):
                    self._commit(group)
            except Exception as error:  # noqa: BLE001 - whatever it is, the callers must hear it
                self._error = error
        for _, done in group:
            done(self._error)

    def _commit(self, group: list[_Submission]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for kind, states in folded(changes for changes, _ in group).items():
                table = table_of(kind)
                gone = (key for key, record in states.items() if record is None)
                kept = (table.row(record) for record in states.values() if record is not None)
                self._connection.executemany(table.delete_sql, gone)
                self._connection.executemany(table.put_sql, kept)
            execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors (disk full), not after others.
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise


def _open(path: Path, schema: Path) -> sqlite3.Connection:
    with _explained(path):
        _create(path)
        connection = sqlite3.connect(
            path, timeout=_LOCK_WAIT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            _identify(connection, path)
            connection.execute("COMMIT")
            _bring_up_to_date(connection, path, schema)
        except BaseException:
            connection.close()
            raise
    return connection


def _create(path: Path) -> None:
    """Make folder and file for the owner's eyes only; leave existing ones as they are."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
        _flush_folder(path.parent.parent)
    if not path.exists():
        # Never open an existing database like this: closing the file would drop SQLite's locks.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power loss as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _identify(connection: sqlite3.Connection, path: Path) -> None:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    if tables and owner != _APPLICATION_ID:
        raise UsageError(
            f"{path} belongs to another program: choose another data folder or move the file away"
        )
    connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, schema: Path) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    scripts = scripts_after(found, schema, str(path))
    if scripts:
        # One transaction for all of them: no database is ever left between two versions.
        version = f"PRAGMA user_version={found + len(scripts)}"
        connection.executescript("\n;\n".join(["BEGIN IMMEDIATE", *scripts, version, "COMMIT", ""]))


_REMEDIES = {
    sqlite3.SQLITE_BUSY: "it is in use by another cloud or program: stop it or choose another folder",
    sqlite3.SQLITE_NOTADB: "it is not a database: move it away or choose another data folder",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore a copy or choose another data folder",
    sqlite3.SQLITE_FULL: "the disk is full: free some space and start the cloud again",
    sqlite3.SQLITE_IOERR: "the disk reports an error: check it, then start the cloud again",
    sqlite3.SQLITE_READONLY: "it cannot be written: check the owner and mode of file and folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check the owner and mode of file and folder",
}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operator can mend into a UsageError; our own mistakes stay what they are."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot create {path}: {error.strerror or error}: "
            "choose a data folder that this user may write to"
        ) from error
    except sqlite3.Error as error:
        remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if remedy is None:
            raise
        raise UsageError(f"cannot use {path}: {remedy} ({error})") from error
