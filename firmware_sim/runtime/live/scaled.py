"""An event loop whose time passes faster or slower than that on the wall.

Everything that sleeps, times out or reads the loop's time does so by one clock, so a device, its
cloud and the people around it can all be quick together. Sockets and child processes are as fast
as they are: at a rate of 10 a reply that takes a millisecond has taken ten.
"""

import asyncio
import selectors
from collections.abc import Callable
from time import monotonic, time_ns

from firmware_sim.errors import UsageError

RATE_MIN, RATE_MAX = 0.1, 100.0


class _Selector(selectors.DefaultSelector):
    """Waits by the loop's time."""

    rate = 1.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for files; `timeout` is in seconds of the loop."""
        return super().select(None if timeout is None else timeout / self.rate)


class ScaledLoop(asyncio.SelectorEventLoop):
    """A selector loop in which `rate` seconds pass per second on the wall."""

    def __init__(self, rate: float = 1.0) -> None:
        """Start at the time of the system's monotonic clock. UsageError for an unusable rate."""
        self._rate = 1.0
        self._since_s = self._then_s = monotonic()
        self._waiting = _Selector()
        super().__init__(self._waiting)
        self._tick_s: float = self._clock_resolution
        try:
            self.set_rate(rate)
        except UsageError:
            self.close()
            raise

    @property
    def rate(self) -> float:
        """Return how many seconds of the loop pass per second on the wall."""
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Let time pass at another rate from now on. UsageError for an unusable one."""
        if not RATE_MIN <= rate <= RATE_MAX:
            raise UsageError(
                f"rate {rate:g}: time can pass {RATE_MIN:g} to {RATE_MAX:g} times as fast"
            )
        self._then_s, self._since_s = self.time(), monotonic()
        self._rate = self._waiting.rate = rate
        # What is due within one tick of the clock is due; a tick is that much longer here.
        self._clock_resolution: float = self._tick_s * rate

    def time(self) -> float:
        """Return the loop's time in seconds."""
        return self._then_s + (monotonic() - self._since_s) * self._rate


def epoch_ns(loop: asyncio.AbstractEventLoop) -> Callable[[], int]:
    """Return a clock that shows the wall's time now and goes on as the loop's; ns since the epoch."""
    offset_ns = time_ns() - int(loop.time() * 1e9)
    return lambda: int(loop.time() * 1e9) + offset_ns
