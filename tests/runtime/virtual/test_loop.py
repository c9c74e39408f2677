"""asyncio in virtual time: sleeping, time limits, order, errors, and nobody who waits for ever."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, TypeVar

import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import LOOK_EVERY, VOID_MIN, Endless, Stalled, VirtualLoop

T = TypeVar("T")
START_MS = 1_000_000


def play(work: Coroutine[Any, Any, T], agenda: Agenda | None = None) -> T:
    agenda = agenda or Agenda(START_MS)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(agenda)) as runner:
        return runner.run(work)


def test_a_day_of_sleep_takes_no_time_and_is_a_day_to_the_millisecond() -> None:
    agenda = Agenda(START_MS)

    async def story() -> float:
        await asyncio.sleep(86_400.123)
        return asyncio.get_running_loop().time()

    assert play(story(), agenda) == START_MS / 1000 + 86_400.123
    assert agenda.now_ms == START_MS + 86_400_123


def test_people_and_plans_of_others_share_one_clock() -> None:
    agenda, seen = Agenda(START_MS), []

    async def person() -> None:
        for _ in range(3):
            await asyncio.sleep(0.010)
            seen.append(("person", agenda.now_ms - START_MS))

    agenda.after(15, lambda: seen.append(("world", agenda.now_ms - START_MS)))
    play(person(), agenda)
    assert seen == [("person", 10), ("world", 15), ("person", 20), ("person", 30)]


def test_time_limits_groups_locks_and_events_are_those_of_asyncio() -> None:
    async def story() -> list[str]:
        told: list[str] = []
        event, lock = asyncio.Event(), asyncio.Lock()

        async def one(name: str, pause_s: float) -> None:
            async with lock:
                await asyncio.sleep(pause_s)
                told.append(name)

        async with asyncio.TaskGroup() as group:
            for name, pause_s in (("a", 3), ("b", 1)):
                group.create_task(one(name, pause_s))
        try:
            async with asyncio.timeout(5):
                await event.wait()
        except TimeoutError:
            told.append("time")
        return told

    assert play(story()) == ["a", "b", "time"]


def test_what_was_taken_back_does_not_happen() -> None:
    async def story() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        planned = loop.call_later(1, seen.append, "no")
        assert (planned.when(), planned.cancelled()) == (START_MS / 1000 + 1, False)
        planned.cancel()
        loop.call_soon_threadsafe(seen.append, "soon")
        await asyncio.sleep(2)
        assert planned.cancelled()
        return seen

    assert play(story()) == ["soon"]


def test_somebody_who_waits_for_what_never_happens_is_told_so() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stalled, match="nothing is planned"):
        play(story())


def test_a_mistake_in_a_plan_ends_the_run() -> None:
    agenda = Agenda(START_MS)
    agenda.after(5, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        play(asyncio.sleep(1), agenda)


def test_a_generator_that_is_left_half_way_is_closed() -> None:
    closed: list[bool] = []

    async def numbers() -> Any:
        try:
            for number in range(10):
                yield number
        finally:
            closed.append(True)

    async def story() -> None:
        async for number in numbers():
            if number == 2:
                break
        await asyncio.sleep(1)

    play(story())
    assert closed == [True]


def test_there_is_a_network_only_where_a_world_makes_one() -> None:
    async def story() -> None:
        await asyncio.open_connection("10.0.0.2", 6668)

    with pytest.raises(OSError, match="no network"):
        play(story())


def test_a_spectator_looks_on_now_and_then() -> None:
    agenda, looks = Agenda(START_MS), []

    def factory() -> VirtualLoop:
        loop = VirtualLoop(agenda)
        loop.on_moment = lambda: looks.append(agenda.now_ms)
        return loop

    async def story() -> None:
        for _ in range(2 * LOOK_EVERY):
            await asyncio.sleep(1)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(story())
    assert len(looks) >= 2


def order_of(callback: Callable[[list[str]], Coroutine[Any, Any, None]]) -> list[str]:
    seen: list[str] = []
    play(callback(seen))
    return seen


def test_two_runs_are_the_same() -> None:
    async def story(seen: list[str]) -> None:
        async def one(name: int) -> None:
            await asyncio.sleep(name % 3 / 10)
            seen.append(f"{name}")

        async with asyncio.TaskGroup() as group:
            for name in range(20):
                group.create_task(one(name))

    assert order_of(story) == order_of(story)


@pytest.mark.parametrize("start_ms", [START_MS, 1_767_225_600_123])
@pytest.mark.parametrize("for_s", [1e-9, 2.5e-7, 0.0004, 0.0006, 0.0011, 0.25])
def test_who_sleeps_until_a_time_sees_it_come(start_ms: int, for_s: float) -> None:
    agenda = Agenda(start_ms)

    async def story() -> int:
        loop, looks = asyncio.get_running_loop(), 0
        until_s = loop.time() + for_s
        while (left_s := until_s - loop.time()) > 0:
            await asyncio.sleep(left_s)
            looks += 1
            assert looks < 5
        return looks

    assert play(story(), agenda) in (0, 1, 2)
    assert agenda.now_ms - start_ms in (math.ceil(1000 * for_s), math.ceil(1000 * for_s) - 1)


def test_to_the_millisecond_whatever_floats_make_of_it() -> None:
    agenda = Agenda(1_767_225_600_123)

    async def story() -> None:
        for pause_ms in range(1, 300):
            before_ms = agenda.now_ms
            await asyncio.sleep(pause_ms / 1000)
            assert agenda.now_ms - before_ms == pause_ms

    play(story(), agenda)


def test_what_does_not_end_is_ended() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.end_ms = START_MS + 60_000
        while True:
            await asyncio.sleep(7)

    agenda = Agenda(START_MS)
    with pytest.raises(Endless, match="not over in time"):
        play(story(), agenda)
    assert agenda.now_ms == START_MS + 56_000


def test_nor_may_it_take_too_many_steps() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.steps_max = 1000
        while True:
            await asyncio.sleep(0.001)

    agenda = Agenda(START_MS)
    with pytest.raises(Endless, match="so many steps"):
        play(story(), agenda)
    assert 1000 < agenda.steps < 2000


def test_what_a_task_keeps_in_its_context_stays_there_while_it_waits() -> None:
    whose: ContextVar[str] = ContextVar("whose", default="nobody's")

    async def story() -> tuple[str, str]:
        async def keep() -> str:
            whose.set("mine")
            await asyncio.sleep(0.010)
            return whose.get()

        return await asyncio.create_task(keep()), whose.get()

    assert Context().run(play, story()) == ("mine", "nobody's")  # from an empty one on


def test_time_limits_that_were_kept_do_not_pile_up() -> None:
    agenda = Agenda(START_MS)

    async def story() -> None:
        for _ in range(4 * VOID_MIN):
            async with asyncio.timeout(86_400):
                await asyncio.sleep(0.001)

    play(story(), agenda)
    assert agenda.drop(lambda *_: False) < 2 * VOID_MIN
