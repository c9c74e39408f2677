"""A trace of light to what the LED does: mode, colours, frequency, duty, and how sure that is.

Two levels are sought, then their edges and period, then whether the light jumps or swells between
them; the colours are those of the levels, without the light of the room. Each step states how
likely it is right, and the confidence is their product. It is never high for a trace that is too
short: a light that keeps still is believed only when it was watched for longer than any light
known keeps still while blinking, and a rhythm only after it has repeated.
"""

import math
from typing import NamedTuple

import numpy as np

from firmware_sim.bench.capabilities import Mode, Reading
from firmware_sim.bench.reader.colours import COLOURS, name_of
from firmware_sim.bench.reader.flicker import find_flicker
from firmware_sim.bench.reader.levels import Bools, Levels, find_levels, noise_of
from firmware_sim.bench.reader.rhythm import Rhythm, find_rhythm
from firmware_sim.bench.reader.shape import breathing
from firmware_sim.bench.trace import Floats, LedTrace

STILL_S = 1.9
"""The longest that a blinking light of a known model keeps still (1900 ms, a single white light)."""

_STILL_PERIOD_S = STILL_S + 0.1
"""The period of that light."""

LONGEST_S = 300.0
"""How much of a trace is read at most: whoever samples all night gets an answer all the same."""

BLIND_S = 0.09
"""A longer gap between samples may hide a whole phase (the shortest known lasts 100 ms)."""

_SAMPLES_MIN, _SPAN_MIN_S = 8, 0.05
_SCALE = (-1.0, 2.0)  # what is far off the scale is no light
_FLICKER_S = 12.0  # one sine fits no longer than that, and a spectrum costs the square of it
_RATE_MAX_HZ = 200.0  # more samples are no more use: means are taken
_UNREST, _MEAN_S = 0.1, 0.1
_DARK_BELOW = 0.2
_DEPTH_MIN = 0.35
_CHANGE_MIN, _CHANGE_FEW = 0.15, 0.4
_APART, _APART_WILD = 6.0, 20.0
_OFF_LINE = 0.15  # of the distance between the levels, beyond noise
_STRAYS_MAX, _STRAYS_SPREAD = 0.12, 0.03
_NOISE_MAX = (
    0.2  # of full scale; no sensor is as noisy, but a light that flickers very fast looks so
)
_GAPS_MAX, _GAPS_SPREAD = 0.35, 0.05
_GAP_STEPS = 4  # steps between samples from which one of them is a gap
_REPEATS = ((1.0, 0.35), (1.5, 0.8), (2.0, 0.97), (math.inf, 1.0))


class _Found(NamedTuple):
    """A trace (shapes (n,) and (n, 3)), its levels, and the rhythm between them."""

    times_s: Floats
    rgb: Floats
    levels: Levels
    rhythm: Rhythm


def read(trace: LedTrace) -> Reading:
    """Return what the light of a trace does; `confidence` is low where the trace cannot tell.

    Nothing is known beforehand, neither brightness nor ambient light. Best are 30 samples a second
    or more, over two periods or more; with fewer than 20 the shortest phases are missed. Of a trace
    that is longer than `LONGEST_S`, its end is read.
    """
    usable = np.isfinite(trace.rgb).all(axis=1) & np.isfinite(trace.times_s)
    times_s, rgb = trace.times_s[usable], trace.rgb[usable].clip(*_SCALE)
    if len(times_s):
        recent = times_s >= times_s[-1] - LONGEST_S
        times_s, rgb = times_s[recent], rgb[recent]
    span_s = float(np.ptp(times_s)) if len(times_s) else 0.0
    if len(times_s) > _RATE_MAX_HZ * span_s > 0:
        times_s, rgb = _means(times_s, rgb, 1 / _RATE_MAX_HZ)
    if len(times_s) < _SAMPLES_MIN or span_s < _SPAN_MIN_S:
        return Reading("off", (), 0.0, 0.0, 0.0)
    levels = find_levels(times_s, rgb)
    if levels.moves and _depth(levels) > _DEPTH_MIN:
        found = _Found(times_s, rgb, levels, find_rhythm(times_s, rgb, levels))
        if found.rhythm.unrest > _UNREST:
            found = _slower(found)
        if _apart(found.levels) > (_APART_WILD if found.rhythm.unrest > _UNREST else _APART):
            return _moving(found)
    end = times_s >= times_s[-1] - _FLICKER_S
    flicker = find_flicker(times_s[end], rgb[end], levels.noise)
    if flicker and _depth(flicker[0]) > _DEPTH_MIN:
        return _moving(_Found(times_s[end], rgb[end], *flicker))
    return _still(times_s, rgb)


