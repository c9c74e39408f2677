"""Each distortion by itself, on scenes whose result can be said beforehand."""

from typing import Any

import numpy as np
import pytest

from firmware_sim.camera.graded.optics import expose, moire
from firmware_sim.camera.graded.table import Recipe
from firmware_sim.camera.symbol import Luma
from firmware_sim.rng import Rng

GREY = np.full((60, 80), 100, np.uint8)
EDGE = np.where(np.arange(80) < 40, 15, 235).astype(np.uint8) * np.ones((60, 1), np.uint8)
CLEAR: dict[str, Any] = {"blur_px": 0.0, "noise_levels": 0.0}


def seen(scene: Luma, seed: int = 1, **recipe: Any) -> Luma:
    return expose(scene, Recipe(**{**CLEAR, **recipe}), (40.0, 30.0), Rng(seed))


def test_nothing_changes_nothing() -> None:
    assert np.array_equal(seen(EDGE), EDGE)


@pytest.mark.parametrize(
    ("recipe", "level"),
    [
        ({"gain_pct": 50.0}, 50),
        ({"gain_pct": 300.0}, 255),
        ({"offset_levels": -30.0}, 70),
        ({"offset_levels": -120.0}, 0),
        ({"contrast_pct": 20.0}, 120),
    ],
)
def test_light(recipe: dict[str, Any], level: int) -> None:
    assert np.all(seen(GREY, **recipe) == level)


def test_full_contrast_is_15_to_235_and_less_lies_between() -> None:
    assert (seen(EDGE, contrast_pct=50.0).min(), seen(EDGE, contrast_pct=50.0).max()) == (70, 180)


def test_noise_has_the_strength_that_is_asked_for() -> None:
    noisy = seen(np.full((300, 300), 128, np.uint8), noise_levels=10.0).astype(float)
    assert 9 < noisy.std() < 11
    assert abs(noisy.mean() - 128) < 1


@pytest.mark.parametrize("recipe", [{"blur_px": 2.0}, {"defocus_px": 4.0}, {"motion_px": 9.0}])
def test_blur_makes_a_slope_of_an_edge(recipe: dict[str, Any]) -> None:
    row = seen(EDGE, **recipe)[30].astype(int)
    assert len(set(row.tolist())) > 3
    assert np.all(np.diff(row) >= 0)
    assert (row[0], row[-1]) == (15, 235)
    assert abs(int(row[39]) + int(row[40]) - 250) < 40


def test_a_path_of_one_pixel_is_no_smear() -> None:
    assert np.array_equal(seen(EDGE, motion_px=1.0), EDGE)


def test_a_smear_is_as_long_as_it_is_called() -> None:
    dot = np.zeros((41, 41), np.uint8)
    dot[20, 20] = 250
    for seed in range(6):
        smeared = seen(dot, seed, motion_px=9.0)
        rows, columns = np.nonzero(smeared)
        length = np.hypot(np.ptp(rows), np.ptp(columns))
        assert 7 <= length <= 9.5
        assert abs(int(smeared.sum()) - 250) < 15


def test_a_lamp_shines_where_it_is_reflected() -> None:
    lit = seen(GREY, glare_pct=40.0)
    assert lit[30, 40] == 202
    assert lit.max() == 202
    assert 100 < lit[0, 0] < 140


def test_the_band_of_a_tube_reaches_from_edge_to_edge() -> None:
    wide = np.full((400, 400), 100, np.uint8)
    recipe = Recipe(**{**CLEAR, "glare_pct": 40.0, "glare": "band"})
    lit = expose(wide, recipe, (200.0, 200.0), Rng(1)) > 150
    edges = [lit[0], lit[-1], lit[:, 0], lit[:, -1]]
    assert sum(bool(edge.any()) for edge in edges) >= 2


def test_moire_is_a_wave_around_what_was_there() -> None:
    rippled = moire(Recipe(moire_levels=40.0), Rng(3))(GREY).astype(float)
    assert 35 < np.ptp(rippled) / 2 <= 41
    assert abs(rippled.mean() - 100) < 3
    assert moire(Recipe(), Rng(3))(GREY) is GREY


def test_codecs_lose_more_the_coarser_they_are() -> None:
    rng = np.random.default_rng(1)
    scene = rng.integers(0, 255, (96, 96), np.uint8)
    for field, fine, coarse in (("jpeg_quality", 90, 5), ("video_qp", 20, 45)):
        errors = [
            np.abs(seen(scene, **{field: level}).astype(int) - scene).mean()
            for level in (fine, coarse)
        ]
        assert 0 < errors[0] < errors[1]
