"""The pool on uvloop, which drives sockets and processes by itself."""

import asyncio
import os
import signal

import uvloop

from firmware_sim.camera.pool import DecodePool
from tests.camera.pools import easy_look, is_alive, stopped, text_of, until


async def story() -> None:
    async with asyncio.timeout(60), await DecodePool.open("zxing", workers=2) as pool:
        first, second = pool.worker_pids
        with stopped(first):
            results = [pool.submit(easy_look(camera)) for camera in range(4)]
            await asyncio.sleep(0.05)
            os.kill(first, signal.SIGKILL)
            sights = [await result for result in results if result is not None]
        assert [sight.text for sight in sights] == [None, None, text_of(2), text_of(3)]
        await until(lambda: len(pool.worker_pids) == 2)
        third = pool.worker_pids[-1]
    assert not any(map(is_alive, (first, second, third)))


def test_a_pool_on_uvloop() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())
