"""What an instrument has sampled: times and values, and nothing about what they mean.

Times are seconds of the bench's own clock, from any origin, and may be uneven: no instrument keeps
its rate exactly.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firmware_sim.errors import UsageError

Floats = npt.NDArray[np.float64]


class LedTrace(NamedTuple):
    """Light over time, as a colour sensor sees it.

    `times_s` has shape (n,) and rises; `rgb` has shape (n, 3), 0 is dark and 1 is full scale.
    """

    times_s: Floats
    rgb: Floats

    @property
    def span_s(self) -> float:
        """Return the time from the first to the last sample; 0 for fewer than two."""
        return float(self.times_s[-1] - self.times_s[0]) if len(self.times_s) > 1 else 0.0

    def then(self, later: "LedTrace") -> "LedTrace":
        """Return this trace continued by a later one."""
        return LedTrace(
            np.concatenate((self.times_s, later.times_s)), np.concatenate((self.rgb, later.rgb))
        )

    def last(self, duration_s: float) -> "LedTrace":
        """Return the end of the trace, as long as that; the whole if it is shorter."""
        if not len(self.times_s):
            return self
        first = int(np.searchsorted(self.times_s, self.times_s[-1] - duration_s))
        return LedTrace(self.times_s[first:], self.rgb[first:])


class CurrentTrace(NamedTuple):
    """Supply current over time; both arrays have shape (n,), `milliamps` are of the main supply."""

    times_s: Floats
    milliamps: Floats


EMPTY = LedTrace(np.empty(0), np.empty((0, 3)))


def led_trace(rows: list[tuple[float, float, float, float]]) -> LedTrace:
    """Return a trace from rows of (time in s, red, green, blue). UsageError unless time rises."""
    table = np.asarray(rows, dtype=np.float64).reshape(-1, 4)
    times_s = table[:, 0]
    if not np.isfinite(table).all() or (np.diff(times_s) < 0).any():
        raise UsageError("an LED trace needs numbers, and times that do not run backwards")
    return LedTrace(times_s, table[:, 1:])