def _depth(levels: Levels) -> float:
    """Return how much of the light changes, in the channel where most: 1 for on and off.

    Small changes are none, and the fewer samples show them the larger they have to be.
    """
    change = np.abs(levels.high - levels.low)
    share = change / np.maximum(np.maximum(levels.high, levels.low), _CHANGE_MIN)
    few = min(int(levels.lit.sum()), int((~levels.lit).sum()))
    return float(share[change > _CHANGE_MIN + _CHANGE_FEW / few].max(initial=0.0))


def _apart(levels: Levels) -> float:
    """Return how far the levels are apart, in standard errors of the rarer one."""
    few = min(int(levels.lit.sum()), int((~levels.lit).sum()))
    return float(np.linalg.norm(levels.high - levels.low)) * math.sqrt(few) / levels.noise


def _still(times_s: Floats, rgb: Floats) -> Reading:
    """Return the reading of a light that does not change."""
    light, noise = rgb.mean(axis=0), noise_of(rgb)
    error = noise / math.sqrt(len(rgb))
    sure = _watched(times_s) * _calm(rgb, noise) * _likely((_NOISE_MAX - noise) / 0.02)
    top = float(light.max())
    if top < _DARK_BELOW:
        return Reading("off", (), 0.0, 0.0, sure * _likely((_DARK_BELOW - top) / 0.035))
    name, sure_name = name_of(light, error)
    sure *= _likely((top - _DARK_BELOW) / 0.06)  # it may be a bright room
    return Reading("solid", (name,), 0.0, 1.0, sure * sure_name)


def _watched(times_s: Floats) -> float:
    """Return how sure stillness is, from how long it was watched.

    What was watched in pieces counts as far as it covers the period of the stillest blinking light:
    else each of its flashes may have come in a gap.
    """
    gaps = np.flatnonzero(np.diff(times_s) >= BLIND_S)
    begins_s = times_s[np.concatenate(([0], gaps + 1))]
    lengths_s = times_s[np.concatenate((gaps, [len(times_s) - 1]))] - begins_s
    phases_s = np.arange(0.0, _STILL_PERIOD_S, 0.01)
    covered = np.zeros(len(phases_s), dtype=np.bool_)
    for begin_s, length_s in zip(begins_s[lengths_s > 0], lengths_s[lengths_s > 0], strict=True):
        covered |= (phases_s - begin_s) % _STILL_PERIOD_S <= length_s
    seen_s = min(float(covered.mean()) * _STILL_PERIOD_S, float(lengths_s.sum()))
    return min(seen_s / STILL_S, 1.0) * 0.85 if seen_s < STILL_S else 1.0


def _calm(rgb: Floats, noise: float) -> float:
    """Return how sure it is that a light does not drift, as part of a slow breath would."""
    parts = [part.mean(axis=0) for part in np.array_split(rgb, 8)]
    swing = float(np.ptp(np.array(parts), axis=0).max())
    swing -= 3 * noise / math.sqrt(len(rgb) / 8)
    return _likely((0.3 - swing / max(float(rgb.mean(axis=0).max()), 0.2)) / 0.12)


def _moving(found: _Found) -> Reading:
    """Return the reading of a light that changes between two levels."""
    times_s, rgb, levels, rhythm = found
    sure = next(sure for repeats, sure in _REPEATS if rhythm.repeats < repeats)
    sure *= _likely((0.22 - rhythm.unrest) / 0.05)
    sure *= _likely((_GAPS_MAX - _gaps(times_s)) / _GAPS_SPREAD)
    sure *= _likely((_STRAYS_MAX - _strays(rgb, levels)) / _STRAYS_SPREAD)
    hz = 1 / rhythm.period_s
    high, low = _cores(rgb, levels)
    two, sure_two = _both_lit(high, low, levels)
    if two:
        return _alternating(levels, high, low, rhythm, sure * sure_two)
    name, sure_name = name_of(high - low, 2 * levels.noise / math.sqrt(levels.lit.sum()))
    soft = breathing(times_s, rgb, levels, rhythm)
    sure *= sure_two * sure_name * _likely(abs(soft))
    mode: Mode = "breathe" if soft > 0 else "blink"
    return Reading(mode, (name,), hz, rhythm.duty, sure)


