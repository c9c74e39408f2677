"""An after-sales operator: takes batches from the pile and unbinds them, whatever comes in the way.

What the history gives as the reason decides what is done: a dead or full code is replaced, a
spent account hands over to the next, a spent product gets a ticket, a missing right is a matter
for somebody who has it. A light that failed without a row in the history never reached the
cloud: the Wi-Fi did not take it.
"""

import asyncio
from collections.abc import Callable, Iterable

from fleet.app import qr
from fleet.app.console_client import ConsoleClient
from fleet.app.messages import Ticket
from fleet.run.attempt import Batch, Result, Verdict, attempt
from fleet.run.stage import Stage
from fleet.run.tally import QR, WIRED
from fleet.run.work import Errand, Job, WorkList

ACCOUNT_QUOTA = "account_quota"
PRODUCT_QUOTA = "product_quota"
BATCHES_UNDER_WAY_MAX = 4


class Tickets:
    """Raises product quotas in the name of the products' owner: one ticket per product and need."""

    def __init__(self, maker: ConsoleClient) -> None:
        """Speak as `maker`, who owns all products."""
        self._maker = maker
        self._lock = asyncio.Lock()

    async def raise_product(self, product_id: str, count: int) -> bool:
        """Make room for `count` more devices; say whether a ticket was needed for that."""
        async with self._lock:
            quotas = await self._maker.quotas()
            quota = next(one for one in quotas.products if one.product_id == product_id)
            if quota.limit - quota.used >= count:
                return False
            await self._maker.ticket(Ticket("product", product_id, quota.used + count))
            return True


class Operator:
    """One account at work; `number` is its place in the work list."""

    def __init__(
        self,
        stage: Stage,
        console: ConsoleClient,
        number: int,
        work: WorkList,
        tickets: Tickets,
        on_used_up: Callable[[Batch], None] = lambda _: None,
    ) -> None:
        """Work as `console`; `on_used_up` gets every QR code that has released all it may."""
        self._stage = stage
        self._console = console
        self._number = number
        self._work = work
        self._tickets = tickets
        self._on_used_up = on_used_up
        self._gate = asyncio.Semaphore(BATCHES_UNDER_WAY_MAX)
        self._raised = 0

    async def run(self) -> None:
        """Work until the pile is gone."""
        batch_max = self._stage.population.scenario.batch_max
        async with asyncio.TaskGroup() as group:
            while True:
                jobs = await self._work.take(self._number, batch_max)
                if jobs is Errand.HOME:
                    return
                if jobs is Errand.TICKET:
                    await self._raise_account()
                    continue
                assert isinstance(jobs, list)
                presented = asyncio.Event()
                await self._gate.acquire()
                group.create_task(self._unbind(jobs, presented))
                await presented.wait()

    async def _unbind(self, jobs: list[Job], presented: asyncio.Event) -> None:
        raised = self._raised
        try:
            batch = await self._batch(jobs)
            results = await attempt(self._stage, self._console, batch, presented)
            if batch.payload is not None and all(result.released for result in results):
                self._on_used_up(batch)
            await self._settle(jobs, results, raised)
        finally:
            presented.set()
            self._gate.release()

    async def _batch(self, jobs: list[Job]) -> Batch:
        wired = jobs[0].unit.product.wired
        token = await self._console.unbind_token(WIRED if wired else QR, max_devices=len(jobs))
        warehouse = self._stage.population.warehouse
        payload = qr.payload(warehouse.ssid, warehouse.password, token.token)
        return Batch(tuple(job.unit for job in jobs), token, None if wired else payload)

    async def _settle(self, jobs: list[Job], results: Iterable[Result], raised: int) -> None:
        """Do what each reason asks for, and bring the devices back to the pile.

        `raised` counts the account's tickets when the batch began: what was refused before the
        latest one says nothing about the quota of now.
        """
        again = []
        for job, result in zip(jobs, results, strict=True):
            if note_result(self._stage, result):
                self._work.done(job.unit)
                continue
            if result.reason == ACCOUNT_QUOTA and raised == self._raised:
                self._work.spent(self._number)
            elif result.reason == PRODUCT_QUOTA:
                await self._raise_product(job)
            again.append(job)
        self._work.again(again)

    async def _raise_product(self, job: Job) -> None:
        product_id = job.unit.product.product_id
        if await self._tickets.raise_product(product_id, self._work.left_of(product_id)):
            self._stage.tally.tickets += 1

    async def _raise_account(self) -> None:
        quota = (await self._console.quotas()).account
        limit = max(quota.limit, quota.used + self._work.left)
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
