"""The pile of devices that wait to be unbound, and which operator takes which next.

No clock and no network: operators come for a batch, and bring back what they could not do. Who
has used up the day's account quota passes its share on to the others; when nobody has any left,
everybody is sent for a ticket.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import Enum, auto

import msgspec

from fleet.run.population import Unit


class Job(msgspec.Struct, eq=False):
    """One device to unbind; `batches` are those that it was in so far, `tries` counts them."""

    unit: Unit
    tries: int = 0
    batches: list[str] = []


class Errand(Enum):
    """What else an operator may be sent for."""

    TICKET = auto()  # have your account quota raised, then come back
    HOME = auto()  # all work is done


class WorkList:
    """Shared by all operators of a run; for one event loop."""

    def __init__(
        self,
        units: Iterable[Unit],
        operators: int,
        tries_max: int,
        on_done: Callable[[Unit], None] = lambda _: None,
    ) -> None:
        """Expect each of `units` to be added and finished in the end; `on_done` gets each."""
        self._own: list[dict[bool, deque[Job]]] = [
            {False: deque(), True: deque()} for _ in range(operators)
        ]
        self._common: dict[bool, deque[Job]] = {False: deque(), True: deque()}
        self._spent: set[int] = set()
        self._ticket_due: set[int] = set()
        self._changed = asyncio.Event()
        self._tries_max = tries_max
        self._on_done = on_done
        self._unfinished: Counter[str] = Counter(unit.product.product_id for unit in units)
        self.given_up: list[Unit] = []

    @property
    def left(self) -> int:
        """Return how many devices are neither unbound nor given up."""
        return self._unfinished.total()

    def left_of(self, product_id: str) -> int:
        """Return how many devices of one product are neither unbound nor given up."""
        return self._unfinished[product_id]

    # --- bringing -------------------------------------------------------------------------------

    def add(self, units: Iterable[Unit]) -> None:
        """Put devices on the piles of the operators that they are meant for."""
        for unit in units:
            self._put(Job(unit))
        self._changed.set()

    def again(self, jobs: Iterable[Job]) -> None:
        """Bring back what did not work for a reason that is out of the way now."""
        for job in jobs:
            job.tries += 1
            if job.tries < self._tries_max:
                self._put(job)
            else:
                self.given_up.append(job.unit)
                self._finish(job.unit)
        self._changed.set()

    def done(self, unit: Unit) -> None:
        """One device is unbound."""
        self._finish(unit)
        self._on_done(unit)
        self._changed.set()

    def spent(self, operator: int) -> None:
        """Operator has used up its account quota: its pile is for the others."""
        self._spent.add(operator)
        for wired, jobs in self._own[operator].items():
            self._common[wired].extend(jobs)
            jobs.clear()
        if len(self._spent) == len(self._own):
            self._ticket_due |= self._spent
        self._changed.set()

    def refilled(self, operator: int) -> None:
        """Operator came back with a ticket."""
        self._spent.discard(operator)
        self._ticket_due.discard(operator)

    def _finish(self, unit: Unit) -> None:
        self._unfinished[unit.product.product_id] -= 1

    def _put(self, job: Job) -> None:
        operator = job.unit.operator
        pile = self._common if operator in self._spent else self._own[operator]
        pile[job.unit.product.wired].append(job)

    # --- fetching -------------------------------------------------------------------------------

    async def take(self, operator: int, count_max: int) -> list[Job] | Errand:
        """Return the next batch, all by QR or all by wire; wait while there is nothing to do."""
        while self.left:
            if operator in self._ticket_due:
                return Errand.TICKET
            if operator not in self._spent:
                batch = self._batch(operator, count_max)
                if batch:
                    return batch
            self._changed.clear()
            await self._changed.wait()
        return Errand.HOME

    def _batch(self, operator: int, count_max: int) -> list[Job]:
        """Return the own pile's devices first, then those that others have left."""
        own = self._own[operator]
        waiting = {wired: len(own[wired]) + len(self._common[wired]) for wired in (False, True)}
        wired = waiting[True] > waiting[False]
        batch: list[Job] = []
        for pile in (own[wired], self._common[wired]):
            while pile and len(batch) < count_max:
                batch.append(pile.popleft())
        return batch
