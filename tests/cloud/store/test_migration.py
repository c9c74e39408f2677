"""A database that an older version left behind opens today, with everything that was in it.

`cloud_0001.db` was written by the program as it was when 0001.sql was its only schema file. Five
accounts and six consumers of the usual test world had a day with four devices: one was unbound in
a batch and paired anew, one was unbound and is still to be told, one reported data points, and on
one an account without the right tried twice. `cloud_0002.db` was written when 0002.sql was the
last one: four devices of the same world, one of them unbound and paired anew, and besides a project
with tokens, calls, messages and a space, an OEM link, a product that was handed on, a wish for a
data point. `cloud_0003.db` came from that one when 0003.sql was the last, with guests of the broker
and what they had left there, an asset user's space, and a firmware version that was ordered. None
can be made again.
"""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.rng import Rng
from fleet.cloud.cloud import Cloud
from fleet.cloud.state import State
from fleet.cloud.store import Store
from fleet.cloud.store.postgres import PostgresStore
from fleet.cloud.store.postgres_sql import translate
from fleet.cloud.store.schema_files import SCHEMA
from fleet.cloud.store.sqlite import FILE_NAME, SqliteStore
from tests.cloud.store.kinds import kinds
from tests.cloud.store.postgres_server import PostgresServer
from tests.cloud.support import ENDPOINTS, REPAIR, SETTINGS

GOLDEN = Path(__file__).parents[2] / "golden"
TABLES = {1: 14, 2: 26, 3: 35}
Rows = dict[str, list[dict[str, Any]]]


def rows_of(path: Path, columns: Rows | None = None) -> Rows:
    """Return the rows of every table, or of the tables and columns in `columns`."""
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    found = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    names = list(columns) if columns is not None else [name for (name,) in found]
    tables: Rows = {}
    for name in names:
        chosen = ", ".join(columns[name][0]) if columns is not None else "*"
        tables[name] = [dict(row) for row in database.execute(f"SELECT {chosen} FROM {name}")]
    database.close()
    return tables


@pytest.fixture(params=TABLES)
def age(request: pytest.FixtureRequest) -> int:
    """Return the number of the last schema file that the old program had."""
    number: int = request.param
    return number


only_the_first = pytest.mark.parametrize("age", [1], indirect=True)


def old(age: int) -> Path:
    return GOLDEN / f"cloud_{age:04}.db"


@pytest.fixture
def folder(tmp_path: Path, age: int) -> Path:
    shutil.copy(old(age), tmp_path / FILE_NAME)
    return tmp_path


@pytest.fixture
def before(age: int) -> Rows:
    rows = rows_of(old(age))
    assert len(rows) == TABLES[age]
    assert all(rows.values())
    return rows


@pytest.fixture
def old_postgres(postgres_url: str, postgres_server: PostgresServer, before: Rows, age: int) -> str:
    """Return the address of a database that holds the same as the old file."""
    postgres_server.execute(
        postgres_url,
        *(translate((SCHEMA / f"{n:04}.sql").read_text()) for n in range(1, age + 1)),
        "CREATE TABLE fleet_schema (version BIGINT NOT NULL)",
        f"INSERT INTO fleet_schema VALUES ({age})",
    )
    for name, rows in before.items():
        for row in rows:
            cells = ", ".join(_literal(cell) for cell in row.values())
            statement = f"INSERT INTO {name} ({', '.join(row)}) VALUES ({cells})"
            postgres_server.execute(postgres_url, statement)
    return postgres_url


def _literal(cell: str | float | bytes) -> str:
    if isinstance(cell, bytes):
        return f"'\\x{cell.hex()}'"
    return str(cell) if isinstance(cell, int | float) else "'" + cell.replace("'", "''") + "'"


def loaded(store: Store) -> dict[str, list[Any]]:
    everything = {kind.TABLE: list(store.load(kind)) for kind in kinds()}
    store.close()
    return everything


def test_every_cell_is_still_there(folder: Path, before: Rows) -> None:
    SqliteStore(folder).close()
    assert rows_of(folder / FILE_NAME, before) == before
    database = sqlite3.connect(folder / FILE_NAME)
    assert database.execute("PRAGMA user_version").fetchone() == (len(list(SCHEMA.iterdir())),)
    database.close()


def test_every_row_is_a_record_of_today(folder: Path, before: Rows) -> None:
    records = loaded(SqliteStore(folder))
    assert {name: len(records[name]) for name in before} == {n: len(r) for n, r in before.items()}


def test_it_is_migrated_only_as_a_whole(folder: Path, before: Rows, tmp_path: Path) -> None:
    broken = tmp_path / "schema"
    shutil.copytree(SCHEMA, broken)
    (broken / f"{len(list(SCHEMA.iterdir())) + 1:04}.sql").write_text("DROP TABLE users; NONSENSE;")
    with pytest.raises(sqlite3.OperationalError):
        SqliteStore(folder, schema=broken)
    assert rows_of(folder / FILE_NAME) == before


@only_the_first
def test_the_cloud_goes_on_where_it_was(folder: Path) -> None:
    store = SqliteStore(folder)
    cloud = Cloud(SETTINGS, load=store.load, entropy=Rng(1).bytes, endpoints=ENDPOINTS)
    store.close()
    state = cloud._state
    assert state.accounts.log_in(REPAIR, "correct horse").name == REPAIR
    assert [device.uuid for device in state.devices.owned_by("uid5")] == ["uuid0000"]
    released = state.devices.get("uuid0001")
    assert released is not None
    assert (released.owner, released.pending_reset) == ("", "reset")
    assert len(state.history.page(REPAIR).rows) == 2
    assert {device.created_ms == device.activated_ms > 0 for device in state.devices.all()} == {
        True
    }
    assert {quota.used for quota in state.quotas.all()} == {2}


@only_the_first
def test_who_has_devices_has_a_home_and_nobody_else(folder: Path) -> None:
    store = SqliteStore(folder)
    state = State(SETTINGS, store.load, Rng(1).bytes)
    store.close()
    bound = [device for device in state.devices.all() if device.bound]
    homes = [state.homes.of_device(device) for device in bound]
    assert [home.owner for home in homes if home] == [device.owner for device in bound]
    assert {home.name for home in homes if home} == {SETTINGS.first_home_name}
    assert len(state.homes) == len({device.owner for device in bound}) == 3


def test_postgresql_migrates_to_the_same_records(old_postgres: str, folder: Path) -> None:
    assert loaded(PostgresStore(old_postgres)) == loaded(SqliteStore(folder))
