"""`fleet cloud seed`: everything in one transaction or nothing, also beside what is there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.accounts import Account
from fleet.cloud.edge.stores import open_store
from fleet.cloud.seed import AccountSeed, Seed
from fleet.cloud.settings import Settings
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.records import Change
from fleet.cloud.toml_file import demo_seed
from fleet.commands import cloud_seed
from fleet.commands.cloud_seed import put

FAST = Settings(password_iterations=1)
ONE = Seed(accounts=(AccountSeed(name="one"),))


def names(data: Path) -> list[str]:
    store = open_store(str(data))
    found = [account.name for account in store.load(Account)]
    store.close()
    return found


def test_it_says_what_it_added(tmp_path: Path) -> None:
    told = put(demo_seed(), "demo", str(tmp_path), FAST)
    assert told.startswith("added: 5 accounts, 3 users, 2 homes, 8 products, ")
    assert put(ONE, "more", str(tmp_path), None) == "added: 1 accounts"
    assert len(names(tmp_path)) == 6


def test_an_empty_seed_changes_nothing(tmp_path: Path) -> None:
    assert put(Seed(), "nothing", str(tmp_path), None) == "added: nothing"


def test_what_contradicts_the_data_is_refused_as_a_whole(tmp_path: Path) -> None:
    put(ONE, "one", str(tmp_path), FAST)
    both = Seed(accounts=(AccountSeed(name="two"), AccountSeed(name="one")))
    with pytest.raises(UsageError, match=r"^shop.toml: accounts\[1\]: name_taken"):
        put(both, "shop.toml", str(tmp_path), FAST)
    assert names(tmp_path) == ["one"]


def test_data_of_a_running_cloud_are_left_alone(tmp_path: Path) -> None:
    running = open_store(str(tmp_path))
    with pytest.raises(UsageError, match="in use by another cloud"):
        put(ONE, "one", str(tmp_path), FAST)
    running.close()


def test_a_disk_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullStore(MemoryStore):
        def submit(
            self, _changes: tuple[Change, ...], done: Callable[[BaseException | None], None]
        ) -> None:
            done(UsageError("the disk is full"))

    monkeypatch.setattr(cloud_seed, "open_store", lambda _: FullStore())
    with pytest.raises(UsageError, match="the disk is full"):
        put(ONE, "one", "data", FAST)
