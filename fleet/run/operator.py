"""An after-sales operator: takes batches from the pile and unbinds them, whatever comes in the way.

What the history gives as the reason decides what is done: a dead or full code is replaced, a
spent account hands over to the next, a spent product gets a ticket or rests until the next day, a
missing right is a matter for somebody who has it. A light that failed without a row in the history
never reached the cloud: the Wi-Fi did not take it. A device may have been unbound by an earlier batch
after all, when its power was back; then its light says so, or the cloud that it is nobody's, and the
earlier batch's history is looked up. One that shows the light of an owner's device was never reset:
the button is held again.
"""

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum, auto

import msgspec

from fleet.app import qr
from fleet.app.console_client import ConsoleClient
from fleet.app.follow import history_rows
from fleet.app.messages import HistoryRow, Ticket
from fleet.run.attempt import Batch, Result, Verdict, attempt
from fleet.run.bench import Workplace
from fleet.run.calendar import Calendar
from fleet.run.stage import Stage, hold_reset, is_kept
from fleet.run.tally import QR, WIRED
from fleet.run.work import Errand, Job, WorkList

OK = "ok"
ACCOUNT_QUOTA = "account_quota"
PRODUCT_QUOTA = "product_quota"
QUOTAS = (ACCOUNT_QUOTA, PRODUCT_QUOTA)


class Room(Enum):
    """What is to be done about a product whose quota has refused a device."""

    THERE = auto()  # nothing: there is room
    MADE = auto()  # nothing more: a ticket has made room
    TOMORROW = auto()  # wait: what is left can be done on the days that are left


class Office:
    """What only the products' owner can do: raise product quotas, and look into everybody's history."""

    def __init__(self, maker: ConsoleClient, calendar: Calendar) -> None:
        """Speak as `maker`, who owns all products and plans by `calendar`."""
        self._maker = maker
        self._calendar = calendar
        self._lock = asyncio.Lock()

    async def room_for(self, product_id: str, count: int) -> Room:
        """See to it that `count` more devices can be unbound in time, by ticket if they must.

        One ticket per product and need, however many ask.
        """
        async with self._lock:
            quotas = await self._maker.quotas()
            quota = next(one for one in quotas.products if one.product_id == product_id)
            limit = self._calendar.limit(count, quota.used)
            if limit > quota.limit:
                await self._maker.ticket(Ticket("product", product_id, limit))
                return Room.MADE
            return Room.THERE if quota.used < quota.limit else Room.TOMORROW

    async def released_before(self, job: Job) -> HistoryRow | None:
        """Return the row by which an earlier batch has released the device after all, if one has."""
        for batch in job.batches:
            async for row in history_rows(self._maker, batch=batch, status=OK):
                if row.uuid == job.unit.uuid:
                    return row
        return None


