"""Two levels and a state for each sample."""

import numpy as np
import pytest

from firmware_sim.bench.reader.levels import find_levels, noise_of
from firmware_sim.bench.trace import Floats

RED, DARK = np.array([0.8, 0.1, 0.05]), np.array([0.02, 0.03, 0.02])


def seen(lit: Floats, noise: float, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    rgb = np.where(lit[:, None] > 0, RED, DARK) + rng.normal(0, noise, (len(lit), 3))
    return np.clip(rgb, 0, 1)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("period", [6, 20, 60])
def test_every_sample_gets_its_state(noise: float, period: int) -> None:
    number = np.arange(240)
    lit = (number % period < period // 2).astype(np.float64)
    levels = find_levels(number / 60, seen(lit, noise))
    assert levels.moves
    assert (levels.lit == (lit > 0)).mean() > 0.99
    assert levels.high == pytest.approx(RED, abs=0.06)
    assert levels.low == pytest.approx(DARK, abs=0.06)


def test_a_short_flash_in_a_long_dark_is_found() -> None:
    number = np.arange(200)
    lit = ((number >= 90) & (number < 94)).astype(np.float64)
    levels = find_levels(number / 40, seen(lit, 0.05))
    assert np.flatnonzero(levels.lit).tolist() == [90, 91, 92, 93]


def test_one_wild_sample_is_no_change() -> None:
    rgb = seen(np.zeros(100), 0.02)
    rgb[50] = 1.0
    assert not find_levels(np.arange(100) / 50, rgb).moves


def test_light_that_keeps_still_has_one_level() -> None:
    levels = find_levels(np.arange(100) / 50, seen(np.ones(100), 0.0))
    assert not levels.moves
    assert levels.low == pytest.approx(levels.high)


def test_the_brighter_level_is_the_high_one() -> None:
    lit = (np.arange(100) < 70).astype(np.float64)
    levels = find_levels(np.arange(100) / 50, seen(lit, 0.05))
    assert levels.high.max() > levels.low.max()
    assert levels.lit.sum() == 70


def test_noise_is_measured_with_and_without_edges() -> None:
    rng = np.random.default_rng(3)
    still = 0.5 + rng.normal(0, 0.08, (500, 3))
    assert noise_of(still) == pytest.approx(0.08, rel=0.2)
    blinking = still + 0.3 * (np.arange(500) % 20 < 10)[:, None]
    assert noise_of(blinking) == pytest.approx(0.08, rel=0.3)
    assert find_levels(np.arange(500) / 50, blinking).noise == pytest.approx(0.08, rel=0.4)
