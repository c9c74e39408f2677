"""Turns the watchers of a run in virtual time on: all of them, those that cost little, or none."""

from enum import StrEnum
from typing import TYPE_CHECKING

from fleet.run.checks.scene import Checker, Scene
from fleet.run.checks.table import INVARIANTS
from fleet.run.population import Population

if TYPE_CHECKING:
    from fleet.run.virtual.crew import Crew

WATCHED_DEVICES_MAX = 2_000
"""In a larger fleet only the cheap watchers are on, unless somebody asks for more."""


class Extent(StrEnum):
    """How much is watched while a run goes on; the end is always checked."""

    NONE = "none"
    CHEAP = "cheap"
    ALL = "all"


def usual(devices: int) -> Extent:
    """Return how much is watched of a fleet of that size."""
    return Extent.ALL if devices <= WATCHED_DEVICES_MAX else Extent.CHEAP


class Watchers:
    """All watchers of one run. Make it before the crew starts.

    Those of push messages take part in the run (`push_consumer`), so its trace is another one with
    them; no other changes anything.
    """

    def __init__(self, population: Population, crew: "Crew", extent: Extent) -> None:
        """Attach the watchers; without any, nothing is attached."""
        self._scene = Scene(population, crew)
        self.findings = self._scene.findings
        watched = [
            (invariant.name, invariant.watcher)
            for invariant in INVARIANTS
            if invariant.watcher is not None
            and (extent is Extent.ALL or (extent is Extent.CHEAP and invariant.cheap))
        ]
        self.names = tuple(name for name, _ in watched)
        self._watchers = [watcher(self._scene) for _, watcher in watched]
        if not watched:
            return
        crew.cloud.disk.written.append(self._scene.books.take)
        for watcher in (self._scene.doors, *self._watchers):
            self._attach(watcher)

    def _attach(self, watcher: object) -> None:
        for name, place in Checker.HOOKS.items():
            hook = getattr(watcher, name, None)
            if callable(hook):
                place(self._scene).append(hook)

    async def end(self) -> None:
        """Wait for what takes its time when a run is over, and look once more."""
        for watcher in self._watchers:
            settle = getattr(watcher, "settle", None)
            if settle is not None:
                await settle()
        for watcher in self._watchers:
            ended = getattr(watcher, "ended", None)
            if ended is not None:
                ended()
