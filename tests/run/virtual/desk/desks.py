"""A desk in a loop of virtual time that waits for nothing, and what is told at it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from fleet.run.virtual.desk.happenings import Happening, Shown, Told
from fleet.run.virtual.desk.phones import Phones
from fleet.run.virtual.desk.scene import Desk

T = TypeVar("T")
START_MS = 1_767_225_600_000


class Set:
    """A desk with phones, and everything that was told."""

    def __init__(self, profile: str = "ipc-red-green") -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.agenda = loop.agenda
        self.told: list[Happening] = []
        self.desk = Desk(profile, loop.agenda, self.told.append)
        self.desk.start()
        self.phones = Phones(self.desk)

    @property
    def lights(self) -> list[str]:
        """Return the lights in their order, each once as long as it stays."""
        seen = [one.light for one in self.told if isinstance(one, Shown)]
        return [light for i, light in enumerate(seen) if i == 0 or seen[i - 1] != light]

    def said(self, who: str) -> list[str]:
        return [one.text for one in self.told if isinstance(one, Told) and one.who == who]


def play(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(START_MS))) as runner:
        return runner.run(story())
