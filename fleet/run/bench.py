"""Where operators work on their devices: in a hall where all stand ready, or batch by batch on a bench.

From a shelf, a batch is laid on the bench, switched on and reset, and put back in the dark when it is
done with; what could not be unbound today waits for a code at once when it is laid there again. On a
bench there is room for one batch.
"""

from collections.abc import Sequence
from typing import Protocol

from fleet.run.scenario import SHELF
from fleet.run.stage import Stage, is_off, is_waiting, reset_all
from fleet.run.work import Job


class Workplace(Protocol):
    """One operator's."""

    batches_max: int  # that can be under way at the same time

    async def lay(self, jobs: Sequence[Job]) -> None:
        """Return when devices are ready for a code, as far as they will ever be."""
        ...

    async def clear(self, jobs: Sequence[Job]) -> list[Job]:
        """Put devices back; return those that were not ready for that."""
        ...


class Hall:
    """Everything is switched on and has been reset; nothing is moved."""

    batches_max = 4

    async def lay(self, jobs: Sequence[Job]) -> None:
        """Do nothing: they are."""

    async def clear(self, jobs: Sequence[Job]) -> list[Job]:  # noqa: ARG002 - a bench has a use for it
        """Do nothing: they stay."""
        return []


class Bench:
    """Has power for one batch."""

    batches_max = 1

    def __init__(self, stage: Stage) -> None:
        """Begin with nothing on it."""
        self._stage = stage

    async def lay(self, jobs: Sequence[Job]) -> None:
        """Switch devices on; hold the buttons of those that were not reset yet, while they boot."""
        stage = self._stage
        stage.hands.power([job.unit.index for job in jobs], on=True)
        late = await self._reset([job.unit.index for job in jobs if not job.reset])
        known = [job.unit.index for job in jobs if job.reset]
        late += await self._reset(await stage.watch.until_all(known, is_waiting, stage.patience_s))
        for job in jobs:
            job.reset = job.unit.index not in late

    async def _reset(self, indices: Sequence[int]) -> tuple[int, ...]:
        stage = self._stage
        if not indices:
            return ()
        return await reset_all(stage.hands, stage.watch, stage.population, indices)

    async def clear(self, jobs: Sequence[Job]) -> list[Job]:
        """Switch devices off when they wait again, or patience is over; return when it is dark.

        Who has lost its power may have to reset itself still, and one that is put away before that
        keeps its keys: it has to be taken up once more. In the dark nobody takes an old light for a
        new one.
        """
        stage = self._stage
        indices = [job.unit.index for job in jobs]
        late = await stage.watch.until_all(indices, is_waiting, stage.patience_s)
        stage.hands.power(indices, on=False)
        await stage.watch.until_all(indices, is_off, stage.patience_s)
        return [job for job in jobs if job.unit.index in late]


def workplace(stage: Stage) -> Workplace:
    """Return where an operator works in this scenario."""
    return Bench(stage) if stage.population.scenario.start == SHELF else Hall()
