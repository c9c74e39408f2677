"""Names of light: nominal colours, ambient light, casts, and how sure a name is."""

import numpy as np
import pytest

from firmware_sim.bench.reader.colours import COLOURS, RGB, hue_deg, name_of, saturation
from firmware_sim.device.indicator import Pattern
from hw_profiles.catalog import load, names

# The lights as this project draws them, as sRGB and as linear light.
DRAWN = {
    "red": (255, 59, 48),
    "green": (52, 209, 88),
    "blue": (61, 139, 255),
    "amber": (255, 159, 26),
    "yellow": (255, 228, 92),
    "white": (255, 255, 255),
}


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize("brightness", [0.1, 0.4, 1.0])
@pytest.mark.parametrize("ambient", [0.0, 0.03])
def test_a_colour_is_told_dim_or_bright(name: str, brightness: float, ambient: float) -> None:
    told, sure = name_of(brightness * (np.array(RGB[name]) + ambient))
    assert told == name
    assert sure > 0.95


@pytest.mark.parametrize("name", COLOURS)
def test_colours_as_they_are_drawn(name: str) -> None:
    assert name_of(np.array(DRAWN[name]) / 255)[0] == name


def test_there_is_a_name_for_every_colour_of_the_models() -> None:
    patterns: list[Pattern] = [
        pattern for name in names() for pattern in load(name).indicator.values()
    ]
    assert {colour for pattern in patterns for colour in pattern.colours} <= set(COLOURS)


def test_a_white_light_may_have_a_cast() -> None:
    assert name_of(np.array([1.0, 0.85, 0.7]))[0] == "white"
    assert name_of(np.array([0.75, 0.85, 1.0]))[0] == "white"


def test_a_light_between_two_colours_is_told_without_confidence() -> None:
    assert name_of(np.array([1.0, 0.71, 0.05]))[1] < 0.8
    assert name_of(np.array([1.0, 0.8, 0.57]))[1] < 0.8


def test_noise_takes_confidence_from_neighbours_and_not_from_blue() -> None:
    amber, blue = np.array(RGB["amber"]) * 0.5, np.array(RGB["blue"]) * 0.5
    assert name_of(amber, 0.06)[1] < 0.95 < name_of(amber, 0.0)[1]
    assert name_of(blue, 0.06)[1] > 0.97


def test_darkness_has_no_colour() -> None:
    assert name_of(np.zeros(3)) == ("white", 0.0)
    assert saturation(np.zeros(3)) == 0.0


@pytest.mark.parametrize(
    ("rgb", "hue"), [((1, 0, 0), 0), ((1, 1, 0), 60), ((0, 1, 0), 120), ((0, 0, 1), 240)]
)
def test_hues(rgb: tuple[float, float, float], hue: float) -> None:
    assert hue_deg(np.array(rgb, dtype=np.float64)) == pytest.approx(hue)


def test_red_is_red_on_both_sides_of_zero() -> None:
    assert name_of(np.array([1.0, 0.0, 0.2]))[0] == "red"
    assert name_of(np.array([1.0, 0.15, 0.0]))[0] == "red"
