"""The pile of devices that wait to be unbound, and which operator takes which next.

No clock and no network: operators come for a batch, and bring back what they could not do. Who
has used up the day's account quota passes its share on to the others; when nobody has any left,
all of them go home until the next day, or for a ticket if what is left cannot wait. A product whose
quota is used up rests until the next day, unless its owner gets more by ticket.

Whoever comes in vain sleeps until there is something to do: in a large fleet most devices are put
down, and most operators are waiting, for days.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import Enum, auto

import msgspec

from fleet.run.pace import Pace
from fleet.run.population import Unit


class Job(msgspec.Struct, eq=False):
    """One device to unbind; `batches` are those that it was in so far, `tries` counts its failures.

    `reset` says that it was seen to wait for a code.
    """

    unit: Unit
    tries: int = 0
    batches: list[str] = []
    reset: bool = False


class Errand(Enum):
    """What else an operator may be sent for."""

    TICKET = auto()  # have your account quota raised, then come back
    HOME = auto()  # all work is done


Pile = dict[bool, deque[Job]]  # by whether it is wired


def _empty() -> Pile:
    return {False: deque(), True: deque()}


class WorkList:
    """Shared by all operators of a run; for one event loop."""

    def __init__(
        self,
        units: Iterable[Unit],
        operators: int,
        tries_max: int,
        on_done: Callable[[Unit], None] = lambda _: None,
        *,
        coming: int = 0,
        can_wait: Callable[[int], bool] = lambda _: False,
        pace: Pace | None = None,
    ) -> None:
        """Expect each of `units` to be added and finished in the end; `on_done` gets each.

        So many more are `coming` on later days. `can_wait(count)` says whether that many devices can
        be left to the days to come. Operators take what `pace` lets them, else all they can.
        """
        self._pace = pace or Pace(operators)
        self._pace.listen(self._look_again)
        self._own = [_empty() for _ in range(operators)]
        self._common = _empty()
        self._resting: list[Job] = []  # of products whose quota is used up today
        self._absent: set[int] = set()
        self._spent: set[int] = set()
        self._ticket_due: set[int] = set()
        self._closed: set[str] = set()
        self._changed = asyncio.Event()
        self._tries_max = tries_max
        self._on_done = on_done
        self._can_wait = can_wait
        self._coming = coming
        self._unfinished: Counter[str] = Counter(unit.product.product_id for unit in units)
        self.left = self._unfinished.total()  # of those that have come
        self.given_up: list[Unit] = []

    def left_of(self, product_id: str) -> int:
        """Return how many devices of one product, of those that have come, are not finished."""
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

    def put_off(self, jobs: Iterable[Job]) -> None:
        """Bring back what a quota has stopped, which is not the device's fault."""
        for job in jobs:
            self._put(job)

    def done(self, unit: Unit) -> None:
        """One device is unbound."""
        self._finish(unit)
        self._on_done(unit)

    def _finish(self, unit: Unit) -> None:
        self._unfinished[unit.product.product_id] -= 1
        self.left -= 1
        if not self.left:
            self._changed.set()

    def _put(self, job: Job) -> None:
        operator = job.unit.operator
        pile = self._common if operator in self._spent else self._own[operator]
        pile[job.unit.product.wired].append(job)
        self._changed.set()

    # --- quotas ---------------------------------------------------------------------------------

    def spent(self, operator: int) -> None:
        """Operator has used up its account quota: its pile is for the others."""
        self._spent.add(operator)
        for wired, jobs in self._own[operator].items():
            self._common[wired].extend(jobs)
            jobs.clear()
        if self._spent.issuperset(range(self._pace.operators)) and not self._can_wait(self.left):
            self._ticket_due |= self._spent
        self._changed.set()

    def refilled(self, operator: int) -> None:
        """Operator came back with a ticket."""
        self._spent.discard(operator)
        self._ticket_due.discard(operator)

    def close(self, product_id: str) -> None:
        """Let what is left of a product rest until the next day."""
        self._closed.add(product_id)

    def new_day(self, units: Iterable[Unit] = ()) -> None:
        """Begin a day: all quotas are there again, and `units` of those that were coming.

        Operators take nothing more before they `come`.
        """
        self._absent.update(range(len(self._own)))
        self._spent.clear()
        self._ticket_due.clear()
        self._closed.clear()
        resting, self._resting = self._resting, []
        self.put_off(resting)
        come = tuple(units)
        self._coming -= len(come)
        self._unfinished.update(unit.product.product_id for unit in come)
        self.left += len(come)
        self.add(come)

    def come(self, operator: int) -> None:
        """Operator begins the day."""
        self._absent.discard(operator)
        self._changed.set()

    def _look_again(self) -> None:
        self._changed.set()

    # --- fetching -------------------------------------------------------------------------------

    async def take(self, operator: int, count_max: int) -> list[Job] | Errand:
        """Return the next batch, all by QR or all by wire; wait while there is nothing to do."""
        while self.left or self._coming:
            here = operator not in self._absent and self._pace.lets(operator)
            if here and operator in self._ticket_due:
                return Errand.TICKET
            if here and operator not in self._spent:
                batch = self._batch(operator, self._pace.batch_max or count_max)
                if batch:
                    return batch
            self._changed.clear()
            await self._changed.wait()
        return Errand.HOME

    def _batch(self, operator: int, count_max: int) -> list[Job]:
        """Return the own pile's devices first, then those that others have left."""
        piles = (self._own[operator], self._common, *self._own[self._pace.operators :])
        waiting = {wired: sum(len(pile[wired]) for pile in piles) for wired in (False, True)}
        more = waiting[True] > waiting[False]
        for wired in (more, not more):
            batch: list[Job] = []
            for pile in piles:
                self._fetch(pile[wired], batch, count_max)
            if batch:
                return batch
        return []

    def _fetch(self, pile: deque[Job], batch: list[Job], count_max: int) -> None:
        while pile and len(batch) < count_max:
            job = pile.popleft()
            resting = job.unit.product.product_id in self._closed
            (self._resting if resting else batch).append(job)
