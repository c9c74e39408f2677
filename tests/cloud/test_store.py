"""The stores: the same records come back, in order, after a kill, and each refusal is one line."""

import multiprocessing
import os
import signal
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import UsageError
from fleet.cloud.store import Delete, Put, Record, Store
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.rows import table_of
from fleet.cloud.store.sqlite import FILE_NAME, SCHEMA, SqliteStore


class Colour(StrEnum):
    """An enumeration kept as text."""

    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct):
    """A nested struct kept as JSON."""

    name: str
    size: int


class Thing(Record):
    """One field of every shape."""

    TABLE: ClassVar[str] = "things"
    KEY: ClassVar[tuple[str, ...]] = ("owner", "number")

    owner: str
    number: int
    weight: float = 0.0
    shiny: bool = False
    wanted: bool | None = None
    note: str | None = None
    key: bytes = b""
    colour: Colour = Colour.RED
    tags: list[str] = msgspec.field(default_factory=list)
    parts: tuple[Part, ...] = ()
    extra: Part | None = None


class Counted(Record):
    """One integer."""

    TABLE: ClassVar[str] = "counted"
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int


FIRST = """
CREATE TABLE things (owner TEXT NOT NULL, number INTEGER NOT NULL, weight REAL NOT NULL,
  shiny INTEGER NOT NULL, wanted INTEGER, note TEXT, key BLOB NOT NULL, colour TEXT NOT NULL,
  tags TEXT NOT NULL, parts TEXT NOT NULL, extra TEXT NOT NULL, PRIMARY KEY (owner, number));
CREATE TABLE counted (number INTEGER PRIMARY KEY);
"""


def _schema(folder: Path, *scripts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for version, script in enumerate(scripts, start=1):
        (folder / f"{version:04}.sql").write_text(script)
    return folder


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    return _schema(tmp_path / "schema", FIRST)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, schema: Path) -> Iterator[Store]:
    store: Store = (
        MemoryStore()
        if request.param == "memory"
        else SqliteStore(tmp_path / "data", schema=schema)
    )
    yield store
    store.close()


def _commit(store: Store, *changes: Put | Delete) -> BaseException | None:
    """Submit one transaction and wait for its outcome."""
    outcome: list[BaseException | None] = []
    settled = threading.Event()

    def done(error: BaseException | None) -> None:
        outcome.append(error)
        settled.set()

    store.submit(changes, done)
    assert settled.wait(30)
    assert len(outcome) == 1
    return outcome[0]


things = st.builds(
    Thing,
    owner=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    number=st.integers(-(2**63), 2**63 - 1),
    weight=st.floats(allow_nan=False),
    shiny=st.booleans(),
    wanted=st.none() | st.booleans(),
    note=st.none() | st.sampled_from(["", "null", "1", "true", "a\nb", "Café"]),
    key=st.binary(max_size=4),
    colour=st.sampled_from(Colour),
    tags=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=3),
    parts=st.lists(st.builds(Part, st.just("p"), st.integers(0, 9)), max_size=2).map(tuple),
    extra=st.none() | st.just(Part("x", 1)),
)


def test_every_shape_of_field_comes_back_equal_and_in_key_order(store: Store) -> None:
    rows = [
        Thing("b", 1, 1.5, shiny=True, wanted=False, note="null", key=b"\0\xff"),
        Thing("a", 2, colour=Colour.BLUE, tags=["x", "é"], parts=(Part("p", 1),)),
        Thing("a", -1, extra=Part("q", 2), wanted=True),
    ]
    assert _commit(store, *map(Put, rows)) is None
    assert list(store.load(Thing)) == [rows[2], rows[1], rows[0]]
    assert list(store.load(Counted)) == []


@given(st.lists(things, max_size=5, unique_by=lambda thing: (thing.owner, thing.number)))
def test_any_record_goes_through_its_row_unchanged(rows: list[Thing]) -> None:
    table = table_of(Thing)
    assert [table.record(table.row(row)) for row in rows] == rows


def test_put_replaces_delete_removes_and_order_within_a_commit_counts(store: Store) -> None:
    _commit(store, Put(Thing("a", 1)), Put(Thing("a", 2)), Put(Counted(7)))
    _commit(store, Put(Thing("a", 1, note="new")), Delete(Thing, ("a", 2)), Delete(Counted, (9,)))
    assert list(store.load(Thing)) == [Thing("a", 1, note="new")]
    _commit(store, Delete(Counted, (7,)), Put(Counted(7)), Put(Counted(8)), Delete(Counted, (8,)))
    assert list(store.load(Counted)) == [Counted(7)]


def test_what_is_loaded_is_not_the_object_that_was_put(store: Store) -> None:
    thing = Thing("a", 1, tags=["x"])
    _commit(store, Put(thing))
    thing.tags.append("y")
    assert list(store.load(Thing)) == [Thing("a", 1, tags=["x"])]


