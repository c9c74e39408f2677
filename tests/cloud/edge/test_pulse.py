"""The pulse measures the loop's lateness, and counts and sweeps once a second."""

import asyncio
import time

from fleet.cloud.counters import Counters
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.pulse import Pulse
from fleet.cloud.store.memory import MemoryStore
from tests.cloud.edge.test_driver import Script


def test_it_notices_a_blocked_loop_and_sweeps() -> None:
    async def story() -> None:
        swept = asyncio.Event()
        counters = Counters()
        pulse = Pulse(Driver(Script(), MemoryStore(), counters), sweeps=(swept.set,))
        pulse.start()
        assert counters.now_ms == counters.started_ms > 0
        assert counters.loop_lag_max_ms == 0
        time.sleep(0.3)
        await swept.wait()
        pulse.stop()
        assert counters.loop_lag_max_ms >= 150
        assert counters.loop_lag_p99_ms <= counters.loop_lag_max_ms
        assert counters.cpu_ms > 0
        swept.clear()
        await asyncio.sleep(0.2)
        assert not swept.is_set()

    asyncio.run(story())


def test_it_can_be_stopped_before_it_began() -> None:
    async def story() -> None:
        counters = Counters()
        Pulse(Driver(Script(), MemoryStore(), counters), sweeps=()).stop()
        assert counters.now_ms > 0

    asyncio.run(story())
