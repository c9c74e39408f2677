"""One heap for all: each device is woken at the deadline it wants last, and never otherwise."""

import asyncio

from firmware_sim.runtime.live.alarms import Alarms, Clock


def test_only_the_last_wish_counts() -> None:
    async def scene() -> list[int]:
        rung: list[int] = []
        loop = asyncio.get_running_loop()
        clock = Clock(loop)
        alarms = Alarms(loop, clock, rung.append)
        now_ms = clock.now_ms()
        alarms.want(0, now_ms + 30)
        alarms.want(5, now_ms + 10)
        alarms.want(2, now_ms + 20)
        alarms.want(0, None)
        alarms.want(2, now_ms + 5)
        alarms.want(2, now_ms + 5)
        while len(rung) < 2:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        alarms.want(1, clock.now_ms() + 20)
        alarms.close()
        await asyncio.sleep(0.05)
        return rung

    assert asyncio.run(scene()) == [2, 5]


def test_nobody_is_woken_too_early() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(loop)
        woken = asyncio.Event()
        early: list[int] = []
        due_ms = clock.now_ms() + 15

        def ring(_: int) -> None:
            early.append(max(0, due_ms - clock.now_ms()))
            woken.set()

        Alarms(loop, clock, ring).want(0, due_ms)
        await woken.wait()
        assert early == [0]

    asyncio.run(scene())
