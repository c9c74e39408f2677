"""Days of the quota: when they turn, how many are left, and what that means for tickets."""

import asyncio

import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from fleet.run.calendar import Calendar, arrivals
from fleet.run.scenario import Campaign, Tampered
from tests.run.fakes import small

HOUR_MS = 3_600_000
NEW_YEAR_MS = 1_767_225_600_000  # 2026-01-01T00:00Z


class Clock:
    def __init__(self, now_ms: int = NEW_YEAR_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


@pytest.mark.parametrize(
    ("offset_min", "days"),
    [
        (0, ("2026-01-01", "2026-01-01", "2026-01-02")),
        (-1, ("2025-12-31", "2026-01-01", "2026-01-02")),
        (840, ("2026-01-01", "2026-01-02", "2026-01-02")),
        (-720, ("2025-12-31", "2025-12-31", "2026-01-01")),
    ],
)
def test_a_day_turns_where_the_quota_is(offset_min: int, days: tuple[str, ...]) -> None:
    clock = Clock()
    calendar = Calendar(offset_min, 1, clock.now_ms)
    found = []
    for hours in (0, 11, 25):
        clock.ms = NEW_YEAR_MS + hours * HOUR_MS
        found.append(calendar.today)
    assert tuple(found) == days


def test_a_day_has_no_tomorrow_and_asks_for_all_at_once() -> None:
    calendar = Calendar(0, 1, Clock().now_ms)
    assert calendar.days_left == 1
    assert calendar.limit(27, used=100) == 127
    assert not calendar.can_wait(1, per_day=100)
    assert calendar.can_wait(0, per_day=100)


def test_more_is_asked_for_the_fewer_days_are_left() -> None:
    clock = Clock()
    calendar = Calendar(0, 10, clock.now_ms)
    assert calendar.limit(901, used=100) == 101
    assert calendar.limit(900, used=100) == 100
    assert calendar.can_wait(900, per_day=100)
    assert not calendar.can_wait(901, per_day=100)
    clock.ms += 8 * 24 * HOUR_MS
    assert (calendar.days_left, calendar.limit(900, used=100)) == (2, 500)
    clock.ms += 8 * 24 * HOUR_MS
    assert (calendar.days_left, calendar.limit(900, used=0)) == (1, 900), "late, and not over"


def test_a_new_day_comes_a_moment_after_midnight() -> None:
    agenda = Agenda(NEW_YEAR_MS)
    woken: list[int] = []

    async def story() -> None:
        calendar = Calendar(30, 2, lambda: agenda.now_ms)
        for _ in range(2):
            await calendar.next_day()
            woken.append(agenda.now_ms - NEW_YEAR_MS)

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(agenda)) as runner:
        runner.run(story())
    first_ms = 24 * HOUR_MS - 30 * 60_000 + 1000
    assert woken == [first_ms, first_ms + 24 * HOUR_MS]


def test_devices_arrive_evenly_on_the_first_days() -> None:
    population = small(10, start="shelf", campaign=Campaign(days=5, arrive_days=3))
    assert [len(day) for day in arrivals(population)] == [4, 3, 3]
    assert [unit for day in arrivals(population) for unit in day] == list(population.units)


def test_what_gets_into_trouble_first_does_not_arrive() -> None:
    population = small(10, tampered=Tampered(devices=2))
    [day] = arrivals(population)
    assert len(day) == 8
    assert not any(unit.trouble for unit in day)
