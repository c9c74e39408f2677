"""The only clock of the cloud's process."""

import time
from collections.abc import Callable


class Clock:
    """Unix time in milliseconds that never runs backwards and never stands still.

    It follows the system's clock when that is set forward. When it is set back, this clock goes
    on at its own pace, ahead of the system's: freezing would stop every deadline of the cloud.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Start at the system's time."""
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._offset_ns = wall_ns() - steady_ns()

    def __call__(self) -> int:
        """Return the time in milliseconds since the Unix epoch."""
        steady_ns = self._steady_ns()
        self._offset_ns = max(self._offset_ns, self._wall_ns() - steady_ns)
        return (steady_ns + self._offset_ns) // 1_000_000
