import asyncio
import time
from multiprocessing.process import BaseProcess

import pytest

from fleet.run.children import SPAWN, reap


def ended(process: BaseProcess, *, told: bool, grace_s: float) -> None:
    async def scene() -> None:
        event = asyncio.Event()
        if told:
            event.set()
        await reap(process, event, grace_s)

    process.start()
    asyncio.run(scene())
    with pytest.raises(ValueError, match="closed"):
        process.is_alive()


@pytest.mark.parametrize("told", [True, False])
def test_one_that_does_not_end_is_killed(told: bool) -> None:
    ended(SPAWN.Process(target=time.sleep, args=(600,)), told=told, grace_s=0.1)


def test_one_that_ends_is_waited_for() -> None:
    ended(SPAWN.Process(target=time.sleep, args=(0,)), told=True, grace_s=60)
