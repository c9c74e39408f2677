import tomllib

import msgspec
import pytest

from fleet.run.scenario import Home, Scenario, Warehouse, built_in_names, load_scenario
from fleet.run.scenario_text import in_toml
from tests.run.fakes import SCENARIO

MASKED = "********"


def without_password(scenario: Scenario) -> Scenario:
    if scenario.warehouse == Warehouse():
        return scenario  # goes without saying
    hidden = Warehouse(scenario.warehouse.ssid, MASKED, scenario.warehouse.join_ms)
    return msgspec.structs.replace(scenario, warehouse=hidden)


@pytest.mark.parametrize("name", built_in_names())
def test_a_scenario_can_be_read_again(name: str) -> None:
    scenario = load_scenario(name)
    text = in_toml(scenario).replace('"***"', f'"{MASKED}"')
    assert msgspec.convert(tomllib.loads(text), Scenario) == without_password(scenario)


@pytest.mark.parametrize(
    "title", ['"""', "\\", "a\nb\r\tc", "'; x = 1 #", "\x00\x7f\u2028", "</script>", "家 ü"]
)
def test_any_text_survives(title: str) -> None:
    scenario = msgspec.structs.replace(SCENARIO, title=title)
    assert tomllib.loads(in_toml(scenario))["title"] == title


def test_no_password_is_in_it() -> None:
    scenario = msgspec.structs.replace(SCENARIO, warehouse=Warehouse("ssid", "geheim-123"))
    assert "geheim" not in in_toml(scenario)
    assert 'password = "***"' in in_toml(scenario)


def test_what_goes_without_saying_is_left_out() -> None:
    text = in_toml(SCENARIO)
    assert "stay_s" not in text
    assert "[home]" not in text
    assert "[home]\njoin_ms = 7" in in_toml(msgspec.structs.replace(SCENARIO, home=Home(7)))
