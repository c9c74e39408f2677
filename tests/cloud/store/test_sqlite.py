"""The database: what survives a kill, what a fault does, and whom it refuses at the start."""

import sqlite3
import stat
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.store import Delete, Put, Record
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.schema_files import SCHEMA
from fleet.cloud.store.sqlite import FILE_NAME, SqliteStore
from tests.cloud.store.killing import assert_acknowledged_survives
from tests.cloud.store.things import FIRST, Counted, Thing, commit, write_schema


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    return write_schema(tmp_path / "schema", FIRST)


def test_records_survive_closing_and_opening(tmp_path: Path, schema: Path) -> None:
    first = SqliteStore(tmp_path / "data", schema=schema)
    rows = [Thing("a", number, tags=[str(number)]) for number in range(3_000)]
    outcomes: list[BaseException | None] = []
    for row in rows:
        first.submit((Put(row),), outcomes.append)
    first.close()
    assert outcomes == [None] * 3_000
    second = SqliteStore(tmp_path / "data", schema=schema)
    assert second.load(Thing) == rows
    second.close()


def test_folder_and_file_are_for_the_owner_only(tmp_path: Path, schema: Path) -> None:
    store = SqliteStore(tmp_path / "new" / "data", schema=schema)
    commit(store, Put(Counted(1)))
    folder = tmp_path / "new" / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    store.close()


def test_a_full_disk_is_reported_and_nothing_is_written_after_it(
    tmp_path: Path, schema: Path
) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    assert commit(store, Put(Counted(1))) is None
    store._connection.execute("PRAGMA max_page_count=8")
    error = commit(store, *(Put(Thing("a", n, note="x" * 500)) for n in range(200)))
    assert isinstance(error, UsageError)
    assert "disk is full" in str(error)
    assert str(store.path) in str(error)
    store._connection.execute("PRAGMA max_page_count=100000")
    assert commit(store, Put(Counted(2))) is error
    store.close()
    again = SqliteStore(tmp_path / "data", schema=schema)
    assert again.load(Counted) == [Counted(1)]
    assert again.load(Thing) == []
    again.close()


def test_a_transaction_is_all_or_nothing(tmp_path: Path, schema: Path) -> None:
    class Unknown(Record):
        TABLE: ClassVar[str] = "no_such_table"
        KEY: ClassVar[tuple[str, ...]] = ("number",)
        number: int

    store = SqliteStore(tmp_path / "data", schema=schema)
    error = commit(store, Put(Counted(1)), Put(Unknown(1)))
    assert isinstance(error, sqlite3.OperationalError)  # our own mistake stays what it is
    store.close()
    again = SqliteStore(tmp_path / "data", schema=schema)
    assert again.load(Counted) == []
    again.close()


def test_a_key_of_the_wrong_length_is_the_callers_mistake(tmp_path: Path, schema: Path) -> None:
    with pytest.raises(UsageError, match="key"):
        MemoryStore().submit((Delete(Thing, ("a",)),), lambda _: None)
    store = SqliteStore(tmp_path / "data", schema=schema)
    assert isinstance(commit(store, Delete(Thing, ("a",))), UsageError)
    store.close()


@pytest.mark.parametrize(
    "damage",
    ["shiny = 2", "tags = '[1]'", "tags = '{'", "colour = 'green'", "extra = 5", "key = 1"],
)
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, schema: Path, damage: str) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    commit(store, Put(Thing("a", 1)))
    store._connection.execute(f"UPDATE things SET {damage}")
    with pytest.raises(UsageError, match="table things"):
        store.load(Thing)
    store.close()


def test_everything_acknowledged_survives_kill_9(tmp_path: Path, schema: Path) -> None:
    opened = partial(SqliteStore, tmp_path / "data", schema=schema)
    assert_acknowledged_survives(opened)


def test_a_second_cloud_on_the_same_data_is_refused(tmp_path: Path, schema: Path) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    with pytest.raises(UsageError, match="in use by another cloud"):
        SqliteStore(tmp_path / "data", schema=schema)
    assert commit(store, Put(Counted(1))) is None
    store.close()


def test_new_schema_files_are_applied_once_and_keep_the_data(tmp_path: Path, schema: Path) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    commit(store, Put(Counted(1)))
    store.close()
    wider = write_schema(schema, FIRST, "ALTER TABLE counted ADD COLUMN spare TEXT;")
    for _ in range(2):
        store = SqliteStore(tmp_path / "data", schema=wider)
        assert store.load(Counted) == [Counted(1)]
        assert store._connection.execute("PRAGMA user_version").fetchone() == (2,)
        store.close()


def test_a_schema_file_that_fails_leaves_the_old_version(tmp_path: Path, schema: Path) -> None:
    SqliteStore(tmp_path / "data", schema=schema).close()
    broken = write_schema(
        tmp_path / "broken", FIRST, "CREATE TABLE more (a)", "CREATE TABLE x (a); NONSENSE;"
    )
    with pytest.raises(sqlite3.OperationalError):
        SqliteStore(tmp_path / "data", schema=broken)
    store = SqliteStore(tmp_path / "data", schema=schema)
    assert store._connection.execute("PRAGMA user_version").fetchone() == (1,)
    found = store._connection.execute("SELECT name FROM sqlite_schema WHERE name = 'more'")
    assert found.fetchall() == []
    store.close()


def test_a_database_newer_than_the_program_is_refused(tmp_path: Path, schema: Path) -> None:
    newer = write_schema(tmp_path / "newer", FIRST, "CREATE TABLE more (a);")
    SqliteStore(tmp_path / "data", schema=newer).close()
    with pytest.raises(UsageError, match=r"newer version.*schema 2.*knows 1"):
        SqliteStore(tmp_path / "data", schema=schema)


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path, schema: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"shopping list\n" * 100)
    with pytest.raises(UsageError, match="not a database"):
        SqliteStore(tmp_path, schema=schema)
    assert file.read_bytes() == b"shopping list\n" * 100


def test_a_database_of_another_program_is_refused(tmp_path: Path, schema: Path) -> None:
    foreign = sqlite3.connect(tmp_path / FILE_NAME)
    foreign.execute("CREATE TABLE songs (title TEXT)")
    foreign.close()
    with pytest.raises(UsageError, match="another program"):
        SqliteStore(tmp_path, schema=schema)


@pytest.mark.parametrize("folder", ["/proc/no/such/folder", "file"])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, schema: Path, folder: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=r"cannot create .*choose a data folder"):
        SqliteStore(tmp_path / folder, schema=schema)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path, schema: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(UsageError, match="cannot be opened"):
        SqliteStore(tmp_path, schema=schema)


def test_the_shipped_schema_is_numbered_without_gaps_and_can_be_applied(tmp_path: Path) -> None:
    files = sorted(SCHEMA.glob("*.sql"))
    assert files
    assert [file.name for file in files] == [f"{n:04}.sql" for n in range(1, len(files) + 1)]
    store = SqliteStore(tmp_path / "data")
    assert store._connection.execute("PRAGMA user_version").fetchone() == (len(files),)
    store.close()
