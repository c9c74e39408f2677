"""The numbered schema files keep every record class of the cloud, column by column."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from firmware_sim.effects import Effect
from firmware_sim.rng import Rng
from fleet.cloud.cloud import Cloud
from fleet.cloud.messages import Commit
from fleet.cloud.store.records import Record
from fleet.cloud.store.schema_files import SCHEMA
from fleet.cloud.store.sqlite import SqliteStore
from tests.cloud.store.kinds import kinds
from tests.cloud.support import ENDPOINTS, REPAIR, SETTINGS, FakeDevice, World, snapshot


@pytest.fixture
def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for path in sorted(SCHEMA.glob("*.sql")):
        connection.executescript(path.read_text())
    return connection


def test_one_table_per_record_class(database: sqlite3.Connection) -> None:
    tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    assert {name for (name,) in tables} == {kind.TABLE for kind in kinds()}
    assert len(tables) == len(kinds())
    database.close()


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.TABLE)
def test_one_column_per_field(kind: type[Record], database: sqlite3.Connection) -> None:
    columns = database.execute(f"PRAGMA table_info({kind.TABLE})").fetchall()
    fields = msgspec.structs.fields(kind)
    types = {int: "INTEGER", bool: "INTEGER", float: "REAL", bytes: "BLOB"}
    wanted = [(field.name, types.get(field.type, "TEXT"), 1) for field in fields]
    assert [(name, affinity, not_null) for _, name, affinity, not_null, _, _ in columns] == wanted
    keys = sorted((position, name) for _, name, _, _, _, position in columns if position)
    assert tuple(name for _, name in keys) == kind.KEY
    database.close()


def test_a_cloud_on_disk_is_the_cloud_in_memory(tmp_path: Path) -> None:
    """Everything that a day leaves behind, written to a real file and read again."""
    steps: list[list[Effect]] = []

    class Recording(World):
        def carry_out(self, effects: list[Effect]) -> None:
            steps.append(effects)
            super().carry_out(effects)

    world = Recording()
    device = FakeDevice(world, 0)
    token = world.pair_token(world.consumer(1))
    device.activate(token)
    device.activate(world.unbind_token(world.account(REPAIR))["token"])
    packets = device.go_online()
    device.report('{"1":"grün"}'.encode())
    device.acknowledge(packets)
    device.activate(token)
    ticket = {"scope": "account", "name": REPAIR, "limit": 7}
    world.get("POST", "/console/v1/tickets", ticket, world.account(REPAIR))

    store = SqliteStore(tmp_path)
    for effect in (effect for effects in steps for effect in effects):
        if isinstance(effect, Commit):
            store.submit(effect.changes, lambda error: None)
    store.close()
    store = SqliteStore(tmp_path)
    again = Cloud(SETTINGS, load=store.load, entropy=Rng(1).bytes, endpoints=ENDPOINTS)
    store.close()
    assert snapshot(again._state) == snapshot(world.state)
    for name, kept in snapshot(world.state).items():
        assert kept, name