def _gaps(times_s: Floats) -> float:
    """Return the share of a trace that lies in gaps, in which a light may have done anything."""
    steps_s = np.diff(times_s)
    wide = steps_s > max(BLIND_S, _GAP_STEPS * float(np.median(steps_s)))
    return float(steps_s[wide].sum() / max(times_s[-1] - times_s[0], 1e-9))


def _slower(found: _Found) -> _Found:
    """Return the same, or what is found in means of samples, if that is more regular.

    A slow breath passes the middle so slowly that noise takes it there and back several times.
    """
    times_s, rgb = _means(found.times_s, found.rgb, _MEAN_S)
    if len(times_s) < _SAMPLES_MIN:
        return found
    levels = find_levels(times_s, rgb)
    if not levels.moves or _depth(levels) < _DEPTH_MIN:
        return found
    rhythm = find_rhythm(times_s, rgb, levels)
    if rhythm.unrest >= found.rhythm.unrest or rhythm.period_s < 5 * _MEAN_S:
        return found
    return _Found(times_s, rgb, levels, rhythm)


def _means(times_s: Floats, rgb: Floats, width_s: float) -> tuple[Floats, Floats]:
    """Return the means of all samples in stretches of time: of their times, and of the light."""
    _, where, counts = np.unique(
        np.floor((times_s - times_s[0]) / width_s), return_inverse=True, return_counts=True
    )
    sums = [np.bincount(where, column) for column in (times_s, *rgb.T)]
    means = np.array(sums) / counts
    return means[0], means[1:].T


def _cores(rgb: Floats, levels: Levels) -> tuple[Floats, Floats]:
    """Return both levels without the samples beside an edge, where enough are left; (3,) each."""
    edge = _beside_edges(levels)
    found = []
    for state in (levels.lit, ~levels.lit):
        core = state & ~edge
        found.append(rgb[core if core.sum() * 3 >= state.sum() else state].mean(axis=0))
    return found[0], found[1]


def _beside_edges(levels: Levels) -> Bools:
    """Return which samples (n,) have a neighbour of the other state."""
    changes = np.diff(levels.lit)
    beside: Bools = np.concatenate((changes, [False])) | np.concatenate(([False], changes))
    return beside


def _strays(rgb: Floats, levels: Levels) -> float:
    """Return the share of samples, beside edges none, that are no mixture of the two levels.

    Two levels make a straight line in red, green and blue, and whatever slow parts or a breath make
    of them stays on it. What lies off it is a third light: the trace shows first one and then another.
    """
    axis = levels.high - levels.low
    apart = float(np.linalg.norm(axis))
    since = (rgb - levels.low)[~_beside_edges(levels)]
    if not len(since) or not apart:
        return 0.0
    along = np.outer(since @ axis, axis) / apart**2
    off = np.linalg.norm(since - along, axis=1)
    return float((off > _OFF_LINE * apart + 4 * levels.noise).mean())


def _both_lit(high: Floats, low: Floats, levels: Levels) -> tuple[bool, float]:
    """Return whether the low level is a light as well, and not the dark room; and how sure."""
    error = levels.noise * math.sqrt(1 / levels.lit.sum() + 1 / (~levels.lit).sum())
    other = (float((low - high).max()) - 0.08 - 2 * error) / (0.03 + error)
    tint, swing = low - low.mean(), (high - low) - (high - low).mean()
    size = math.sqrt(float(tint @ tint))
    turned = float(tint @ swing) / max(size * math.sqrt(float(swing @ swing)), 1e-9)
    second = min((size - 0.1 - 2 * error) / (0.03 + error), (0.7 - turned) / 0.15)
    score = max(other, second)
    return score > 0, _likely(abs(score))


def _alternating(levels: Levels, high: Floats, low: Floats, rhythm: Rhythm, sure: float) -> Reading:
    """Return the reading of two colours in turn; they come in the order of this project's table."""
    floor = 0.8 * max(min(float(high.min()), float(low.min())), 0.0)
    names = []
    for light, count in ((high, levels.lit.sum()), (low, (~levels.lit).sum())):
        name, sure_name = name_of(light - floor, levels.noise / math.sqrt(count))
        names.append(name)
        sure *= sure_name
    duty = rhythm.duty
    if names[0] == names[1]:
        sure *= 0.2
    if COLOURS.index(names[0]) > COLOURS.index(names[1]):
        names.reverse()
        duty = 1 - duty
    return Reading("alternate", tuple(names), 1 / rhythm.period_s, duty, sure)


def _likely(margin: float) -> float:
    """Return the share of a normal distribution below `margin` standard deviations."""
    return 0.5 * math.erfc(-margin / math.sqrt(2))
