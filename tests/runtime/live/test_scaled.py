"""Loops whose time runs at another rate: sleeps, timers and deadlines agree on it."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import TypeVar

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live import scaled
from firmware_sim.runtime.live.scaled import ScaledLoop, epoch_ns

T = TypeVar("T")


def run(work: Callable[[], Awaitable[T]], rate: float) -> T:
    async def main() -> T:
        return await work()

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(rate)) as runner:
        return runner.run(main())


def test_a_hundred_seconds_pass_while_one_passes_on_the_wall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall_s = 5.0
    monkeypatch.setattr(scaled, "monotonic", lambda: wall_s)
    with closing(ScaledLoop(100)) as loop:
        begun_s = loop.time()
        wall_s += 1.0
        assert loop.time() - begun_s == pytest.approx(100)
        loop.set_rate(2)
        wall_s += 1.0
        assert loop.time() - begun_s == pytest.approx(102)


def test_sleeping_takes_less_time_on_the_wall() -> None:
    async def slept_s() -> float:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        await asyncio.sleep(20.0)
        return loop.time() - begun_s

    begun_s = time.monotonic()
    assert run(slept_s, 100) >= 20.0
    assert time.monotonic() - begun_s < 20.0


def test_no_timer_fires_before_its_time() -> None:
    async def early() -> list[float]:
        loop, seen = asyncio.get_running_loop(), list[float]()
        for step in range(50):
            due_s = loop.time() + step * 0.013
            await asyncio.sleep(due_s - loop.time())
            seen.append(loop.time() - due_s)
        return seen

    # asyncio itself lets those pass that are due within one tick of its clock.
    assert min(run(early, 50)) >= -50 * time.get_clock_info("monotonic").resolution


def test_a_time_limit_is_of_the_loops_time() -> None:
    async def limited() -> None:
        async with asyncio.timeout(5):
            await asyncio.Event().wait()

    begun_s = time.monotonic()
    with pytest.raises(TimeoutError):
        run(limited, 100)
    assert time.monotonic() - begun_s < 5


def test_files_wake_it_while_it_waits() -> None:
    async def woken() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            loop.call_later(0.1, os.write, theirs.fileno(), b"x")
            return await loop.sock_recv(ours, 1)

    assert run(woken, 10) == b"x"


def test_the_rate_can_change_while_time_goes_on() -> None:
    async def changed() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ScaledLoop)
        times = [loop.time()]
        for rate in (100.0, 1.0, 50.0):
            loop.set_rate(rate)
            times.append(loop.time())
            assert loop.rate == rate
        await asyncio.sleep(0.5)
        return times

    times = run(changed, 1)
    assert times == sorted(times)
    assert times[-1] - times[0] < 1


@pytest.mark.parametrize("rate", [0, -1, 0.01, 1e9, float("nan"), float("inf")])
def test_a_rate_that_is_of_no_use_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match=r"0\.1 to 100 times"):
        ScaledLoop(rate)


def test_the_epoch_begins_at_the_walls_time_and_goes_on_as_the_loop() -> None:
    async def both() -> tuple[int, int, int]:
        now_ns = epoch_ns(asyncio.get_running_loop())
        first, wall_ns = now_ns(), time.time_ns()
        await asyncio.sleep(10)
        return first, wall_ns, now_ns() - first

    first, wall_ns, passed_ns = run(both, 100)
    assert abs(first - wall_ns) < 1e9
    assert passed_ns >= 10e9
