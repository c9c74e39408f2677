"""Where batches lie: nothing to do in a hall, power and buttons and darkness on a bench."""

import asyncio
from typing import Any

import pytest

from fleet.run import stage as stages
from fleet.run.bench import Bench, Hall, workplace
from fleet.run.work import Job
from tests.run.fakes import MiniCloud, MiniWorld, small

POPULATION = small(4, start="shelf")


def shelf() -> tuple[MiniWorld, list[Job]]:
    world = MiniWorld(POPULATION, MiniCloud(POPULATION))
    for index in range(4):
        world.enter(index, "OFF", "off", "")
    return world, [Job(unit) for unit in POPULATION.units]


def did(world: MiniWorld, what: str) -> list[tuple[Any, ...]]:
    return [entry[1:] for entry in world.log if entry[0] == what]


def test_the_scenario_says_where_operators_work() -> None:
    world, _ = shelf()
    assert isinstance(workplace(world.stage()), Bench)
    homes = small(4)
    assert isinstance(workplace(MiniWorld(homes, MiniCloud(homes)).stage()), Hall)


def test_nothing_is_touched_in_a_hall() -> None:
    world, jobs = shelf()
    hall = Hall()
    asyncio.run(hall.lay(jobs))
    asyncio.run(hall.clear(jobs))
    assert (world.log, hall.batches_max) == ([], 4)


def test_a_batch_is_switched_on_reset_and_put_back_in_the_dark() -> None:
    world, jobs = shelf()
    bench = Bench(world.stage())
    asyncio.run(bench.lay(jobs[:2]))
    assert did(world, "power") == [(0, True), (1, True)]
    assert sorted(index for entry in did(world, "hold") for index in entry[0]) == [0, 1]
    assert [job.reset for job in jobs] == [True, True, False, False]
    asyncio.run(bench.clear(jobs[:2]))
    assert did(world, "power")[2:] == [(0, False), (1, False)]
    assert [seen.lifecycle for seen in world.watch.last[:2]] == ["OFF", "OFF"]


def test_who_was_reset_is_not_held_again() -> None:
    world, jobs = shelf()
    bench = Bench(world.stage())
    asyncio.run(bench.lay(jobs[:2]))
    asyncio.run(bench.clear(jobs[:2]))
    world.log.clear()
    asyncio.run(bench.lay(jobs[:3]))
    assert [entry[0] for entry in did(world, "hold")] == [(2,)]


def test_who_does_not_wait_though_it_was_reset_is_held_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stages, "RESET_SLACK_S", -100.0)
    world, jobs = shelf()
    monkeypatch.setattr(world, "power", lambda *_, **__: None)  # the bench is dark
    jobs[0].reset = True
    asyncio.run(Bench(world.stage()).lay(jobs[:1]))
    assert len(did(world, "hold")) == stages.RESET_TRIES
    assert not jobs[0].reset


def test_nothing_is_put_away_before_it_waits_again() -> None:
    world, jobs = shelf()
    bench = Bench(world.stage())

    async def story() -> None:
        await bench.lay(jobs[:1])
        world.enter(0, "RESETTING", "resetting", "unbinding")
        clearing = asyncio.ensure_future(bench.clear(jobs[:1]))
        await asyncio.sleep(0)
        assert did(world, "power") == [(0, True)]
        world.enter(0, "WAITING", "unbound", "unbound")
        await clearing

    asyncio.run(story())
    assert did(world, "power") == [(0, True), (0, False)]
