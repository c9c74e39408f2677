"""What befalls the cloud, as a run counts it: whom it strikes, and how the fleet comes back.

Outages take turns: a cloud that is away cannot go away.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fleet.run.measured import Measured
from fleet.run.recovery import Recovery
from fleet.run.watch import Watch


class Outages:
    """Those of one run, live or in virtual time."""

    def __init__(
        self, watch: Watch, recovery: Recovery, measured: Measured, now_ms: Callable[[], int]
    ) -> None:
        """Count into what belongs to the run."""
        self._watch = watch
        self._recovery = recovery
        self._measured = measured
        self._now_ms = now_ms
        self._turn = asyncio.Lock()

    def strike(self, number: int) -> None:
        """Count all devices as struck by table `number`, in the states in which they are."""
        states = {state.lower(): n for state, n in self._watch.lifecycles.items() if n}
        self._measured.struck.setdefault(number, Counter()).update(states)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Let no other outage begin as long as the block lasts."""
        async with self._turn:
            yield

    @asynccontextmanager
    async def watched(self, number: int) -> AsyncIterator[None]:
        """Watch one outage, by table `number`, which lasts as long as the block."""
        self.strike(number)
        self._recovery.begin(self._now_ms())
        yield
        self._recovery.returned(self._now_ms())
