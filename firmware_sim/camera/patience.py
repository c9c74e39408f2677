"""How long an owner waits for a worker: in time on the wall, whatever its event loop calls a second."""

import asyncio
import time
from collections.abc import Callable


class Patience:
    """Calls `over` once, when nothing came for `limit_s` although something was expected.

    A loop may run faster than the wall, as that of a bench in scaled time does, while a worker
    computes as fast as ever. So the loop only wakes us, and the machine's clock decides.
    """

    __slots__ = ("_limit_s", "_over", "_since_s", "_timer")

    def __init__(self, limit_s: float, over: Callable[[], None]) -> None:
        """Expect nothing yet."""
        self._limit_s = limit_s
        self._over = over
        self._since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """Begin to wait, or begin anew because something came."""
        self._since_s = time.monotonic()
        if self._timer is None:
            self._look_in(self._limit_s)

    def rest(self) -> None:
        """Expect nothing any more. The timer goes on, for the next time."""
        self._since_s = None

    def end(self) -> None:
        """Never call `over` from now on."""
        self.rest()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_in(self, duration_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(duration_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._since_s is None:
            return
        left_s = self._limit_s - (time.monotonic() - self._since_s)
        if left_s > 0:
            self._look_in(left_s)
        else:
            self.rest()
            self._over()
