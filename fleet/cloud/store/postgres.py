"""A store in a PostgreSQL database: one connection, one writer, many transactions per commit.

A thread of its own runs an event loop with the one connection. It takes all transactions that
wait, writes the last state of every record in them as one transaction of the server, and calls
each `done` after the server's commit. An advisory lock keeps a second cloud out. It belongs to the
session, so after a `kill -9` the next cloud gets it only when the server has finished or undone
what the killed one had sent: what is loaded then is what was last committed.

Needs the extra `postgresql` (asyncpg). Public source: postgresql.org, "Advisory Locks",
"PostgreSQL Error Codes"; magicstack.github.io/asyncpg, "API Reference".
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from firmware_sim.errors import UsageError
from fleet.cloud.store.address import refuse_unless_address, shown
from fleet.cloud.store.postgres_errors import explained
from fleet.cloud.store.postgres_sql import postgres_table_of, read, translate, written
from fleet.cloud.store.records import Change, R, Record
from fleet.cloud.store.rows import Folded, Row, folded
from fleet.cloud.store.schema_files import SCHEMA, scripts_after

_GROUP_MAX = 2_000
_CONNECT_S_MAX = 10.0
# A killed cloud's session lives until the server has read its end.
_LOCK_WAIT_S = 5.0
_ANSWER_S_MAX = 60.0  # for one group; a server that is stopped, or behind a cut line, says nothing
_CLOSE_S_MAX = 5.0
_VERSION_TABLE = "fleet_schema"

Done = Callable[[BaseException | None], None]
_Submission = tuple[tuple[Change, ...], Done]


class PostgresStore:
    """Keeps records in the first schema of a database's search path.

    `done` is called on the store's thread, in order.
    """

    def __init__(self, url: str, *, schema: Path = SCHEMA) -> None:
        """Connect and bring the tables up to date; UsageError says in one line why not.

        `url` is `postgresql://USER@HOST:PORT/DATABASE`; a password in it is never shown.
        """
        refuse_unless_address(url)
        self.name = shown(url)
        self._url = url
        self._schema = schema
        self._error: BaseException | None = None
        self._waiting: deque[_Submission] = deque()
        self._announced = False
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._connection: Any = None
        opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._run, args=(opened.put,), name="store-writer", daemon=True
        )
        self._thread.start()
        error = opened.get()
        if error is not None:
            self._thread.join()
            raise error

    def load(self, kind: type[R]) -> list[R]:
        """Return all records of one kind in key order."""
        rows = asyncio.run_coroutine_threadsafe(self._fetch(kind), self._loop).result()
        table = postgres_table_of(kind).table
        return [table.record(read(tuple(row))) for row in rows]

    def submit(self, changes: tuple[Change, ...], done: Done) -> None:
        """Queue one transaction; `done` gets None once it is durable, or the error.

        After a first error nothing is written any more: the caller's memory is ahead of the
        database, and a later transaction may build on one that was lost. `done` must not raise.
        """
        if self._closed:
            raise UsageError(f"{self.name} is closed: nothing can be submitted any more")
        self._waiting.append((changes, done))
        if not self._announced:
            self._announced = True  # taken back before the deque is read: none is left behind
            self._loop.call_soon_threadsafe(self._wake.set)

    def close(self) -> None:
        """Write what is queued, stop the writer and end the session; wait some seconds at most."""
        if self._closed:
            return
        self._closed = True
        self._loop.call_soon_threadsafe(self._finish)
        self._thread.join()

    # --- on the store's thread -------------------------------------------------------------------

    def _run(self, opened: Done) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._open())
            except Exception as error:  # noqa: BLE001 - raised by the constructor
                opened(error)
                return
            opened(None)
            runner.run(self._write())

    async def _open(self) -> None:
        with explained(self.name, "it does not accept an option in the address"):
            self._connection = await asyncpg.connect(
                self._url,
                timeout=_CONNECT_S_MAX,
                server_settings={"application_name": "fleet cloud", "synchronous_commit": "on"},
            )
        try:
            with explained(self.name):
                await _lock(self._connection, self.name)
                await _bring_up_to_date(self._connection, self.name, self._schema)
        except BaseException:
            await self._hang_up()
            raise

    async def _fetch(self, kind: type[Record]) -> list[Row]:
        async with self._turn:
            with explained(self.name), self._patience():
                rows: list[Row] = await self._connection.fetch(postgres_table_of(kind).load_sql)
        return rows

    async def _write(self) -> None:
        while self._waiting or not self._closed:
            await self._wake.wait()
            self._wake.clear()
            self._announced = False
            while self._waiting:
                count = min(len(self._waiting), _GROUP_MAX)
                await self._settle([self._waiting.popleft() for _ in range(count)])
        await self._hang_up()

    async def _settle(self, group: list[_Submission]) -> None:
        if self._error is None:
            try:
                async with self._turn:
                    with explained(self.name), self._patience():
                        await self._commit(folded(changes for changes, _ in group))
            except Exception as error:  # noqa: BLE001 - whatever it is, the callers must hear it
                self._error = error
        for _, done in group:
            done(self._error)

    async def _commit(self, group: Folded) -> None:
        async with self._connection.transaction():
            for kind, states in group.items():
                table = postgres_table_of(kind)
                records = (record for record in states.values() if record is not None)
                kept = [written(table.table.row(record)) for record in records]
                gone = [written(key) for key, record in states.items() if record is None]
                if kept:
                    await self._connection.executemany(table.put_sql, kept)
                if gone:
                    await self._connection.executemany(table.delete_sql, gone)

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Cut the line when the server takes too long: whoever waits for it must hear of it."""
        timer = self._loop.call_later(_ANSWER_S_MAX, self._connection.terminate)
        try:
            yield
        finally:
            timer.cancel()

    def _finish(self) -> None:
        self._wake.set()
        self._loop.call_later(_CLOSE_S_MAX, self._connection.terminate)

    async def _hang_up(self) -> None:
        # Whatever ends the session is fine: nothing is under way.
        with suppress(UsageError), explained(self.name, "it was to end anyway"):
            await self._connection.close(timeout=_CLOSE_S_MAX)


