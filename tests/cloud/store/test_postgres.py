"""The store in a real PostgreSQL server: what survives a kill, what a fault does, whom it refuses."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

import asyncpg
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.store import Delete, Put, Record
from fleet.cloud.store.postgres import PostgresStore
from tests.cloud.store.killing import assert_acknowledged_survives
from tests.cloud.store.postgres_server import PostgresServer, running_server
from tests.cloud.store.things import FIRST, Counted, Thing, commit, write_schema


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    return write_schema(tmp_path / "schema", FIRST)


def version(server: PostgresServer, url: str) -> int:
    [row] = server.execute(url, "SELECT version FROM fleet_schema")
    return int(row["version"])


def test_records_survive_closing_and_opening(postgres_url: str, schema: Path) -> None:
    first = PostgresStore(postgres_url, schema=schema)
    rows = [Thing("a", number, tags=[str(number)]) for number in range(3_000)]
    outcomes: list[BaseException | None] = []
    for row in rows:
        first.submit((Put(row),), outcomes.append)
    first.close()
    assert outcomes == [None] * 3_000
    second = PostgresStore(postgres_url, schema=schema)
    assert second.load(Thing) == rows
    second.close()


def test_within_a_group_the_last_word_on_a_record_counts(postgres_url: str, schema: Path) -> None:
    store = PostgresStore(postgres_url, schema=schema)
    held = threading.Event()

    def hold(_: BaseException | None) -> None:
        held.wait(30)

    store.submit((Put(Counted(0)),), hold)
    store.submit((Put(Thing("a", 1)), Put(Counted(1))), lambda _: None)
    store.submit((Delete(Thing, ("a", 1)), Delete(Counted, (0,))), lambda _: None)
    store.submit((Put(Thing("a", 1, note="again")), Delete(Counted, (1,))), lambda _: None)
    held.set()
    store.close()
    store = PostgresStore(postgres_url, schema=schema)
    assert store.load(Thing) == [Thing("a", 1, note="again")]
    assert store.load(Counted) == []
    store.close()


def test_every_text_comes_back_and_keys_are_ordered_by_their_bytes(
    postgres_url: str, schema: Path
) -> None:
    store = PostgresStore(postgres_url, schema=schema)
    names = ["", "\0", "\0\0", "\0\1", "\1", "\1\0", "\2", "A", "B", "a", "\u00e9", "\U0001f4f7"]
    assert commit(store, *(Put(Thing(name, 1, note=f"{name}!")) for name in names)) is None
    assert [(row.owner, row.note) for row in store.load(Thing)] == [(n, f"{n}!") for n in names]
    assert commit(store, *(Delete(Thing, (name, 1)) for name in names)) is None
    assert store.load(Thing) == []
    store.close()


def test_a_transaction_is_all_or_nothing_and_nothing_is_written_after_it(
    postgres_url: str, schema: Path
) -> None:
    class Unknown(Record):
        TABLE: ClassVar[str] = "no_such_table"
        KEY: ClassVar[tuple[str, ...]] = ("number",)
        number: int

    store = PostgresStore(postgres_url, schema=schema)
    error = commit(store, Put(Counted(1)), Put(Unknown(1)))
    assert isinstance(error, asyncpg.UndefinedTableError)  # our own mistake stays what it is
    assert commit(store, Put(Counted(2))) is error
    store.close()
    again = PostgresStore(postgres_url, schema=schema)
    assert again.load(Counted) == []
    again.close()


def test_a_key_of_the_wrong_length_is_the_callers_mistake(postgres_url: str, schema: Path) -> None:
    store = PostgresStore(postgres_url, schema=schema)
    assert isinstance(commit(store, Delete(Thing, ("a",))), UsageError)
    store.close()


def test_a_value_that_no_column_takes_is_our_own_mistake_and_not_shown(
    postgres_url: str, schema: Path
) -> None:
    store = PostgresStore(postgres_url, schema=schema)
    error = commit(store, Put(Counted(2**63)))
    assert type(error) is ValueError
    assert str(2**63) not in repr(error)
    store.close()


def test_a_row_that_does_not_fit_is_named(
    postgres_url: str, postgres_server: PostgresServer, schema: Path
) -> None:
    store = PostgresStore(postgres_url, schema=schema)
    commit(store, Put(Thing("a", 1)))
    postgres_server.execute(postgres_url, "UPDATE things SET colour = 'green'")
    with pytest.raises(UsageError, match="table things"):
        store.load(Thing)
    store.close()


def test_everything_acknowledged_survives_kill_9(postgres_url: str, schema: Path) -> None:
    assert_acknowledged_survives(partial(PostgresStore, postgres_url, schema=schema))


def test_a_second_cloud_on_the_same_data_is_refused(
    postgres_url: str, schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.cloud.store.postgres._LOCK_WAIT_S", 0.1)
    store = PostgresStore(postgres_url, schema=schema)
    with pytest.raises(UsageError, match="in use by another cloud"):
        PostgresStore(postgres_url, schema=schema)
    assert commit(store, Put(Counted(1))) is None
    store.close()


def test_a_cloud_waits_for_the_session_of_a_killed_one(postgres_url: str, schema: Path) -> None:
    first = PostgresStore(postgres_url, schema=schema)
    threading.Timer(0.2, first.close).start()
    second = PostgresStore(postgres_url, schema=schema)
    assert commit(second, Put(Counted(1))) is None
    second.close()


def test_new_schema_files_are_applied_once_and_keep_the_data(
    postgres_url: str, postgres_server: PostgresServer, schema: Path
) -> None:
    store = PostgresStore(postgres_url, schema=schema)
    commit(store, Put(Counted(1)))
    store.close()
    wider = write_schema(schema, FIRST, "ALTER TABLE counted ADD COLUMN spare TEXT;")
    for _ in range(2):
        store = PostgresStore(postgres_url, schema=wider)
        assert store.load(Counted) == [Counted(1)]
        store.close()
        assert version(postgres_server, postgres_url) == 2


def test_a_schema_file_that_fails_leaves_the_old_version(
    tmp_path: Path, postgres_url: str, postgres_server: PostgresServer, schema: Path
) -> None:
    PostgresStore(postgres_url, schema=schema).close()
    broken = write_schema(
        tmp_path / "broken", FIRST, "CREATE TABLE more (a INTEGER);", "CREATE TABLE x (); NONSENSE;"
    )
    with pytest.raises(asyncpg.PostgresSyntaxError):
        PostgresStore(postgres_url, schema=broken)
    assert version(postgres_server, postgres_url) == 1
    PostgresStore(postgres_url, schema=schema).close()


def test_a_database_newer_than_the_program_is_refused(
    tmp_path: Path, postgres_url: str, schema: Path
) -> None:
    newer = write_schema(tmp_path / "newer", FIRST, "CREATE TABLE more (a INTEGER);")
    PostgresStore(postgres_url, schema=newer).close()
    with pytest.raises(UsageError, match=r"newer version.*schema 2.*knows 1"):
        PostgresStore(postgres_url, schema=schema)


def test_a_database_of_another_program_is_refused_untouched(
    postgres_url: str, postgres_server: PostgresServer, schema: Path
) -> None:
    postgres_server.execute(postgres_url, "CREATE TABLE songs (title TEXT)")
    with pytest.raises(UsageError, match="another program: choose an empty database"):
        PostgresStore(postgres_url, schema=schema)
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    assert [row[0] for row in postgres_server.execute(postgres_url, tables)] == ["songs"]


def test_a_schema_that_does_not_exist_is_named_as_the_reason(
    postgres_server: PostgresServer, schema: Path
) -> None:
    with pytest.raises(UsageError, match="no schema to keep tables in"):
        PostgresStore(postgres_server.url(search_path="nowhere"), schema=schema)


def test_a_database_that_cannot_keep_every_text_is_refused(
    postgres_server: PostgresServer, schema: Path
) -> None:
    url = postgres_server.url()
    postgres_server.execute(url, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(UsageError, match="encoding UTF8"):
        PostgresStore(url.replace("/postgres?", "/latin?"), schema=schema)


def test_a_server_that_goes_away_is_reported_and_nothing_is_lost(schema: Path) -> None:
    with running_server() as server:
        url = server.new_schema()
        store = PostgresStore(url, schema=schema)
        assert commit(store, Put(Counted(1))) is None
        server.execute(
            server.url(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'fleet cloud'",
        )
        error = commit(store, Put(Counted(2)))
        assert isinstance(error, UsageError)
        assert str(error).startswith("cannot use postgresql://tester@/postgres: ")
        assert "\n" not in str(error)
        store.close()
        again = PostgresStore(url, schema=schema)
        assert again.load(Counted) == [Counted(1)]
        again.close()
    with pytest.raises(UsageError, match="no server answers there"):
        PostgresStore(url, schema=schema)


@contextmanager
def silenced(server: PostgresServer) -> Iterator[None]:
    """Stop the server's process for the cloud's session, so that it keeps the line and says nothing."""
    found = "SELECT pid FROM pg_stat_activity WHERE application_name = 'fleet cloud'"
    (row,) = server.execute(server.url(), found)
    os.kill(row["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(row["pid"], signal.SIGCONT)


def test_a_server_that_says_nothing_is_given_up(
    postgres_url: str,
    postgres_server: PostgresServer,
    schema: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fleet.cloud.store.postgres._ANSWER_S_MAX", 0.1)
    store = PostgresStore(postgres_url, schema=schema)
    with silenced(postgres_server):
        error = commit(store, Put(Counted(1)))
        store.close()
    assert isinstance(error, UsageError)
    assert "the connection was lost: see to the server" in str(error)


def test_the_end_does_not_wait_for_a_server_that_says_nothing(
    postgres_url: str,
    postgres_server: PostgresServer,
    schema: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fleet.cloud.store.postgres._CLOSE_S_MAX", 0.1)
    store = PostgresStore(postgres_url, schema=schema)
    outcomes: list[BaseException | None] = []
    with silenced(postgres_server):
        store.submit((Put(Counted(1)),), outcomes.append)
        store.close()
    assert [type(outcome) for outcome in outcomes] == [UsageError]
