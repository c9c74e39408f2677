"""Whole pictures: made alike everywhere, legible where they are easy, and true about what they say."""

import numpy as np
import pytest

from firmware_sim.camera.decoder import NAMES, make_decoder
from firmware_sim.camera.graded.picture import frame
from firmware_sim.camera.graded.table import further, graded
from tests.camera.graded.levels import level_of

READERS = {name: make_decoder(name) for name in NAMES}


def test_the_same_number_is_the_same_picture() -> None:
    level = graded()[40]
    one, again, other = frame(level, 3), frame(level, 3), frame(level, 4)
    assert np.array_equal(one.luma, again.luma)
    assert one.texts == again.texts
    assert one.texts != other.texts
    assert not np.array_equal(one.luma, other.luma)


def test_a_picture_is_grey_and_640_by_480() -> None:
    luma = frame(graded()[0], 0).luma
    assert luma.shape == (480, 640)
    assert luma.dtype == np.uint8


@pytest.mark.parametrize("name", NAMES)
def test_both_decoders_read_the_base_before_every_background(name: str) -> None:
    for number in range(3):
        shown = frame(level_of(), number)
        assert len(shown.texts) == 1
        assert READERS[name].decode(shown.luma) in shown.texts


def test_modules_are_as_large_as_they_are_called() -> None:
    """The bezel of a phone that lies straight is 51 modules wide and darker than a wall."""
    level = level_of(roll_deg=0, module_px=5, blur_px=0, noise_levels=0)
    level = type(level)(
        type(level.axis)("upright", "tilt_deg", "deg", (0.0,), also=level.axis.also), 0.0, 5
    )
    luma = frame(level, 0).luma
    columns = np.flatnonzero((luma == 20).sum(axis=0) > 100)
    assert abs(int(np.ptp(columns)) + 1 - 51 * 5) <= 2


def test_several_codes_are_all_in_view() -> None:
    shown = frame(level_of(codes=4, module_px=3), 0)
    assert len(shown.texts) == 4
    height_px, width_px = shown.luma.shape
    found = {
        READERS["zxing"].decode(np.ascontiguousarray(quarter))
        for half in np.split(shown.luma, [height_px // 2])
        for quarter in np.split(half, [width_px // 2], axis=1)
    }
    assert found == shown.texts


def test_light_on_dark_is_read_when_it_is_turned_over() -> None:
    shown = frame(level_of(inverted=1), 1)
    assert READERS["zxing"].decode(shown.luma) is None
    assert READERS["zxing"].decode(255 - shown.luma) in shown.texts


@pytest.mark.parametrize("hidden", ["centre", "corner", "edge"])
def test_something_hides_a_part(hidden: str) -> None:
    whole, part = (frame(level_of(hidden=hidden, hidden_pct=p, noise_levels=0), 0) for p in (0, 8))
    changed = (whole.luma != part.luma).sum() / (33 * 4) ** 2
    assert 0.02 < changed < 0.2
    assert part.texts == whole.texts


def test_where_no_text_is_to_be_read_none_is_promised() -> None:
    for kind in ("none", "finders", "chaos"):
        assert frame(level_of(kind=kind), 0).texts == frozenset()


def test_every_axis_can_be_made() -> None:
    axes = {level.axis.name: level for level in graded() + further()}
    assert len(axes) > 40
    for level in axes.values():
        shown = frame(level, 1)
        assert shown.luma.shape == (level.recipe.height_px, level.recipe.height_px * 4 // 3)
