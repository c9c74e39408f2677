"""The numbers of an LED analyser, and how they are written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.parts.feasa_values import COLUMNS, Captured, Range, captured
from firmware_sim.bench.parts.sensor import COLOURS

# The manual's example of getrgbi and gethsi is one light: 006 230 018, 123.47 098 06383.
GREEN = (6 / 255, 230 / 255, 18 / 255)

# Hue in degrees by colour; what people expect a red, amber, ... light to read.
HUES = {"red": (355, 8), "amber": (20, 30), "yellow": (45, 60), "green": (115, 130)}


def test_the_manuals_example() -> None:
    light = Captured(GREEN, 6383, Range.GOOD)
    assert COLUMNS["rgbi"](light) == "006 231 018 06383"  # the example adds up to 254
    assert COLUMNS["hsi"](light) == "123.21 097 06383"
    assert COLUMNS["intensity"](light) == "06383"


@pytest.mark.parametrize(("factor", "read"), [(1, 23), (5, 50), (10, 64), (15, 72)])
def test_intensity_grows_with_the_exposure_factor_as_in_the_manual(factor: int, read: int) -> None:
    dim = 2.014 / (1.26 * 22)  # a light that reads 23K in the high range at factor 1
    light = captured((0.0, dim, 0.0), 22 * factor, linear=False)
    assert light.intensity == pytest.approx(read * 1000, abs=500)


def test_a_lit_light_reads_as_recommended_in_the_middle_range() -> None:
    assert 55_000 < captured((0.9, 0.1, 0.0), 22, linear=False).intensity < 85_000


def test_linear_is_twice_as_much_for_twice_the_light() -> None:
    one, two = (captured((n * 0.2, 0.0, 0.0), 22, linear=True).intensity for n in (1, 2))
    assert two == pytest.approx(2 * one, rel=0.01)


def X(form: str) -> str:  # noqa: N802 - what is written for a digit
    """Return a form with its digits crossed out, as for a blinking light."""
    return form.replace("0", "X")


@pytest.mark.parametrize(
    ("rgb", "exposure_ms", "blinks", "rgbi", "hsi", "xy"),
    [
        ((0.0, 0.0, 0.0), 22, False, "000 000 000 00000", "999.99 999 00000", "0.0000 0.0000"),
        ((0.9, 0.1, 0.0), 650, False, "255 255 255 99999", "999.99 999 99999", "0.0000 0.0000"),
        (
            (0.5, 0.1, 0.0),
            22,
            True,
            X("000 000 000 00000"),
            X("000.00 000 00000"),
            X("0.0000 0.0000"),
        ),
    ],
)
def test_conditions_of_the_manual(
    rgb: tuple[float, float, float],
    exposure_ms: float,
    blinks: bool,
    rgbi: str,
    hsi: str,
    xy: str,
) -> None:
    light = captured(rgb, exposure_ms, linear=False, blinks=blinks)
    assert (COLUMNS["rgbi"](light), COLUMNS["hsi"](light), COLUMNS["xy"](light)) == (rgbi, hsi, xy)
    assert COLUMNS["uv"](light) == xy


@pytest.mark.parametrize("colour", HUES)
def test_colours_have_their_hue(colour: str) -> None:
    light = captured(COLOURS[colour], 22, linear=False)
    low, high = HUES[colour]
    assert (float(COLUMNS["hsi"](light).split()[0]) - low) % 360 < (high - low) % 360


def test_white_is_white() -> None:
    light = captured((0.8, 0.8, 0.8), 22, linear=False)
    assert COLUMNS["xy"](light) == "0.3127 0.3290"  # D65
    assert 6400 < int(COLUMNS["cct"](light)) < 6600
    assert COLUMNS["hsi"](light).split()[1] == "000"


@pytest.mark.parametrize(
    ("colour", "low", "high"),
    [("red", 615, 626), ("amber", 590, 612), ("green", 520, 535), ("blue", 460, 475)],
)
def test_dominant_wavelengths_are_near_those_of_leds(colour: str, low: int, high: int) -> None:
    light = captured(COLOURS[colour], 22, linear=False)
    assert low <= int(COLUMNS["wavelength"](light)) <= high


def test_purple_has_the_nearest_wavelength_there_is() -> None:
    for rgb, nm in (((0.5, 0.0, 0.9), "467"), ((0.9, 0.0, 0.4), "625")):
        assert COLUMNS["wavelength"](captured(rgb, 22, linear=False)) == nm


FORMS = {
    "rgbi": r"[\dX]{3} [\dX]{3} [\dX]{3} [\dX]{5}",
    "hsi": r"[\dX]{3}\.[\dX]{2} [\dX]{3} [\dX]{5}",
    "intensity": r"[\dX]{5}",
    "absint": r"\d\.\d{4}e[+-]\d\d",
    "xy": r"([\dX]\.[\dX]{4}) ([\dX]\.[\dX]{4})",
    "xyi": r"([\dX]\.[\dX]{4}) ([\dX]\.[\dX]{4}) ([\dX]{5})",
    "uv": r"([\dX]\.[\dX]{4}) ([\dX]\.[\dX]{4})",
    "ciexyz": r"\d\.\d{4}e[+-]\d\d \d\.\d{4}e[+-]\d\d \d\.\d{4}e[+-]\d\d",
    "cct": r"[\dX]{5}",
    "wavelength": r"[\dX]{3}",
    "wsi": r"[\dX]{3} [\dX]{3} [\dX]{5}",
}

LEVELS = st.floats(0, 1, allow_nan=False)


@given(
    st.tuples(LEVELS, LEVELS, LEVELS),
    st.integers(1, 9750),
    st.booleans(),
    st.booleans(),
)
def test_every_light_is_written_with_fixed_digits(
    rgb: tuple[float, float, float], exposure_ms: int, linear: bool, blinks: bool
) -> None:
    light = captured(rgb, exposure_ms, linear=linear, blinks=blinks)
    assert set(FORMS) == set(COLUMNS)
    for what, form in FORMS.items():
        assert re.fullmatch(form, COLUMNS[what](light)), what
