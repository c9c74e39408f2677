"""What every store promises about records, asked of each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.store import Delete, Put, Store
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.postgres import PostgresStore
from fleet.cloud.store.sqlite import SqliteStore
from tests.cloud.store.things import FIRST, Colour, Counted, Part, Thing, commit, write_schema


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    return write_schema(tmp_path / "schema", FIRST)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path, schema: Path) -> Iterator[Store]:
    store: Store
    if request.param == "memory":
        store = MemoryStore()
    elif request.param == "sqlite":
        store = SqliteStore(tmp_path / "data", schema=schema)
    else:
        store = PostgresStore(request.getfixturevalue("postgres_url"), schema=schema)
    yield store
    store.close()


def test_every_shape_of_field_comes_back_equal_and_in_key_order(store: Store) -> None:
    rows = [
        Thing("b", 1, 1.5, shiny=True, wanted=False, note="null", key=b"\0\xff"),
        Thing("a", 2, colour=Colour.BLUE, tags=["x", "é"], parts=(Part("p", 1),)),
        Thing("a", -1, extra=Part("q", 2), wanted=True),
    ]
    assert commit(store, *map(Put, rows)) is None
    assert list(store.load(Thing)) == [rows[2], rows[1], rows[0]]
    assert list(store.load(Counted)) == []


def test_put_replaces_delete_removes_and_order_within_a_commit_counts(store: Store) -> None:
    commit(store, Put(Thing("a", 1)), Put(Thing("a", 2)), Put(Counted(7)))
    commit(store, Put(Thing("a", 1, note="new")), Delete(Thing, ("a", 2)), Delete(Counted, (9,)))
    assert list(store.load(Thing)) == [Thing("a", 1, note="new")]
    commit(store, Delete(Counted, (7,)), Put(Counted(7)), Put(Counted(8)), Delete(Counted, (8,)))
    assert list(store.load(Counted)) == [Counted(7)]


def test_what_is_loaded_is_not_the_object_that_was_put(store: Store) -> None:
    thing = Thing("a", 1, tags=["x"])
    commit(store, Put(thing))
    thing.tags.append("y")
    assert list(store.load(Thing)) == [Thing("a", 1, tags=["x"])]


def test_a_closed_store_refuses_and_closes_twice(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(UsageError, match="closed"):
        store.submit((Put(Counted(1)),), lambda _: None)


def test_commits_are_reported_in_the_order_of_submission(store: Store) -> None:
    order: list[int] = []
    for number in range(500):
        store.submit((Put(Counted(number)),), lambda _, number=number: order.append(number))  # type: ignore[misc]
    commit(store)
    assert order == list(range(500))
