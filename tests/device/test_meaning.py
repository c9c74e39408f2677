"""Every light says something, and to wait reads as tokens come."""

import pytest

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.device.meaning import meaning
from hw_profiles import catalog


@pytest.mark.parametrize("light", LIGHTS)
def test_every_light_has_one_sentence(light: str) -> None:
    for profile in map(catalog.load, catalog.names()):
        said = meaning(profile, light)
        assert said.endswith(".")
        assert "\n" not in said


def test_how_a_token_comes_is_said() -> None:
    assert meaning(catalog.load("ipc-new"), "waiting").endswith("show it a QR code.")
    assert meaning(catalog.load("nvr"), "waiting").endswith("from the LAN.")
