"""What only the store in memory does: everything is durable before `submit` returns."""

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.store import Delete, Put
from fleet.cloud.store.memory import MemoryStore
from tests.cloud.store.things import Counted, Thing


def test_done_is_called_before_submit_returns() -> None:
    outcomes: list[BaseException | None] = []
    MemoryStore().submit((Put(Counted(1)),), outcomes.append)
    assert outcomes == [None]


def test_what_was_kept_can_be_loaded_after_closing() -> None:
    store = MemoryStore()
    store.submit((Put(Counted(2)), Put(Counted(1))), lambda _: None)
    store.close()
    assert store.load(Counted) == [Counted(1), Counted(2)]


def test_a_key_of_the_wrong_length_is_the_callers_mistake() -> None:
    with pytest.raises(UsageError, match="key"):
        MemoryStore().submit((Delete(Thing, ("a",)),), lambda _: None)
