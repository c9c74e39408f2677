"""The server's own heartbeat: how late the loop is, what the process uses, what needs sweeping."""

import asyncio
import resource
import time
from collections import deque
from collections.abc import Callable

from fleet.cloud.edge.driver import Driver

_SAMPLE_S = 0.1
_SAMPLES_PER_SECOND = 10
_SAMPLES_MAX = 600  # a minute


class Pulse:
    """Samples the loop ten times a second; once a second it counts and sweeps."""

    def __init__(self, driver: Driver, sweeps: tuple[Callable[[], None], ...]) -> None:
        """Prepare to call `sweeps` once a second on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._driver = driver
        self._sweeps = sweeps
        self._lags_ms: deque[float] = deque(maxlen=_SAMPLES_MAX)
        self._beats = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; the first figures are there at once."""
        self._count()
        self._driver.counters.started_ms = self._driver.counters.now_ms
        self._wait()

    def stop(self) -> None:
        """Take the last figures and end."""
        self._count()
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = self._loop.call_later(_SAMPLE_S, self._beat, self._loop.time() + _SAMPLE_S)

    def _beat(self, due_s: float) -> None:
        self._lags_ms.append(max(0.0, (self._loop.time() - due_s) * 1000))
        self._beats += 1
        if self._beats % _SAMPLES_PER_SECOND == 0:
            for sweep in self._sweeps:
                sweep()
            self._count()
        self._wait()

    def _count(self) -> None:
        counters = self._driver.counters
        lags_ms = sorted(self._lags_ms) or [0.0]
        counters.now_ms = self._driver.now_ms()
        counters.loop_lag_p99_ms = round(lags_ms[len(lags_ms) * 99 // 100], 3)
        counters.loop_lag_max_ms = round(lags_ms[-1], 3)
        counters.cpu_ms = time.process_time_ns() // 1_000_000
        counters.peak_rss_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
