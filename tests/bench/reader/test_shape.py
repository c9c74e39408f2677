"""Blinking behind slow parts, and breathing, told apart."""

import numpy as np
import pytest

from firmware_sim.bench.reader.levels import find_levels
from firmware_sim.bench.reader.rhythm import find_rhythm
from firmware_sim.bench.reader.shape import breathing
from firmware_sim.bench.trace import Floats

TIMES_S = np.arange(0.0, 6.0, 1 / 30)


def score(share: Floats, noise: float = 0.03) -> float:
    rgb = share[:, None] * np.array([0.8, 0.1, 0.1])
    rgb = rgb + np.random.default_rng(1).normal(0, noise, rgb.shape)
    levels = find_levels(TIMES_S, rgb)
    return breathing(TIMES_S, rgb, levels, find_rhythm(TIMES_S, rgb, levels))


def square(hz: float) -> Floats:
    return ((TIMES_S * hz + 0.2) % 1 < 0.5).astype(np.float64)


@pytest.mark.parametrize("hz", [1 / 3, 0.5, 1.0, 2.0, 5.0])
def test_blinking_blinks(hz: float) -> None:
    assert score(square(hz)) < -2


@pytest.mark.parametrize("hz", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("shape", ["sine", "triangle", "swell"])
def test_breathing_breathes(hz: float, shape: str) -> None:
    turn = (TIMES_S * hz + 0.4) % 1
    share = {
        "sine": 0.5 - 0.5 * np.cos(2 * np.pi * turn),
        "triangle": 1 - np.abs(2 * turn - 1),
        "swell": (np.exp(-np.cos(2 * np.pi * turn)) - np.exp(-1)) / (np.e - np.exp(-1)),
    }[shape]
    assert score(share) > 2


@pytest.mark.parametrize("hz", [0.5, 1.0])
def test_a_slow_sensor_does_not_make_blinking_breathe(hz: float) -> None:
    kernel = np.exp(-np.arange(0, 0.5, 1 / 30) / 0.06)
    share = np.convolve(square(hz), kernel / kernel.sum())[: len(TIMES_S)]
    assert score(share) < -1


def test_a_straight_fade_of_a_tenth_of_a_second_blinks() -> None:
    share = np.convolve(square(0.5), np.full(3, 1 / 3))[: len(TIMES_S)]
    assert score(share) < -1


def test_short_flashes_never_breathe() -> None:
    assert score((TIMES_S % 2.0 < 0.1).astype(np.float64)) < -5
