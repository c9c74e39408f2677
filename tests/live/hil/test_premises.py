"""The cloud of a bench, in a loop that runs fast: it answers, knows its people, and ends."""

import asyncio

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live.scaled import ScaledLoop
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.hil.premises import population_of, premises
from fleet.run.population import Network

WIFI = Network("bench", "bench-wifi")


@pytest.mark.parametrize("bound", [True, False])
def test_it_knows_everybody_and_ends_with_its_block(bound: bool) -> None:
    async def main() -> None:
        population = population_of("nvr", 2, WIFI, 1)
        assert population.warehouse == WIFI
        assert all(unit.new_owner is not None for unit in population.units)
        async with premises(population, bound=bound) as here, CloudLink(here.ready.url) as link:
            person = population.operators[0]
            client = await ConsoleClient.login(link, person.name, person.password)
            assert (await client.unbind_token("wired", max_devices=1)).token
            assert not here.ended.done()
        assert here.ended.done()

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(20)) as runner:
        runner.run(main())


def test_its_clock_is_the_loops() -> None:
    async def main() -> int:
        population = population_of("nvr", 1, WIFI, 1)
        async with premises(population, bound=True) as here, CloudLink(here.ready.url) as link:
            person = population.operators[0]
            client = await ConsoleClient.login(link, person.name, person.password)
            first = await client.unbind_token("wired", life_s=3600)
            await asyncio.sleep(100)
            second = await client.unbind_token("wired", life_s=3600)
            return second.expires_ms - first.expires_ms

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(100)) as runner:
        assert runner.run(main()) >= 100_000


def test_what_cannot_be_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="--count 0"):
        population_of("nvr", 0, WIFI, 1)


def test_a_cloud_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise UsageError("no port is free")

    monkeypatch.setattr("fleet.hil.premises.serve_cloud", refuse)

    async def main() -> None:
        async with premises(population_of("nvr", 1, WIFI, 1), bound=True):
            raise AssertionError

    with pytest.raises(UsageError, match="no port is free"):
        asyncio.run(main())
