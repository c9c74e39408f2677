"""A seed gives a case: any kind of fault, always one that can be, and the same each time."""

from collections import Counter
from typing import get_args

import pytest
from msgspec import inspect

from fleet.run.explore.case import Conditions
from fleet.run.explore.draw import CHOICES, FIELDS, HABITS, KINDS_MAX, TABLES_MAX, draw
from fleet.run.faults import During, FaultTable, Kind, State
from fleet.run.scenario import (
    FAULTS_MAX,
    Expect,
    Scenario,
    built_in_names,
    inconsistency,
    load_scenario,
)
from hw_profiles import catalog
from tests.run.explore.support import CUT, DOWN, SMALL, case

SEEDS = range(400)


def drawn(scenario: Scenario, seed: int) -> tuple[FaultTable, ...]:
    """Return the tables that are not the scenario's own."""
    faults = draw(scenario, 12, seed).scenario.faults
    return tuple(table for table in faults if table.dice > FAULTS_MAX)


@pytest.mark.parametrize("name", built_in_names())
def test_whatever_is_drawn_can_be_played(name: str) -> None:
    scenario = load_scenario(name)
    for seed in range(150):
        assert inconsistency(draw(scenario, 12, seed).scenario) is None


def test_every_kind_and_every_choice_is_drawn_some_day() -> None:
    seen: dict[str, Counter[object]] = {name: Counter() for name in FIELDS}
    for seed in SEEDS:
        for table in drawn(SMALL, seed):
            for name, counts in seen.items():
                counts[getattr(table, name)] += 1
    assert set(seen["kind"]) == set(get_args(Kind))
    assert set(seen["state"]) == set(get_args(State))
    assert set(seen["during"]) == set(get_args(During)) - {"stay"}
    for name, field in FIELDS.items():
        if isinstance(field, inspect.IntType | inspect.FloatType) and name != "dice":
            assert len(seen[name]) > 10, f"{name} hardly varies"


def test_a_seed_depends_on_nothing_but_itself() -> None:
    assert [draw(SMALL, 12, seed) for seed in (5, 6)] == [draw(SMALL, 12, s) for s in (5, 6)]
    assert draw(SMALL, 12, 5) != draw(SMALL, 12, 6)


def test_a_few_kinds_at_a_time() -> None:
    for seed in SEEDS:
        tables = drawn(SMALL, seed)
        assert len(tables) <= TABLES_MAX
        assert len({table.kind for table in tables}) <= KINDS_MAX


def test_some_seeds_are_fair_and_keep_their_expectations() -> None:
    cases = [draw(load_scenario("power-cut"), 12, seed) for seed in SEEDS]
    fair = [one for one in cases if one.fair]
    assert 0.02 < len(fair) / len(cases) < 0.12
    assert all(one.scenario == load_scenario("power-cut") for one in fair)
    assert all(one.conditions == Conditions() for one in fair)
    others = [one.scenario for one in cases if not one.fair]
    assert all(one.expect == Expect(100, 100) for one in others), "shares are reached even so"
    assert {one.tries_max for one in others} == {100}


def test_a_table_of_the_scenario_strikes_the_same_whatever_is_left_of_them() -> None:
    scenario = case(*(FaultTable("power_cut", during="home", for_s=1) for _ in range(4))).scenario
    dices = set()
    for seed in SEEDS:
        own = draw(scenario, 12, seed).scenario.faults
        dices |= {table.dice for table in own if table.dice <= FAULTS_MAX}
    assert dices == {0, 1, 2, 3, 4}  # 0: of a fair case, which is left as it is


def test_faults_come_to_an_end_in_every_phase() -> None:
    repeating = [
        table
        for seed in SEEDS
        for table in draw(load_scenario("flaky-wan"), 12, seed).scenario.faults
        if table.every_s and table.dice
    ]
    assert len(repeating) > 500
    assert all(table.at_s <= table.until_s <= 120 for table in repeating)


def test_clocks_are_ahead_or_behind() -> None:
    skews_s = {table.skew_s for seed in SEEDS for table in drawn(SMALL, seed)}
    assert min(skews_s) < -1000
    assert max(skews_s) > 1000


def test_outages_without_end_do_not_take_turns() -> None:
    again = case(CUT, DOWN).scenario
    for scenario in (SMALL, again):
        for seed in SEEDS:
            faults = draw(scenario, 12, seed).scenario.faults
            often = [table for table in faults if table.facts.away and table.every_s]
            assert len(often) <= 1
            assert all(table.every_s - table.for_s > 9 for table in often)


def test_the_network_is_odd_every_other_time() -> None:
    odd = [
        draw(SMALL, 12, s).conditions
        for s in SEEDS
        if draw(SMALL, 12, s).conditions != Conditions()
    ]
    assert 0.3 < len(odd) / len(SEEDS) < 0.6
    assert min(one.write_ms for one in odd) < 5
    assert max(one.write_ms for one in odd) > 500


def test_firmware_and_cloud_have_other_options_at_times() -> None:
    cases = [draw(SMALL, 12, seed) for seed in SEEDS]
    habits = Counter(name for one in cases for name in one.firmware)
    assert set(habits) == set(HABITS)
    assert {"activation_error", "notices_fin"} <= set(HABITS)
    assert not {"built_in_servers", "pairing_lan_version_max"} & set(HABITS)
    choices = Counter(name for one in cases for name in one.cloud)
    assert set(choices) == set(CHOICES) == {
        "unbind_mode", "unbind_reset_kind", "wipe_on_new_owner",
    }  # fmt: skip
    assert all(one.population() for one in cases[:50]), "each can be"
    tampered = load_scenario("tampered-firmware")
    assert not any(draw(tampered, 12, seed).cloud for seed in SEEDS)


def test_quotas_and_codes_are_used_up_at_times() -> None:
    cases = [draw(SMALL, 12, seed).scenario for seed in SEEDS]
    narrow = [one for one in cases if one.quotas != SMALL.quotas]
    assert 0.2 < len(narrow) / len(SEEDS) < 0.4
    assert {one.quotas.account for one in narrow} == set(range(1, 13))
    assert {one.quotas.product for one in narrow} == set(range(1, 13))
    assert {one.batch_max for one in narrow} == set(range(1, SMALL.batch_max + 1))
    tampered = load_scenario("tampered-firmware")
    assert all(draw(tampered, 12, s).scenario.quotas == tampered.quotas for s in SEEDS)
    midnight = load_scenario("midnight").quotas
    drawn_quotas = [draw(load_scenario("midnight"), 12, s).scenario.quotas for s in range(50)]
    assert any(one.account != midnight.account for one in drawn_quotas)
    assert {(one.zone, one.midnight_in_min) for one in drawn_quotas} == {("+14:00", 1)}


def test_products_are_of_other_models_at_times() -> None:
    names = Counter(p.profile for seed in SEEDS for p in draw(SMALL, 12, seed).scenario.products)
    assert set(names) == set(catalog.names())
    wired = [catalog.load(product.profile).wired for product in SMALL.products]
    for seed in SEEDS[:50]:
        products = draw(SMALL, 12, seed).scenario.products
        assert [catalog.load(product.profile).wired for product in products] == wired


def test_a_longer_campaign_may_take_longer() -> None:
    assert draw(SMALL, 12, 1).limit_s == 2 * 86_400
