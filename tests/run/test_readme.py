"""The README of the runner knows every scenario, every kind of fault, and every key."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

import fleet.run
from fleet.run.faults import During, FaultTable, Kind, State
from fleet.run.scenario import Expect, Scenario, built_in_names

TEXT = (Path(fleet.run.__file__).parent / "README.md").read_text()
KEYS = {
    field.name for kind in (Scenario, Expect, FaultTable) for field in msgspec.structs.fields(kind)
}
NAMED = {
    "products",
    "operators",
    "warehouse",
    "home",
    "lan",
    "quotas",
    "trouble",
    "faults",
    "expect",
}


@pytest.mark.parametrize("word", [*built_in_names(), *get_args(Kind)])
def test_every_scenario_and_every_fault_has_a_row(word: str) -> None:
    assert f"\n| `{word}` | " in TEXT


@pytest.mark.parametrize("word", [*get_args(During), *get_args(State)])
def test_every_phase_and_state_is_there(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("key", sorted(KEYS - NAMED - {"refused", "failed"}))
def test_every_key_is_there(key: str) -> None:
    assert f"`{key}`" in TEXT


@pytest.mark.parametrize("table", sorted(NAMED))
def test_every_table_is_there(table: str) -> None:
    assert f"[{table}" in TEXT
