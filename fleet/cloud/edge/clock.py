"""The only clock of the cloud's process, and one that a test moves."""

import time
from collections.abc import Callable

from firmware_sim.errors import UsageError


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


class MovableClock(Clock):
    """A clock that can be sent ahead; it goes on at the usual pace from there."""

    def __init__(self) -> None:
        """Start at the system's time."""
        super().__init__()
        self._ahead_ms = 0
        self.on_move: Callable[[int], None] = lambda _: None

    def __call__(self) -> int:
        """Return the time in milliseconds since the Unix epoch, as moved."""
        return super().__call__() + self._ahead_ms

    def advance(self, duration_ms: int) -> None:
        """Move ahead; what was due in the meantime is done before this returns."""
        if duration_ms < 0:
            raise UsageError(f"a clock does not go back, not by {-duration_ms} ms either")
        self._ahead_ms += duration_ms
        self.on_move(duration_ms)
