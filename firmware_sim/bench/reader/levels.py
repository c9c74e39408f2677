"""Two levels of light and which of them each sample belongs to.

Samples are not smoothed: that makes blinking look like breathing. Instead a change has to pay: the
most likely sequence of two states is sought in which each change costs `_CHANGE` (Viterbi's
algorithm, for two states a recursion of one number). Levels and sequence are found in turn.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firmware_sim.bench.trace import Floats

Bools = npt.NDArray[np.bool_]

_CHANGE = 4.0
"""What a change of state costs, as a logarithm of likelihood."""

_SAMPLE_MAX = 6.0
"""What one sample can speak for a state: below two changes, so that one wild sample is none."""

_ROUNDS = 8
_NOISE_MIN = 0.015
_NOISE_SHARE_MAX = 0.25
_STEP_MEDIAN = 0.954  # of what two samples with normal noise differ by, in standard deviations
_START_S = 0.05
_TAIL_PERCENT = 1.5


class Levels(NamedTuple):
    """Levels of shape (3,) and for each sample (n,) whether it is at the high one.

    `noise` is the standard deviation of a sample's channel around its level, full scale 1.
    """

    low: Floats
    high: Floats
    lit: Bools
    noise: float

    @property
    def moves(self) -> bool:
        """Say whether both levels occur."""
        return bool(self.lit.any() and not self.lit.all())


def find_levels(times_s: Floats, rgb: Floats) -> Levels:
    """Return the two levels of a trace (shapes (n,) and (n, 3), n at least 2)."""
    low, high = _start(times_s, rgb)
    noise = _noise(rgb, low, high)
    lit = np.zeros(len(rgb), dtype=np.bool_)
    for _ in range(_ROUNDS):
        before, lit = lit, _states(rgb, low, high, noise)
        if lit.all() or not lit.any():
            return Levels(rgb.mean(axis=0), rgb.mean(axis=0), lit, noise_of(rgb))
        low, high = rgb[~lit].mean(axis=0), rgb[lit].mean(axis=0)
        if (lit == before).all():
            break
    if low.max() > high.max():
        low, high, lit = high, low, ~lit
    return Levels(low, high, lit, noise)


def _noise(rgb: Floats, low: Floats, high: Floats) -> float:
    """Return the noise of a channel: what neighbours differ by, or what the levels leave.

    Both are too much for a light that changes every few samples behind a slow sensor; there the
    ends of the cloud are further apart than noise alone would put them.
    """
    lit = (rgb - (low + high) / 2) @ (high - low) > 0
    left = [np.std(part, axis=0) for part in (rgb[lit], rgb[~lit]) if len(part)]
    apart = float(np.linalg.norm(high - low))
    noise = min(noise_of(rgb), 1.2 * float(np.max(left)), _NOISE_SHARE_MAX * apart)
    return max(noise, _NOISE_MIN)


def noise_of(rgb: Floats) -> float:
    """Return the noise of a channel of (n, 3), as far as neighbouring samples show it."""
    steps = np.median(np.abs(np.diff(rgb, axis=0)), axis=0)
    return max(float(steps.max()) / _STEP_MEDIAN, _NOISE_MIN)


def _start(times_s: Floats, rgb: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the cloud of samples along its longest axis."""
    width = max(round(_START_S * (len(times_s) - 1) / max(times_s[-1] - times_s[0], 1e-9)), 1)
    width = min(width, len(rgb) // 2)
    sums = np.cumsum(np.vstack((np.zeros(3), rgb)), axis=0)
    calm = (sums[width:] - sums[:-width]) / width
    centre = calm.mean(axis=0)
    axis = np.linalg.eigh(np.cov(calm - centre, rowvar=False))[1][:, -1]
    along = (calm - centre) @ axis
    ends = np.percentile(along, (_TAIL_PERCENT, 100 - _TAIL_PERCENT))
    return centre + ends[0] * axis, centre + ends[1] * axis


def _states(rgb: Floats, low: Floats, high: Floats, noise: float) -> Bools:
    """Return the most likely sequence of states: true is high."""
    speaks = ((rgb - (low + high) / 2) @ (high - low)) / noise**2
    return _cheapest(np.clip(speaks, -_SAMPLE_MAX, _SAMPLE_MAX).tolist())


def _cheapest(speaks: list[float]) -> Bools:
    """Return the states that fit best, given what each sample says for high against low."""
    lead, leads = 0.0, []
    for value in speaks:
        lead = min(max(lead, -_CHANGE), _CHANGE) + value
        leads.append(lead)
    state, states = lead > 0, []
    for lead in reversed(leads):
        if lead > _CHANGE or lead < -_CHANGE:
            state = lead > 0
        states.append(state)
    return np.array(states[::-1], dtype=np.bool_)