def test_a_closed_store_refuses_and_closes_twice(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(UsageError, match="closed"):
        store.submit((Put(Counted(1)),), lambda _: None)


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


def test_commits_are_reported_in_the_order_of_submission(store: Store) -> None:
    order: list[int] = []
    for number in range(500):
        store.submit((Put(Counted(number)),), lambda _, number=number: order.append(number))  # type: ignore[misc]
    _commit(store)
    assert order == list(range(500))


def test_folder_and_file_are_for_the_owner_only(tmp_path: Path, schema: Path) -> None:
    store = SqliteStore(tmp_path / "new" / "data", schema=schema)
    _commit(store, Put(Counted(1)))
    folder = tmp_path / "new" / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    store.close()


# --- faults ---------------------------------------------------------------------------------------


def test_a_full_disk_is_reported_and_nothing_is_written_after_it(
    tmp_path: Path, schema: Path
) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    assert _commit(store, Put(Counted(1))) is None
    store._connection.execute("PRAGMA max_page_count=8")
    error = _commit(store, *(Put(Thing("a", n, note="x" * 500)) for n in range(200)))
    assert isinstance(error, UsageError)
    assert "disk is full" in str(error)
    assert str(store.path) in str(error)
    store._connection.execute("PRAGMA max_page_count=100000")
    assert _commit(store, Put(Counted(2))) is error
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
    error = _commit(store, Put(Counted(1)), Put(Unknown(1)))
    assert isinstance(error, sqlite3.OperationalError)  # our own mistake stays what it is
    store.close()
    again = SqliteStore(tmp_path / "data", schema=schema)
    assert again.load(Counted) == []
    again.close()


def test_a_key_of_the_wrong_length_is_the_callers_mistake(tmp_path: Path, schema: Path) -> None:
    with pytest.raises(UsageError, match="key"):
        MemoryStore().submit((Delete(Thing, ("a",)),), lambda _: None)
    store = SqliteStore(tmp_path / "data", schema=schema)
    assert isinstance(_commit(store, Delete(Thing, ("a",))), UsageError)
    store.close()


@pytest.mark.parametrize(
    "damage",
    ["shiny = 2", "tags = '[1]'", "tags = '{'", "colour = 'green'", "extra = 5", "key = 1"],
)
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, schema: Path, damage: str) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    _commit(store, Put(Thing("a", 1)))
    store._connection.execute(f"UPDATE things SET {damage}")
    with pytest.raises(UsageError, match="table things"):
        store.load(Thing)
    store.close()


def _write_until_killed(folder: Path, schema: Path, report: Connection) -> None:
    store = SqliteStore(folder, schema=schema)
    room = threading.Semaphore(300)

    def said(number: int) -> Callable[[BaseException | None], None]:
        def done(error: BaseException | None) -> None:
            if error is None:
                report.send_bytes(number.to_bytes(4, "big"))
            room.release()

        return done

    for number in range(1_000_000):
        room.acquire()
        store.submit((Put(Counted(number)),), said(number))


def test_everything_acknowledged_survives_kill_9(tmp_path: Path, schema: Path) -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    writer = context.Process(target=_write_until_killed, args=(tmp_path / "data", schema, there))
    writer.start()
    there.close()
    acknowledged = [int.from_bytes(here.recv_bytes(), "big") for _ in range(2_000)]
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    try:
        while True:
            acknowledged.append(int.from_bytes(here.recv_bytes(), "big"))
    except (EOFError, OSError):
        here.close()
    assert writer.exitcode == -signal.SIGKILL
    store = SqliteStore(tmp_path / "data", schema=schema)
    kept = [row.number for row in store.load(Counted)]
    store.close()
    assert acknowledged == list(range(len(acknowledged)))
    assert kept == list(range(len(kept)))
    assert len(kept) >= len(acknowledged)


# --- refusals at the start ------------------------------------------------------------------------


def test_a_second_cloud_on_the_same_data_is_refused(tmp_path: Path, schema: Path) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    with pytest.raises(UsageError, match="in use by another cloud"):
        SqliteStore(tmp_path / "data", schema=schema)
    assert _commit(store, Put(Counted(1))) is None
    store.close()


def test_new_schema_files_are_applied_once_and_keep_the_data(tmp_path: Path, schema: Path) -> None:
    store = SqliteStore(tmp_path / "data", schema=schema)
    _commit(store, Put(Counted(1)))
    store.close()
    wider = _schema(schema, FIRST, "ALTER TABLE counted ADD COLUMN spare TEXT;")
    for _ in range(2):
        store = SqliteStore(tmp_path / "data", schema=wider)
        assert store.load(Counted) == [Counted(1)]
        assert store._connection.execute("PRAGMA user_version").fetchone() == (2,)
        store.close()


def test_a_schema_file_that_fails_leaves_the_old_version(tmp_path: Path, schema: Path) -> None:
    SqliteStore(tmp_path / "data", schema=schema).close()
    broken = _schema(tmp_path / "broken", FIRST, "CREATE TABLE more (a); NONSENSE;")
    with pytest.raises(sqlite3.OperationalError):
        SqliteStore(tmp_path / "data", schema=broken)
    store = SqliteStore(tmp_path / "data", schema=schema)
    assert store._connection.execute("PRAGMA user_version").fetchone() == (1,)
    store.close()


def test_a_database_newer_than_the_program_is_refused(tmp_path: Path, schema: Path) -> None:
    newer = _schema(tmp_path / "newer", FIRST, "CREATE TABLE more (a);")
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
