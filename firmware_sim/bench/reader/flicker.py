"""A light that changes every few samples, found by its spectrum.

Where a phase has two or three samples and the sensor is slow, no single phase is sure; a sine that
fits all of them together is.
"""

import numpy as np
import numpy.typing as npt

from firmware_sim.bench.reader.levels import Levels
from firmware_sim.bench.reader.rhythm import Rhythm
from firmware_sim.bench.trace import Floats

Complexes = npt.NDArray[np.complex128]

_HZ_MIN, _HZ_MAX = 1.5, 8.0
_RATE_SHARE = 0.45
_RATE_MAX_HZ = 65.0
_STEPS_PER_LINE = 4
_PARTS_MAX, _PART_PERIODS = 4, 1.5
_STEADY_SHARE, _UNREST_PER_SHARE = 0.85, 0.4


def find_flicker(times_s: Floats, rgb: Floats, noise: float) -> tuple[Levels, Rhythm] | None:
    """Return levels and rhythm of the strongest fast change in a trace.

    Shapes are (n,) and (n, 3). Something is found, be it noise: the levels tell. None for sampling
    that is too slow for this, or so fast that single phases are sure.
    """
    span_s = float(times_s[-1] - times_s[0])
    rate_hz = (len(times_s) - 1) / max(span_s, 1e-9)
    fastest = min(_HZ_MAX, _RATE_SHARE * rate_hz)
    if fastest <= _HZ_MIN or rate_hz > _RATE_MAX_HZ:
        return None
    lines = np.arange(_HZ_MIN, fastest, 1 / (_STEPS_PER_LINE * span_s))
    since_s = times_s - times_s[0]
    waves = np.exp(-2j * np.pi * lines[:, None] * since_s)
    spectrum = waves @ (rgb - rgb.mean(axis=0))
    best = int((np.abs(spectrum) ** 2).sum(axis=1).argmax())
    strongest = int(np.abs(spectrum[best]).argmax())
    hz = float(lines[best])
    turn = np.angle(spectrum[best, strongest]) / (2 * np.pi) + hz * since_s
    lit = np.cos(2 * np.pi * turn) > 0
    if lit.all() or not lit.any():
        return None
    low, high = rgb[~lit].mean(axis=0), rgb[lit].mean(axis=0)
    if low.max() > high.max():
        low, high, lit = high, low, ~lit
    edges = np.arange(np.ceil(turn[0] * 2 - 0.5), turn[-1] * 2 - 0.5 + 1e-9) + 0.5
    edges_s = times_s[0] + (edges / 2 - turn[0]) / hz
    unrest = _unrest(waves[best], rgb[:, strongest], int(span_s * hz / _PART_PERIODS))
    rhythm = Rhythm(1 / hz, 0.5, edges_s, not bool(lit[0]), (len(edges_s) - 1) / 2, unrest)
    return Levels(low, high, lit, noise), rhythm


def _unrest(wave: Complexes, light: Floats, parts_max: int) -> float:
    """Return how restless a change is, from how strong it is in parts of the trace; 0 for one part.

    A sine fits a light that flickers for a while only, and says nothing of the rest.
    """
    parts = np.array_split(np.arange(len(light)), max(min(parts_max, _PARTS_MAX), 1))
    strong = [abs(np.mean(wave[part] * (light[part] - light[part].mean()))) for part in parts]
    share = float(min(strong) / max(*strong, 1e-9)) if len(strong) > 1 else 1.0
    return _UNREST_PER_SHARE * max(_STEADY_SHARE - share, 0.0)
