"""A case is everything that a run is a function of, and goes through JSON unchanged."""

from typing import Any

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.settings import Settings
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


def test_firmware_differs_in_the_models_that_can_have_it_so() -> None:
    options = {"notices_fin": False, "awaits_token_online": True, "backoff": "capped"}
    profiles = case(firmware=options).population().profiles
    camera, recorder = profiles["ipc-red-green"].firmware, profiles["nvr"].firmware
    assert (camera.notices_fin, camera.backoff.value) == (False, "capped")
    assert (camera.awaits_token_online, recorder.awaits_token_online) == (False, True)
    assert profiles == case(firmware=dict(reversed(options.items()))).population().profiles


def test_the_cloud_has_other_settings() -> None:
    changed = case(cloud={"unbind_mode": "refuse"}).settings(Settings(region="AZ"))
    assert (changed.unbind_mode, changed.region) == ("refuse", "AZ")
    assert case().settings(changed) is changed


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"firmware": {"backoff": "never"}}, "firmware: backoff: invalid enum value 'never'; "),
        ({"firmware": {"magic": True}}, "firmware: there is no option 'magic'; allowed: soft"),
        ({"cloud": {"magic": True}}, "cloud: there is no option 'magic'; allowed: "),
        ({"cloud": {"unbind_mode": 7}}, "cloud: unbind_mode: expected `str`, got `int`"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        case(**options).population()
