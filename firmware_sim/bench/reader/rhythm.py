"""The rhythm of a light that changes between two levels: its edges, their period and regularity.

A period is the slope of a straight line through the times of rising edges over their number, and
one of falling edges, fitted together. A phase that lasts longer or shorter than usual, as timers
do, moves single edges and hardly the line.
"""

import math
from typing import NamedTuple

import numpy as np

from firmware_sim.bench.reader.levels import Levels
from firmware_sim.bench.trace import Floats

_PHASE_MAX = 1.4
"""How many times as long as usual a phase may last."""

_STEP_SPREAD = 1 / math.sqrt(6)
"""Standard deviation of a phase between two edges that lie anywhere between two samples."""


class Rhythm(NamedTuple):
    """A period in seconds, and the share of it at the high level.

    `edges_s` has shape (k,), in turn up and down, beginning with up if `rises`. `repeats` is how
    many whole periods its edges bound (half ones count), `unrest` how far phases differ from those
    of their kind, as a share of the period; a light that stopped at either end is restless, too.
    """

    period_s: float
    duty: float
    edges_s: Floats
    rises: bool
    repeats: float
    unrest: float


def edges_of(times_s: Floats, rgb: Floats, levels: Levels) -> Floats:
    """Return when the light crosses the middle of its two levels, between two samples each; (k,)."""
    axis = levels.high - levels.low
    share = (rgb - levels.low) @ axis / max(float(axis @ axis), 1e-12) - 0.5
    before = np.flatnonzero(np.diff(levels.lit))
    start, end = share[before], share[before + 1]
    crossing = np.abs(end - start) > 1e-9
    part = np.where(crossing, -start / np.where(crossing, end - start, 1.0), 0.5)
    part = np.where((part < 0) | (part > 1), 0.5, part)
    width_s = times_s[before + 1] - times_s[before]
    edges: Floats = times_s[before] + part * width_s
    return edges


def find_rhythm(times_s: Floats, rgb: Floats, levels: Levels) -> Rhythm:
    """Return the rhythm of a trace (shapes (n,), (n, 3)) that has two levels.

    Where no period can be seen whole, it is the shortest that is possible, with `repeats` below 1.
    """
    edges = edges_of(times_s, rgb, levels)
    rises = not bool(levels.lit[0])
    span_s = float(times_s[-1] - times_s[0])
    if len(edges) < 3:
        return _partly(edges, float(times_s[0]), span_s, rises=rises)
    kinds = [edges[parity::2] for parity in (0, 1)]
    usual_s = float(np.median(edges[2:] - edges[:-2]))
    counts = [np.concatenate(([0.0], np.cumsum(_turns(kind, usual_s)))) for kind in kinds]
    period_s = _slope(counts, kinds)
    first = np.diff(edges)[::2]
    second = np.diff(edges)[1::2]
    duty = _share(first, second) if rises else 1 - _share(first, second)
    step_s = float(np.median(np.diff(times_s)))
    ends_s = (float(edges[0] - times_s[0]), float(times_s[-1] - edges[-1]))
    spread_s = _spread_s((first, second), step_s) + _overhang_s((first, second), ends_s, len(edges))
    unrest = spread_s / max(period_s, 1e-9)
    return Rhythm(period_s, duty, edges, rises, (len(edges) - 1) / 2, unrest)


def _spread_s(kinds: tuple[Floats, Floats], step_s: float) -> float:
    """Return how much phases of a kind differ, beyond what sampling every `step_s` makes of them."""
    spread_s = max(float(np.std(phases)) if len(phases) > 1 else 0.0 for phases in kinds)
    return math.sqrt(max(spread_s**2 - (_STEP_SPREAD * step_s) ** 2, 0.0))


def _overhang_s(kinds: tuple[Floats, Floats], ends_s: tuple[float, float], edges: int) -> float:
    """Return how much longer than usual the light was still before the first edge or after the last.

    There a phase is cut off, so it may be shorter; longer it is only if the rhythm was another.
    """
    usual_s = [float(np.median(phases)) for phases in kinds]
    before_s = ends_s[0] - _PHASE_MAX * usual_s[1]
    after_s = ends_s[1] - _PHASE_MAX * usual_s[(edges - 1) % 2]
    return max(before_s, after_s, 0.0)


def _partly(edges: Floats, start_s: float, span_s: float, *, rises: bool) -> Rhythm:
    """Return what one or two edges let one guess."""
    end_s = start_s + span_s
    phases = np.diff(np.concatenate(([start_s], edges, [end_s])))
    period_s = max(2 * float(phases.max()), 1e-3) if len(edges) == 1 else max(span_s, 1e-3)
    high = float(phases[1::2].sum() if rises else phases[::2].sum())
    repeats = (len(edges) - 1) / 2
    return Rhythm(period_s, high / max(span_s, 1e-9), edges, rises, repeats, 0.0)


def _turns(kind: Floats, usual_s: float) -> Floats:
    """Return how many periods lie between edges of one kind: more than one if some were missed."""
    turns: Floats = np.maximum(np.round(np.diff(kind) / max(usual_s, 1e-9)), 1.0)
    return turns


def _slope(counts: list[Floats], kinds: list[Floats]) -> float:
    """Return the common slope of lines of time over count, each with a beginning of its own."""
    over = sum(float((n - n.mean()) @ (t - t.mean())) for n, t in zip(counts, kinds, strict=True))
    under = sum(float((n - n.mean()) @ (n - n.mean())) for n in counts)
    return over / under


def _share(first: Floats, second: Floats) -> float:
    """Return how much of a period phases of the first kind take."""
    one, other = float(np.median(first)), float(np.median(second))
    return one / max(one + other, 1e-9)
