"""How light comes and goes: at once, as in blinking, or gradually, as in breathing.

Both are fitted between the same edges. Blinking may be seen through a slow sensor or fade a little,
but in a time that does not grow with the period; breathing fills its period.
"""

import math

import numpy as np

from firmware_sim.bench.reader.levels import Levels
from firmware_sim.bench.reader.rhythm import Rhythm
from firmware_sim.bench.trace import Floats

_BREATHS_HZ_MAX = 1.6
"""No light breathes faster; people would call it flashing."""

_CERTAIN = 6.0
_BREATH_DUTY = (0.15, 0.85)
_LAGS_S = (0.0, 0.015, 0.03, 0.06, 0.09)
_RAMPS_S = (0.05, 0.1, 0.15)
_POWERS = (0.6, 1.0, 1.7)


def breathing(times_s: Floats, rgb: Floats, levels: Levels, rhythm: Rhythm) -> float:
    """Return by how much breathing fits better than blinking, in standard deviations.

    It is negative if blinking fits better. What is left of each fit is compared by the logarithm
    of their ratio, whose error falls with the root of the number of samples.
    """
    low_duty, high_duty = _BREATH_DUTY
    if rhythm.repeats < 0.5 or rhythm.period_s * _BREATHS_HZ_MAX < 1:
        return -_CERTAIN
    if not low_duty < rhythm.duty < high_duty:
        return -_CERTAIN
    axis = levels.high - levels.low
    along = (rgb - levels.low) @ axis / max(float(axis @ axis), 1e-12)
    sharp = min(
        *(_left(_lagging(times_s, rhythm, lag_s), along) for lag_s in _LAGS_S),
        *(_left(_ramping(times_s, rhythm, ramp_s), along) for ramp_s in _RAMPS_S),
    )
    soft = min(_left(_breath(times_s, rhythm, power), along) for power in _POWERS)
    return float(np.log(max(sharp, 1e-12) / max(soft, 1e-12))) * math.sqrt(len(times_s))


def _left(columns: Floats, along: Floats) -> float:
    """Return the mean square that is left of (n,) after a fit of columns (n, c) and a constant."""
    table = np.column_stack((np.ones(len(along)), columns))
    squares = table.T @ table + 1e-9 * np.eye(table.shape[1])
    rest = along - table @ np.linalg.solve(squares, table.T @ along)
    return float(rest @ rest) / len(along)


def _phases(times_s: Floats, rhythm: Rhythm) -> tuple[Floats, Floats, Floats]:
    """Return for each sample its phase's begin and length in seconds, and 1 if it is high."""
    edges = rhythm.edges_s
    lengths = np.diff(edges)
    after, before = (lengths[-2], lengths[1]) if len(lengths) > 1 else (lengths[-1], lengths[0])
    borders = np.concatenate(([edges[0] - before], edges, [edges[-1] + after]))
    number = np.clip(np.searchsorted(edges, times_s, side="right"), 0, len(edges))
    high = (number % 2 == 1) == rhythm.rises
    return borders[number], np.diff(borders)[number], high.astype(np.float64)


def _lagging(times_s: Floats, rhythm: Rhythm, lag_s: float) -> Floats:
    """Return square waves (n, 1) behind a lag of first order; the edges are where half is left."""
    begin_s, length_s, high = _phases(times_s, rhythm)
    if lag_s == 0:
        return high[:, None]
    since_s = np.maximum(times_s - begin_s, 0.0) + lag_s * np.log(2)
    past_s = since_s - length_s
    settling = 1 - np.exp(-since_s / lag_s)
    wave = np.where(past_s > 0, np.exp(-np.maximum(past_s, 0.0) / lag_s), settling)
    share: Floats = np.where(high > 0.5, wave, 1 - wave)
    return share[:, None]


def _ramping(times_s: Floats, rhythm: Rhythm, ramp_s: float) -> Floats:
    """Return waves (n, 1) with straight edges that last `ramp_s`."""
    begin_s, length_s, high = _phases(times_s, rhythm)
    inside_s = np.minimum(times_s - begin_s, begin_s + length_s - times_s)
    depth = np.clip(0.5 + inside_s / ramp_s, 0.0, 1.0)
    wave = np.where(high > 0.5, depth, 1 - depth)
    return wave[:, None]


def _breath(times_s: Floats, rhythm: Rhythm, power: float) -> Floats:
    """Return waves (n, 2) that swell and fade through each phase: high ones, and low ones."""
    begin_s, length_s, high = _phases(times_s, rhythm)
    turn = np.clip((times_s - begin_s) / np.maximum(length_s, 1e-9), 0.0, 1.0)
    swell = np.sin(np.pi * turn) ** power
    return np.column_stack((high * swell, (1 - high) * swell))
