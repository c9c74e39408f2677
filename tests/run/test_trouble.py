import asyncio
from typing import Any, cast

import pytest

from fleet.app import qr
from fleet.app.consumer import ConsumerClient
from fleet.run import trouble
from fleet.run.attempt import Batch, attempt
from fleet.run.population import Population, Unit
from fleet.run.scenario import Trouble
from fleet.run.stage import Stage
from fleet.run.trouble import Troublemakers
from tests.run.fakes import MiniApp, MiniCloud, MiniConsole, MiniWorld, small

ALL = Trouble(token_full=1, token_dead=2, no_permission=1, wifi_password=1, already_bound=1)


class Playground:
    """People who make trouble, and what they made."""

    def __init__(self, population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
        self.population = population
        self.cloud = MiniCloud(population)
        self.world = MiniWorld(population, self.cloud)
        self.operator = MiniConsole(self.cloud, "owner@maker")
        self.purchaser = MiniConsole(self.cloud, population.purchaser.name)
        self.returned: list[Unit] = []
        monkeypatch.setattr(trouble, "sign_in", self._sign_in)

    async def _sign_in(self, _: Any, person: Any) -> ConsumerClient:
        return cast("ConsumerClient", MiniApp(self.world, person.uid))

    def play(self, *, used_up: bool = True) -> Stage:
        """Let all trouble happen; `used_up`: an operator has used up a code before."""
        stage = self.world.stage()

        async def story() -> None:
            code: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
            if used_up:
                code.set_result(await self._use_up_a_code(stage))
            makers = Troublemakers(stage, self.operator.client, self.purchaser.client, code)
            await makers.all(self.returned.extend)

        asyncio.run(story())
        return stage

    async def _use_up_a_code(self, stage: Stage) -> Batch:
        unit = next(u for u in self.population.units if not u.trouble and not u.product.wired)
        token = await self.operator.unbind_token("qr", max_devices=1)
        batch = Batch((unit,), token, qr.payload("Rückläufer", "returns-2024", token.token))
        [result] = await attempt(stage, self.operator.client, batch)
        assert result.released
        return batch


def test_every_trouble_happens_and_gives_its_devices_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Playground(small(24, trouble=ALL), monkeypatch)
    stage = ground.play()
    assert stage.tally.refused == {
        "token_full": 1,
        "token_dead": 2,
        "no_permission": 1,
        "already_bound": 1,
    }
    in_trouble = {unit.index for unit in ground.population.units if unit.trouble}
    assert {unit.index for unit in ground.returned} == in_trouble
    assert len(in_trouble) == 6
    released = {uuid for uuid, owner in ground.cloud.owners.items() if not owner}
    assert not released & {unit.uuid for unit in ground.returned}
    assert len(ground.operator.cancelled) == 1


def test_a_power_cut_in_between_makes_them_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Playground(small(24, trouble=Trouble(token_dead=1)), monkeypatch)
    [unit] = [unit for unit in ground.population.units if unit.trouble]
    ground.world.hang.add(unit.index)
    assert ground.play().tally.refused == {"token_dead": 1}


def test_they_give_up_on_a_device_that_never_reacts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "TRIES", 2)
    ground = Playground(small(24, trouble=Trouble(wifi_password=1)), monkeypatch)
    [unit] = [unit for unit in ground.population.units if unit.trouble]
    ground.world.deaf.add(unit.index)
    ground.play()
    assert ground.returned == [unit]
    assert len(ground.operator.cancelled) == 2


def test_no_trouble_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Playground(small(24), monkeypatch)
    ground.play(used_up=False)
    assert (ground.returned, ground.world.log) == ([], [])


def test_without_a_used_up_code_the_device_goes_to_the_pile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ground = Playground(small(24, trouble=Trouble(token_full=1)), monkeypatch)
    ground.play(used_up=False)
    assert [unit.trouble for unit in ground.returned] == ["token_full"]
    assert ground.world.log == []
