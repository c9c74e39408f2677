"""Fast changes that only all samples together show."""

import numpy as np
import pytest

from firmware_sim.bench.reader.flicker import find_flicker


@pytest.mark.parametrize("rate_hz", [20, 30, 60])
def test_five_hertz_behind_a_slow_sensor(rate_hz: int) -> None:
    rng = np.random.default_rng(2)
    times_s = np.arange(0.0, 3.0, 1 / rate_hz)
    share = 0.5 + 0.3 * np.sin(2 * np.pi * 5.0 * times_s + 1)
    rgb = share[:, None] * np.array([0.05, 0.1, 0.6]) + rng.normal(0, 0.08, (len(times_s), 3))
    found = find_flicker(times_s, rgb, 0.08)
    assert found is not None
    levels, rhythm = found
    assert 1 / rhythm.period_s == pytest.approx(5.0, rel=0.02)
    assert rhythm.repeats > 13
    assert levels.high[2] > levels.low[2] + 0.15
    lit_at_edges = np.interp(rhythm.edges_s, times_s, share)
    assert lit_at_edges == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("rate_hz", [20, 30, 60])
def test_a_light_that_flickers_for_a_while_only_is_restless(rate_hz: int) -> None:
    rng = np.random.default_rng(5)
    times_s = np.arange(0.0, 4.0, 1 / rate_hz)
    wave = np.sin(2 * np.pi * 5.0 * times_s)
    unrest = []
    for share in (wave, np.where(times_s < 2.5, wave, 0.0)):
        rgb = 0.5 + 0.3 * share[:, None] + rng.normal(0, 0.05, (len(times_s), 3))
        found = find_flicker(times_s, rgb, 0.05)
        assert found is not None
        unrest.append(found[1].unrest)
    assert unrest[0] < 0.1
    assert unrest[1] > 0.25


def test_slow_sampling_cannot_tell() -> None:
    times_s = np.arange(0.0, 3.0, 0.4)
    assert find_flicker(times_s, np.zeros((len(times_s), 3)), 0.02) is None


def test_fast_sampling_does_not_need_it() -> None:
    times_s = np.arange(0.0, 3.0, 0.01)
    assert find_flicker(times_s, np.zeros((len(times_s), 3)), 0.02) is None


def test_in_noise_the_levels_hardly_differ() -> None:
    rgb = np.random.default_rng(4).normal(0.5, 0.1, (90, 3))
    found = find_flicker(np.arange(90) / 30, rgb, 0.1)
    assert found is not None
    assert np.abs(found[0].high - found[0].low).max() < 0.12


def test_less_than_half_a_period_has_no_two_levels() -> None:
    assert find_flicker(np.arange(8) / 60, np.zeros((8, 3)), 0.02) is None
