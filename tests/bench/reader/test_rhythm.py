"""Edges to period, duty and regularity."""

import numpy as np
import pytest

from firmware_sim.bench.reader.levels import find_levels
from firmware_sim.bench.reader.rhythm import Rhythm, edges_of, find_rhythm
from firmware_sim.bench.trace import Floats


def rhythm_of(borders_s: list[float], span_s: float, rate_hz: float = 50.0) -> Rhythm:
    times_s = np.arange(0.0, span_s, 1 / rate_hz)
    lit = np.searchsorted(borders_s, times_s, side="right") % 2
    rgb: Floats = lit[:, None] * np.array([0.1, 0.8, 0.1])
    return find_rhythm(times_s, rgb, find_levels(times_s, rgb))


def borders(on_s: float, off_s: float, span_s: float, first_s: float = 0.07) -> list[float]:
    phases = np.tile((on_s, off_s), 100)
    edges = first_s + np.concatenate(([0.0], np.cumsum(phases)))
    return [float(edge) for edge in edges if edge < span_s]


@pytest.mark.parametrize(
    ("on_s", "off_s"), [(0.25, 0.25), (1.5, 1.5), (0.1, 0.1), (0.1, 1.9), (1.9, 0.1)]
)
def test_period_and_duty(on_s: float, off_s: float) -> None:
    rhythm = rhythm_of(borders(on_s, off_s, 8.0), 8.0)
    assert rhythm.period_s == pytest.approx(on_s + off_s, rel=0.02)
    assert rhythm.duty == pytest.approx(on_s / (on_s + off_s), abs=0.06)
    assert rhythm.unrest < 0.05


def test_phases_that_vary_hardly_move_the_period() -> None:
    rng = np.random.default_rng(5)
    edges = np.cumsum(0.25 * rng.uniform(0.9, 1.1, 30))
    rhythm = rhythm_of(edges.tolist(), 6.0)
    assert rhythm.period_s == pytest.approx(0.5, rel=0.04)
    assert rhythm.unrest < 0.1


def test_a_flash_that_was_missed_does_not_halve_the_frequency() -> None:
    edges = borders(0.25, 0.25, 6.0)
    del edges[6:8]
    assert rhythm_of(edges, 6.0).period_s == pytest.approx(0.5, rel=0.02)


def test_irregular_light_is_restless() -> None:
    assert rhythm_of([0.2, 0.4, 1.5, 1.6, 2.2, 3.4, 3.5, 4.8], 6.0).unrest > 0.2


def test_a_light_that_stopped_is_restless() -> None:
    edges = borders(0.25, 0.25, 3.0)
    assert rhythm_of(edges, 3.1).unrest < 0.05
    assert rhythm_of(edges, 4.5).unrest > 0.5
    assert rhythm_of([edge + 1.0 for edge in edges], 4.1).unrest > 0.5


def test_coarse_sampling_is_no_unrest() -> None:
    assert rhythm_of(borders(0.13, 0.13, 6.0), 6.0, rate_hz=20).unrest < 0.08


@pytest.mark.parametrize(("edges", "repeats"), [([0.7], 0.0), ([0.7, 1.2], 0.5)])
def test_what_has_not_repeated_is_a_guess(edges: list[float], repeats: float) -> None:
    rhythm = rhythm_of(edges, 2.0)
    assert rhythm.repeats == repeats
    assert rhythm.period_s >= 1.9


def test_repeats_count_half_periods() -> None:
    assert rhythm_of([0.5, 1.0, 1.5, 2.0], 2.4).repeats == 1.5
    assert rhythm_of([0.5, 1.0, 1.5], 1.9).repeats == 1.0


def test_edges_lie_between_samples() -> None:
    times_s = np.arange(0.0, 2.0, 0.02)
    share = np.clip((times_s - 1.0) / 0.1 + 0.5, 0, 1)
    rgb = share[:, None] * np.ones(3) * 0.9
    assert edges_of(times_s, rgb, find_levels(times_s, rgb)) == pytest.approx([1.0], abs=0.012)
