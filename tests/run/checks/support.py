"""Small runs in virtual time, with all watchers, and with defects that are planted in them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.trace import Trace
from fleet.cloud.settings import Settings
from fleet.run.checks.scene import Scene
from fleet.run.checks.watching import Extent, Watchers
from fleet.run.faults import FaultTable
from fleet.run.population import Population
from fleet.run.scenario import Trouble
from fleet.run.virtual.command import START_MS, Play
from fleet.run.virtual.crew import Crew
from fleet.run.virtual.push_line import PushLines
from fleet.run.virtual.sights import make_sight
from tests.run.fakes import small

Plant = Callable[[pytest.MonkeyPatch], None]
CRASHES = (FaultTable("cloud_down", during="unbind", for_s=1, at_s=2, every_s=3),)
TROUBLE = Trouble(token_full=1, token_dead=1, no_permission=1, already_bound=1)


def few(**changes: Any) -> Population:
    """Return eight devices that meet every refusal; half of them find new owners."""
    usual: dict[str, Any] = {
        "trouble": TROUBLE, "rebind_every": 2, "patience_s": 20, "tries_max": 4,
    }  # fmt: skip
    return small(8, **(usual | changes))


def play(extent: Extent = Extent.ALL, **changes: Any) -> Play:
    """Play a small run to its end."""
    played = Play(few(**changes), make_sight("model", "pyzbar"), lambda _: None, extent=extent)
    played.play()
    assert played.aborted == ""
    return played


def violations(**changes: Any) -> list[str]:
    played = play(**changes)
    assert played.run is not None
    return played.run.violations


@cache
def _violations_of_a_good_run(faults: tuple[FaultTable, ...]) -> list[str]:
    return violations(faults=faults)


def planted(plant: Plant, faults: tuple[FaultTable, ...] = (), **changes: Any) -> list[str]:
    """Return what is found in a run with a defect; without it, there is nothing to be found."""
    good = violations(faults=faults, **changes) if changes else _violations_of_a_good_run(faults)
    assert good == []
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        return violations(faults=faults, **changes)


def watched(story: Callable[[Crew], Awaitable[None]], **changes: Any) -> list[str]:
    """Return what watchers find in a story about a few devices, which are powered at home."""

    async def tell(agenda: Agenda) -> list[str]:
        crew = Crew(few(**changes), agenda, make_sight("model", "pyzbar"), Trace())
        watchers = Watchers(few(**changes), crew, Extent.ALL)
        await crew.start()
        crew.power(range(8), on=True)
        await asyncio.sleep(10)
        await story(crew)
        await watchers.end()
        return watchers.findings.lines()

    agenda = Agenda(START_MS)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(agenda)) as runner:
        return runner.run(tell(agenda))


class NoCrew:
    """A crew that does nothing, at no time."""

    def __init__(self, settings: Settings) -> None:
        self.agenda = Agenda(0)
        push = PushLines(self.agenda, lambda: False, lambda _: None)
        self.cloud = SimpleNamespace(settings=settings, push=push)


def a_scene(**settings: Any) -> Scene:
    """Return what watchers share when nobody is there; what is written is up to the test."""
    return Scene(few(), cast("Crew", NoCrew(Settings(**settings))))


def says(found: list[str], name: str, text: str) -> bool:
    """Say whether one of the violations of an invariant contains a text."""
    return any(line.startswith(f"{name}: ") and text in line for line in found)
