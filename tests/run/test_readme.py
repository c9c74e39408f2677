"""The README of the runner knows every scenario, every kind of fault, and every key."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

import fleet.run
from fleet.run.faults import During, FaultTable, Kind, State
from fleet.run.reasons import Attack
from fleet.run.scenario import (
    Campaign,
    Expect,
    QuotaLimits,
    Scenario,
    Tampered,
    built_in_names,
)

TEXT = (Path(fleet.run.__file__).parent / "README.md").read_text()
KEYS = {
    field.name
    for kind in (Scenario, Expect, FaultTable, QuotaLimits, Campaign, Tampered)
    for field in msgspec.structs.fields(kind)
}
NAMED = {
    "products",
    "operators",
    "warehouse",
    "home",
    "lan",
    "quotas",
    "campaign",
    "trouble",
    "tampered",
    "faults",
    "expect",
}


@pytest.mark.parametrize("word", [*built_in_names(), *get_args(Kind), *get_args(Attack)])
def test_every_scenario_fault_and_attack_has_a_row(word: str) -> None:
    assert f"\n| `{word}` | " in TEXT


@pytest.mark.parametrize("word", [*get_args(During), *get_args(State)])
def test_every_phase_and_state_is_there(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("key", sorted(KEYS - NAMED - {"refused", "failed", "attacks"}))
def test_every_key_is_there(key: str) -> None:
    assert f"`{key}`" in TEXT


@pytest.mark.parametrize("table", sorted(NAMED))
def test_every_table_is_there(table: str) -> None:
    assert f"[{table}" in TEXT
