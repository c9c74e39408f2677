"""What is measured on the side of the devices: durations of phases, lag, lens work, faults."""

from collections import Counter

import msgspec

from fleet.run import messages as msg
from fleet.run.histogram import Histogram
from fleet.run.phases import PHASES

LOOP_LAG_P99_MAX_MS = 50.0
"""One time in a hundred a loop may be so late. It is looked at each 50 ms; phases take hundreds."""
SHARD_CPU_MAX_PCT = 90.0
"""Of one core: a shard that needs more has no time left for another device."""


class Measured(msgspec.Struct):
    """What the devices' side measured, added up; `struck` by fault table and by the state struck."""

    phases: dict[str, Histogram]
    loop_lag: Histogram
    lens: dict[int, msg.Pulse]
    struck: dict[int, Counter[str]] = {}

    def take(self, number: int, pulse: msg.Pulse) -> None:
        """Add a pulse of shard `number`."""
        for name, histogram in pulse.phases.items():
            self.phases[name].merge(histogram)
        self.loop_lag.merge(pulse.loop_lag)
        self.lens[number] = pulse
        for table, states in pulse.struck.items():
            self.struck.setdefault(table, Counter()).update(states)


def nothing_measured() -> Measured:
    """Return what has been measured at the start."""
    return Measured({name: Histogram() for name in PHASES}, Histogram(), {})
