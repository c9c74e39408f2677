"""Processes that the runner has started: how they begin, and that each of them ends.

All are spawned, never forked: a child that inherits half a runner (its event loop, its sockets)
cannot be trusted.
"""

import asyncio
import multiprocessing
from multiprocessing.process import BaseProcess

SPAWN = multiprocessing.get_context("spawn")


async def reap(process: BaseProcess, ended: asyncio.Event, grace_s: float) -> None:
    """Return when `process` is gone: by itself within `grace_s` after `ended`, or killed.

    `ended` is set by whoever sees the process close its end of the line.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(grace_s):
            await ended.wait()
        await loop.run_in_executor(None, process.join, grace_s)
    except TimeoutError:
        pass
    process.kill()  # no harm to one that has ended
    await loop.run_in_executor(None, process.join)
    process.close()
