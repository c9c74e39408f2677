"""Virtual time beside a clock on the wall: waits, hands, standing still, steps, being late."""

import asyncio
import math
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.pace import FLAT_OUT, SLIP_S, Pace, Reading, WallClock

START_MS = 1_000_000


class FakeClock:
    """A clock that goes on while somebody sleeps; `acts` are what others do at some real time."""

    def __init__(self) -> None:
        self.at_s = 100.0
        self.acts: list[tuple[float, Callable[[], object]]] = []
        self.slept_s = 0.0

    def now_s(self) -> float:
        return self.at_s

    def sleep(self, for_s: float) -> None:
        until_s = self.at_s + for_s
        if self.acts and self.acts[0][0] <= until_s:
            until_s, act = self.acts.pop(0)
            self.slept_s += max(0.0, until_s - self.at_s)
            self.at_s = max(self.at_s, until_s)
            act()
            return
        assert not math.isinf(for_s), "nobody will ever ring"
        self.slept_s += for_s
        self.at_s = until_s

    def ring(self) -> None:
        """Nobody sleeps while somebody else acts."""

    def later(self, real_s: float, act: Callable[[], object]) -> None:
        self.acts.append((100.0 + real_s, act))


class World:
    """A paced loop; `seen` is what happened, and when: in virtual ms and in real seconds."""

    def __init__(self, rate: float = 1.0) -> None:
        self.agenda = Agenda(START_MS)
        self.clock = FakeClock()
        self.pace = Pace(self.agenda, rate, self.clock)
        self.seen: list[tuple[str, int, float]] = []
        self._wanted = 0
        self._done = asyncio.Event()

    def note(self, what: str) -> None:
        self.seen.append((what, self.agenda.now_ms - START_MS, round(self.clock.at_s - 100.0, 3)))
        if len(self.seen) == self._wanted:
            self._done.set()

    def plan(self, *delays_ms: int) -> None:
        for delay_ms in delays_ms:
            self.agenda.after(delay_ms, self.note, f"plan {delay_ms}")

    def play(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with asyncio.Runner(loop_factory=self._loop) as runner:
            runner.run(work())

    def until(self, count: int) -> None:
        """Play until so many things were seen."""
        self._wanted = count

        async def wait() -> None:
            await self._done.wait()

        self.play(wait)

    def _loop(self) -> VirtualLoop:
        loop = VirtualLoop(self.agenda)
        loop.pace = self.pace
        return loop


@pytest.mark.parametrize(("rate", "real_s"), [(1.0, 10.0), (20.0, 0.5), (0.5, 20.0)])
def test_time_passes_at_its_rate(rate: float, real_s: float) -> None:
    world = World(rate)

    async def story() -> None:
        await asyncio.sleep(10)
        world.note("awake")

    world.play(story)
    assert world.seen == [("awake", 10_000, real_s)]
    assert world.pace.slipped_s == 0


def test_flat_out_waits_for_nothing() -> None:
    world = World(FLAT_OUT)

    async def story() -> None:
        await asyncio.sleep(86_400)
        assert world.pace.reading() == Reading(START_MS + 86_400_000, FLAT_OUT)

    world.play(story)
    assert world.clock.slept_s == 0


def test_hands_come_between_two_events_at_the_instant_that_it_is() -> None:
    world = World(2.0)

    async def story() -> None:
        await asyncio.sleep(10)
        world.note("awake")

    world.clock.later(1.5, lambda: world.pace.post(world.note, "hand"))
    world.play(story)
    assert world.seen == [("hand", 3000, 1.5), ("awake", 10_000, 5.0)]


def test_hands_find_a_world_in_which_nothing_is_planned() -> None:
    world = World()

    async def story() -> None:
        come = asyncio.Event()
        world.clock.later(7, lambda: world.pace.post(come.set))
        await come.wait()
        world.note("come")

    world.play(story)
    assert world.seen == [("come", 7000, 7.0)]


def test_time_stands_still_and_hands_are_served_all_the_same() -> None:
    world = World()
    pace, clock = world.pace, world.clock
    clock.later(1, lambda: pace.post(pace.pause))
    clock.later(5, lambda: pace.post(world.note, "hand"))
    clock.later(6, lambda: world.note(f"reads {pace.reading().at_ms - START_MS}"))
    clock.later(8, lambda: pace.post(pace.go_on))

    async def story() -> None:
        await asyncio.sleep(3)
        world.note("awake")

    world.play(story)
    assert world.seen == [("hand", 1000, 5.0), ("reads 1000", 1000, 6.0), ("awake", 3000, 10.0)]
    assert not pace.paused


def test_to_go_on_while_time_passes_changes_nothing() -> None:
    world = World()
    pace, clock = world.pace, world.clock
    clock.later(1.5, lambda: pace.post(pace.go_on))
    clock.later(2, lambda: pace.post(pace.pause))
    clock.later(3, lambda: pace.post(pace.pause))
    clock.later(4, lambda: pace.post(pace.go_on))
    world.plan(5000)
    world.until(1)
    assert world.seen == [("plan 5000", 5000, 7.0)]


def test_a_step_is_one_moment() -> None:
    world = World()
    pace, clock = world.pace, world.clock
    world.plan(1000, 2000, 2000, 3000)
    pace.pause()
    clock.later(1, lambda: pace.post(pace.step))
    clock.later(2, lambda: world.note("still"))
    clock.later(3, lambda: pace.post(pace.step))
    clock.later(4, lambda: pace.post(pace.go_on))
    world.until(5)
    assert world.seen == [
        ("plan 1000", 1000, 1.0),
        ("still", 1000, 2.0),
        ("plan 2000", 2000, 3.0),
        ("plan 2000", 2000, 3.0),
        ("plan 3000", 3000, 5.0),
    ]


def test_a_step_goes_on_until_it_is_enough() -> None:
    world = World()
    pace, clock = world.pace, world.clock
    world.plan(1000, 2000, 3000)
    pace.pause()
    clock.later(1, lambda: pace.post(pace.step, lambda: len(world.seen) == 2))
    clock.later(2, lambda: pace.post(pace.go_on))
    world.until(3)
    assert [one[1:] for one in world.seen] == [(1000, 1.0), (2000, 1.0), (3000, 3.0)]


def test_another_rate_counts_from_now() -> None:
    world = World()
    pace = world.pace
    world.clock.later(2, lambda: pace.post(pace.set_rate, 4.0))
    world.plan(10_000)
    world.until(1)
    assert world.seen == [("plan 10000", 10_000, 4.0)]
    assert pace.rate == 4.0


def test_a_rate_can_be_chosen_while_time_stands_still() -> None:
    world = World()
    pace = world.pace
    pace.pause()
    pace.set_rate(10.0)
    assert pace.reading() == Reading(START_MS, 0)
    world.plan(10_000)
    world.clock.later(1, lambda: pace.post(pace.go_on))
    world.until(1)
    assert world.seen == [("plan 10000", 10_000, 2.0)]


def test_who_is_late_by_little_makes_up_for_it() -> None:
    world = World()

    def work() -> None:
        world.clock.at_s += SLIP_S / 2

    world.agenda.after(1000, work)
    world.plan(1100, 2000)
    world.until(2)
    assert world.seen == [("plan 1100", 1100, 1 + SLIP_S / 2), ("plan 2000", 2000, 2.0)]
    assert world.pace.slipped_s == 0


def test_who_is_late_by_much_skips_nothing_and_time_slips() -> None:
    world = World()

    def work() -> None:
        world.clock.at_s += 5

    world.agenda.after(1000, work)
    world.plan(1100, 2000)
    world.until(2)
    assert world.seen == [("plan 1100", 1100, 6.0), ("plan 2000", 2000, 6.9)]
    assert world.pace.slipped_s == pytest.approx(4.9)


def test_a_world_that_is_let_go_ends_though_time_stands_still() -> None:
    world = World()
    world.pace.pause()
    world.clock.later(1, world.pace.let_go)

    async def story() -> None:
        await asyncio.sleep(3600)

    world.play(story)
    assert world.clock.slept_s == 1


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan])
def test_time_does_not_go_back(rate: float) -> None:
    with pytest.raises(UsageError, match="no rate of time"):
        Pace(Agenda(0), rate)


def test_the_clock_on_the_wall_sleeps_until_somebody_rings() -> None:
    clock = WallClock()
    clock.sleep(0.0)
    before_s = clock.now_s()
    threading.Thread(target=clock.ring).start()
    clock.sleep(math.inf)
    assert clock.now_s() >= before_s
