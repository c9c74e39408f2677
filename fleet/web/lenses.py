"""Holding a code to simulated cameras: somebody at the bench, since a page cannot walk there.

The code is taken away from a lens as soon as that has read it, or when the arm gets tired.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager

import msgspec

from firmware_sim.errors import UsageError
from fleet.run.population import Population, Unit
from fleet.run.stage import Hands, is_waiting
from fleet.run.watch import REMOVED, Watch

HOLD_S = 10.0
UNBIND = "unbind"
CAMERAS_SHOWN_MAX = 300
CAMERAS_AT_ONCE_MAX = 30


class Camera(msgspec.Struct, frozen=True):
    """A camera of this fleet: what its light says to an operator, and whether it looks for codes."""

    uuid: str
    product: str
    reading: str
    light: str
    ready: bool


class Lenses:
    """The cameras of one fleet, and who holds a code to which of them."""

    def __init__(
        self,
        population: Callable[[], Population],
        hands: Hands,
        watch: Watch,
        hold_s: float = HOLD_S,
    ) -> None:
        """Look at the fleet as it is now, whenever it is asked for."""
        self._population = population
        self._hands = hands
        self._watch = watch
        self._hold_s = hold_s
        self._held: dict[int, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Take all codes away at the end."""
        try:
            yield
        finally:
            held, self._held = self._held, {}
            for task in held.values():
                task.cancel()
            await asyncio.gather(*held.values(), return_exceptions=True)
            self._hands.show(list(held), None)

    def cameras(self) -> tuple[Camera, ...]:
        """Return cameras, those first that look for a code and were not unbound yet."""
        cameras = [self._camera(unit) for unit in self._units()]
        cameras.sort(key=lambda one: (not one.ready, one.reading == "unbound"))
        return tuple(cameras[:CAMERAS_SHOWN_MAX])

    def hold(self, uuids: Iterable[str], payload: bytes, batch: str) -> int:
        """Hold the code of a batch to cameras; return how many see it now, those that look for one.

        Raises UsageError when that is none, or they are too many for one hand.
        """
        wanted = dict.fromkeys(uuids)
        if len(wanted) > CAMERAS_AT_ONCE_MAX:
            raise UsageError(f"at most {CAMERAS_AT_ONCE_MAX} cameras see one screen")
        indices = [
            unit.index
            for unit in self._units()
            if unit.uuid in wanted and is_waiting(self._watch.last[unit.index])
        ]
        if not indices:
            raise UsageError("none of these looks for a code now; hold the reset button first")
        self._watch.begin_batch(batch, indices)
        self._hands.intend(indices, UNBIND)
        self._hands.show(indices, payload)
        for index in indices:
            before = self._held.pop(index, None)
            if before is not None:
                before.cancel()
            self._held[index] = asyncio.create_task(self._take_away(index))
        return len(indices)

    def begin_batch(self, batch: str, uuids: Iterable[str]) -> None:
        """Let everybody who looks at devices know which batch these are in now."""
        wanted = frozenset(uuids)
        units = self._population().units
        self._watch.begin_batch(batch, [unit.index for unit in units if unit.uuid in wanted])

    async def _take_away(self, index: int) -> None:
        """Take the code away once it is read; whoever shows another one has taken this away."""
        try:
            await self._watch.until_all([index], lambda seen: not is_waiting(seen), self._hold_s)
        finally:
            if self._held.get(index) is asyncio.current_task():
                del self._held[index]
                self._hands.show([index], None)

    def _units(self) -> Iterator[Unit]:
        """Yield the cameras that are there."""
        last = self._watch.last
        for unit in self._population().units:
            if not unit.product.wired and last[unit.index].cause != REMOVED:
                yield unit

    def _camera(self, unit: Unit) -> Camera:
        seen = self._watch.last[unit.index]
        return Camera(
            uuid=unit.uuid,
            product=unit.product.name,
            reading=seen.operator,
            light=seen.light,
            ready=is_waiting(seen),
        )