class Operator:
    """One account at work; `number` is its place in the work list."""

    def __init__(
        self,
        stage: Stage,
        console: ConsoleClient,
        number: int,
        work: WorkList,
        office: Office,
        place: Workplace,
        on_used_up: Callable[[Batch], None] = lambda _: None,
    ) -> None:
        """Work as `console` at `place`; `on_used_up` gets every QR code that has released all it may."""
        self._stage = stage
        self._console = console
        self._number = number
        self._work = work
        self._office = office
        self._on_used_up = on_used_up
        self._place = place
        self._gate = asyncio.Semaphore(place.batches_max)
        self._raised = 0

    async def run(self) -> None:
        """Work until the pile is gone."""
        batch_max = self._stage.population.scenario.batch_max
        async with asyncio.TaskGroup() as group:
            while True:
                await self._gate.acquire()
                jobs = await self._work.take(self._number, batch_max)
                if isinstance(jobs, list):
                    presented = asyncio.Event()
                    group.create_task(self._unbind(jobs, presented))
                    await presented.wait()
                    continue
                self._gate.release()
                if jobs is Errand.HOME:
                    return
                await self._raise_account()

    async def _unbind(self, jobs: list[Job], presented: asyncio.Event) -> None:
        raised = self._raised
        try:
            await self._place.lay(jobs)
            jobs = await self._still_bound(jobs)
            if not jobs:
                return
            self._reset_again(jobs)
            batch = await self._batch(jobs)
            results = await attempt(self._stage, self._console, batch, presented)
            if batch.payload is not None and all(result.released for result in results):
                self._on_used_up(batch)
            unready = await self._place.clear(jobs)
            await self._settle(jobs, results, batch.token.batch, raised, unready)
        finally:
            presented.set()
            self._gate.release()

    async def _still_bound(self, jobs: list[Job]) -> list[Job]:
        """Put aside what already shows that it is unbound, once the history has confirmed it."""
        left = []
        for job in jobs:
            seen = self._stage.watch.last[job.unit.index]
            row = None
            if seen.operator == "unbound":
                row = await self._office.released_before(job)
            if row is None:
                left.append(job)
            else:
                unready = await self._place.clear([job])
                note_result(self._stage, Result(job.unit, Verdict.UNBOUND, seen.light, row))
                self._finish(job, unready)
        return left

    def _reset_again(self, jobs: list[Job]) -> None:
        """Hold the buttons of those that an earlier attempt has shown not to wait for a code."""
        last = self._stage.watch.last
        kept = [job.unit.index for job in jobs if job.tries and is_kept(last[job.unit.index])]
        hold_reset(self._stage.hands, self._stage.population, kept)

    async def _batch(self, jobs: list[Job]) -> Batch:
        wired = jobs[0].unit.product.wired
        token = await self._console.unbind_token(WIRED if wired else QR, max_devices=len(jobs))
        warehouse = self._stage.population.warehouse
        payload = qr.payload(warehouse.ssid, warehouse.password, token.token)
        return Batch(tuple(job.unit for job in jobs), token, None if wired else payload)

    def _finish(self, job: Job, unready: list[Job]) -> None:
        """Hand over a device that is unbound, unless it has yet to notice that."""
        if job in unready:
            self._work.again([job])
        else:
            self._work.done(job.unit)

    async def _settle(
        self,
        jobs: list[Job],
        results: Iterable[Result],
        batch: str,
        raised: int,
        unready: list[Job],
    ) -> None:
        """Do what each reason asks for, and bring the devices of a batch back to the pile.

        `raised` counts the account's tickets when the batch began: what was refused before the
        latest one, or on another day, says nothing about the quota of now.
        """
        again: list[Job] = []
        stopped: list[Job] = []
        asked: dict[str, None] = {}  # the owner is told of each product once
        for job, result in zip(jobs, results, strict=True):
            released = note_result(self._stage, await self._explained(job, result))
            if released:
                job.batches.append(batch)
                self._finish(job, unready)
                continue
            if result.reason == ACCOUNT_QUOTA:
                if raised == self._raised and result.day == self._stage.calendar.today:
                    self._work.spent(self._number)
            elif result.reason == PRODUCT_QUOTA and job.unit.product.product_id not in asked:
                asked[job.unit.product.product_id] = None
                await self._make_room(job.unit.product.product_id)
            job.batches.append(batch)
            (stopped if result.reason in QUOTAS else again).append(job)
        self._work.put_off(stopped)
        self._work.again(again)

    async def _explained(self, job: Job, result: Result) -> Result:
        """Return a result with the row of an earlier batch that has released the device after all.

        Of one that a quota has stopped there is none: it was found to be bound before that.
        """
        if result.released or result.reason in QUOTAS:
            return result
        row = await self._office.released_before(job)
        return result if row is None else msgspec.structs.replace(result, row=row)

    async def _make_room(self, product_id: str) -> None:
        room = await self._office.room_for(product_id, self._work.left_of(product_id))
        if room is Room.MADE:
            self._stage.tally.tickets += 1
        elif room is Room.TOMORROW:
            self._work.close(product_id)

    async def _raise_account(self) -> None:
        quota = (await self._console.quotas()).account
        limit = max(quota.limit, self._stage.calendar.limit(self._work.left, quota.used))
        await self._console.ticket(Ticket("account", self._console.name, limit))
        self._stage.tally.tickets += 1
        self._raised += 1
        self._work.refilled(self._number)


def note_result(stage: Stage, result: Result) -> bool:
    """Enter one result into the tally; return whether the device is unbound."""
    tally = stage.tally
    if result.released:
        tally.unbound[result.unit.index] = WIRED if result.unit.product.wired else QR
    elif result.verdict is Verdict.UNBOUND:
        tally.contradictions.append(
            f"{result.unit.uuid}: light 'unbound', but the history has no such row"
        )
    elif result.reason:
        tally.refused[result.reason] += 1
    return result.released