async def _lock(connection: Any, name: str) -> None:
    schema = await connection.fetchval("SELECT current_schema()")
    if schema is None:
        raise UsageError(f"{name} has no schema to keep tables in: create the one that you named")
    if await connection.fetchval("SHOW server_encoding") != "UTF8":
        raise UsageError(f"{name} cannot keep every text: create a database with encoding UTF8")
    await connection.execute(f"SET lock_timeout = {int(_LOCK_WAIT_S * 1000)}")
    try:
        await connection.execute(
            "SELECT pg_advisory_lock(hashtextextended('fleet cloud ' || current_schema(), 0))"
        )
    except asyncpg.LockNotAvailableError:
        raise UsageError(
            f"cannot use {name}: it is in use by another cloud: stop it or choose another database"
        ) from None
    await connection.execute("RESET lock_timeout")  # a commit waits as long as it must


async def _bring_up_to_date(connection: Any, name: str, schema: Path) -> None:
    """Apply the numbered files that this database has not seen, all of them or none."""
    async with connection.transaction():
        found = await _version(connection, name)
        scripts = scripts_after(found, schema, name)
        for script in scripts:
            await connection.execute(translate(script))
        await connection.execute(f"UPDATE {_VERSION_TABLE} SET version = version + {len(scripts)}")  # noqa: S608


async def _version(connection: Any, name: str) -> int:
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    tables = {row["tablename"] for row in rows}
    if _VERSION_TABLE in tables:
        found: int = await connection.fetchval(f"SELECT version FROM {_VERSION_TABLE}")  # noqa: S608
        return found
    if tables:
        raise UsageError(f"{name} belongs to another program: choose an empty database")
    await connection.execute(f"CREATE TABLE {_VERSION_TABLE} (version BIGINT NOT NULL)")
    await connection.execute(f"INSERT INTO {_VERSION_TABLE} VALUES (0)")  # noqa: S608
    return 0
