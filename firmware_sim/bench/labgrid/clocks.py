"""The bench's time: that of its `FleetClock`, or that on the wall where real parts are at work."""

import math
import time
from typing import Any, Final

from labgrid.exceptions import NoDriverFoundError

from firmware_sim.bench.labgrid.protocols import ClockProtocol
from firmware_sim.errors import UsageError

SLACK_S: Final = 1.0
"""What a call may take beyond the time that it waits for, on the wall, on a machine that is busy."""


class WallClock:
    """Seconds on the wall."""

    rate = 1.0

    def now_s(self) -> float:
        """Return the time since some moment."""
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        """Wait. UsageError for what is no time."""
        time.sleep(real_time_s(duration_s))


class BenchClock:
    """Seconds of a bench that tells them, which may pass faster."""

    def __init__(self, told: ClockProtocol) -> None:
        """Ask for time and rate once; the clock on the wall carries them on."""
        self.rate = told.rate()
        self._bench_s = told.now_s()
        self._wall_s = time.monotonic()

    def now_s(self) -> float:
        """Return the bench's time."""
        return self._bench_s + (time.monotonic() - self._wall_s) * self.rate

    def sleep(self, duration_s: float) -> None:
        """Wait for as long as this takes at the bench. UsageError for what is no time."""
        time.sleep(real_time_s(duration_s) / self.rate)


def real_time_s(duration_s: float) -> float:
    """Return a duration that can pass, as it is. UsageError for others, as in virtual time."""
    if not 0 <= duration_s < math.inf:
        raise UsageError(f"{duration_s!r} seconds is no time that can pass")
    return duration_s


def clock_of(target: Any) -> WallClock | BenchClock:
    """Return the time of whatever a target is made of."""
    try:
        return BenchClock(target.get_driver(ClockProtocol))
    except NoDriverFoundError:
        return WallClock()


def on_the_wall_s(clock: WallClock | BenchClock, duration_s: float) -> float:
    """Return how long to wait on the wall for something that takes so much of the bench's time."""
    return duration_s / clock.rate + SLACK_S
