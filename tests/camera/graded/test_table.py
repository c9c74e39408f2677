"""The sets as data: how large they are, and that every level can be made."""

import pytest

from firmware_sim.camera.decoder import NAMES
from firmware_sim.camera.graded.table import FRAMES_PER_LEVEL, Axis, choose, further, graded
from firmware_sim.errors import UsageError


def test_the_graded_set_has_3440_pictures() -> None:
    assert len(graded()) == 172
    assert len(graded()) * FRAMES_PER_LEVEL == 3440


def test_every_level_has_a_branch_of_its_own() -> None:
    branches = [level.branch for level in graded() + further()]
    assert len(set(branches)) == len(branches)


def test_every_level_is_another_picture_than_its_neighbours() -> None:
    for level in graded() + further():
        assert getattr(level.recipe, level.axis.field) == level.value
        assert len(set(level.axis.levels)) == len(level.axis.levels)


def test_limits_are_levels_of_their_axis() -> None:
    for level in graded():
        assert set(level.axis.reads) <= set(NAMES)
        for decoder, last in level.axis.reads.items():
            assert level.axis.limit(decoder)[-1] == last


def test_what_is_within_a_limit() -> None:
    axis = Axis("x", "module_px", "px", (6.0, 4.0, 3.0), reads={"zxing": 4.0})
    assert axis.limit("zxing") == (6.0, 4.0)
    assert axis.limit("pyzbar") == ()


def test_axes_are_chosen_by_how_their_name_begins() -> None:
    assert choose(graded(), ()) == graded()
    chosen = choose(graded(), ("tilt", "motion"))
    assert {level.axis.name for level in chosen} == {"tilt at 4 px", "tilt at 2.5 px", "motion"}
    assert len(chosen) == 9 + 6 + 7


def test_an_unknown_axis_is_said() -> None:
    with pytest.raises(UsageError, match=r"axis 'fog' is unknown: use one of 'module', 'rotation'"):
        choose(graded(), ("tilt", "fog"))
