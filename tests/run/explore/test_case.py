"""A case is everything that a run is a function of, and goes through JSON unchanged."""

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.run.explore.case import Case, Conditions
from fleet.run.explore.draw import draw
from fleet.run.scenario import built_in_names, load_scenario
from tests.run.explore.support import CUT, SMALL, case


@pytest.mark.parametrize("name", built_in_names())
def test_it_goes_through_json_unchanged(name: str) -> None:
    scenario = load_scenario(name)
    for seed in range(20):
        drawn = draw(scenario, 12, seed)
        assert msgspec.json.decode(msgspec.json.encode(drawn), type=Case) == drawn


def test_fields_of_its_scenario_are_replaced_like_its_own() -> None:
    changed = case().replace(devices=5, faults=(CUT,), conditions=Conditions(trip_ms=7))
    assert (changed.devices, changed.conditions.trip_ms) == (5, 7)
    assert changed.scenario == msgspec.structs.replace(SMALL, faults=(CUT,))
    with pytest.raises(TypeError):
        case().replace(nonsense=1)


def test_its_population_follows_from_it() -> None:
    assert case(devices=6, seed=3).population() == case(devices=6, seed=3).population()
    assert len(case(devices=6).population().units) == 6
    with pytest.raises(UsageError, match="2 to 1000000 devices"):
        case(devices=1).population()
