"""A second voice at the address of a virtual device reaches the cloud, and is refused when it is away."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from firmware_sim.rng import Rng
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.trace import Trace
from fleet.app.errors import CloudUnreachable
from fleet.run.virtual.crew import Crew
from fleet.run.virtual.sights import make_sight
from fleet.run.voice import DONE, Voice
from tests.run.fakes import small

START_MS = 1_767_225_600_000
POPULATION = small(4)
UNIT = POPULATION.units[0]


def play(story: Callable[[Crew, Voice], Coroutine[Any, Any, None]]) -> None:
    async def prepared() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        crew = Crew(POPULATION, loop.agenda, make_sight("model", "pyzbar"), Trace())
        await crew.start()
        profile = POPULATION.profile(UNIT)
        door = crew.door(UNIT.index)
        await story(crew, Voice(door, profile, UNIT.product.product_id, Rng(1), crew.now_ms))

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(START_MS))) as runner:
        runner.run(prepared())


def test_it_calls_and_connects_beside_a_device_that_is_off() -> None:
    async def story(crew: Crew, voice: Voice) -> None:
        began_ms = crew.now_ms()
        assert await voice.exists(UNIT.dev_id, UNIT.sec_key)
        assert crew.now_ms() > began_ms, "it takes a way there and back"
        assert await voice.knock(UNIT.dev_id, UNIT.sec_key) == DONE
        assert crew.world.device(UNIT.index).lifecycle.name == "OFF"
        assert crew.world.traffic(UNIT.index) == (0, 0), "it was not the device"

    play(story)


def test_faults_on_the_device_s_link_are_not_ours() -> None:
    async def story(crew: Crew, voice: Voice) -> None:
        from firmware_sim.runtime.faults import BlackHole

        crew.world.strike(UNIT.index, BlackHole(for_ms=60_000))
        assert await voice.exists(UNIT.dev_id, UNIT.sec_key)

    play(story)


def test_nobody_answers_while_the_cloud_is_away() -> None:
    async def story(crew: Crew, voice: Voice) -> None:
        crew.cloud.crash()
        with pytest.raises(CloudUnreachable, match="ConnectionRefusedError"):
            await voice.exists(UNIT.dev_id, UNIT.sec_key)
        with pytest.raises(CloudUnreachable, match="no connection"):
            await voice.knock(UNIT.dev_id, UNIT.sec_key)

    play(story)
