"""The table of colours: complete, legible, and the same for everybody."""

import msgspec
import pytest

from fleet.light.colours import (
    DARK,
    GROUND,
    PAPER,
    SHADES,
    Shade,
    between,
    ink_of,
    lit_of,
    rgb,
)
from fleet.light.shapes import BODY
from tests.light.patterns import COLOURS


def luminance(code: str) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    parts = [part / 255 for part in rgb(code)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_of_a_profile_has_its_shade() -> None:
    assert set(SHADES) == set(COLOURS)
    assert len({shade.letter for shade in SHADES.values()}) == len(SHADES)


@pytest.mark.parametrize("colour", COLOURS)
def test_signs_are_legible_on_any_ground(colour: str) -> None:
    assert contrast(SHADES[colour].ink, PAPER) >= 3
    assert contrast(SHADES[colour].ink, GROUND) >= 3


@pytest.mark.parametrize("colour", COLOURS)
def test_what_is_lit_stands_out_from_the_body(colour: str) -> None:
    assert contrast(SHADES[colour].lit, BODY) >= 4.5
    assert contrast(SHADES[colour].lit, DARK) >= 2.5


def test_darkness_is_dim() -> None:
    assert (ink_of("red"), lit_of("red")) == (SHADES["red"].ink, SHADES["red"].lit)
    assert (ink_of(""), lit_of("")) == ("dim", DARK)


def test_numbers_of_a_colour() -> None:
    assert rgb("#0aff10") == (10, 255, 16)
    assert between("#000000", "#fefefe") == "#7f7f7f"


def test_a_page_reads_the_same_table() -> None:
    text = msgspec.json.encode(SHADES)
    assert msgspec.json.decode(text, type=dict[str, Shade]) == SHADES
