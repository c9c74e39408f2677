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


def test_the_mistake_of_one_device_puts_no_other_to_sleep() -> None:
    async def scene() -> list[int]:
        rung: list[int] = []

        def ring(index: int) -> None:
            rung.append(index)
            if index == 0:
                raise AssertionError("our own mistake")

        loop = asyncio.get_running_loop()
        faults: list[object] = []
        loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
        clock = Clock(loop)
        alarms = Alarms(loop, clock, ring)
        alarms.want(0, clock.now_ms() + 2)
        alarms.want(1, clock.now_ms() + 2)
        while 1 not in rung:
            await asyncio.sleep(0.002)
        assert len(faults) == 1
        return rung

    assert asyncio.run(asyncio.wait_for(scene(), 20)) == [0, 1]


def test_who_changes_his_mind_for_ever_fills_nothing() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(loop)
        rung: list[int] = []
        alarms = Alarms(loop, clock, rung.append)
        now_ms = clock.now_ms()
        alarms.want(1, now_ms + 20)
        for later in range(10_000):
            alarms.want(0, now_ms + 60_000 + later)
        assert len(alarms._heap) < 100
        while not rung:
            await asyncio.sleep(0.002)
        assert rung == [1]
        alarms.close()

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_clock_that_is_set_ahead_wakes_nobody_earlier() -> None:
    """Devices ask for the same moment by the new time, and are woken then."""

    async def scene() -> list[int]:
        rung: list[int] = []
        loop = asyncio.get_running_loop()
        clock = Clock(loop)
        alarms = Alarms(loop, clock, rung.append)
        due_ms = clock.now_ms() + 40
        alarms.want(0, due_ms)
        clock.advance(3_600_000)
        alarms.want(0, due_ms + 3_600_000)
        alarms.want(1, due_ms + 3_600_010)
        assert clock.now_ms() >= due_ms + 3_599_960
        while len(rung) < 2:
            await asyncio.sleep(0.005)
        assert clock.now_ms() >= due_ms + 3_600_010
        alarms.close()
        return rung

    assert asyncio.run(scene()) == [0, 1]
