"""Samples as CSV: as they were written at once, and bounded for all callers together."""

import asyncio
from collections.abc import Sequence

import httpx
import numpy as np
import pytest
from starlette.responses import Response

from firmware_sim.bench.endpoints.calls import Budget, Busy, Call, Line, make_app
from firmware_sim.bench.endpoints.tables import ROWS, table
from firmware_sim.bench.trace import Floats


def budget(most: int = 10_000) -> Budget:
    return Budget(most, "samples on order")


def sent(columns: Sequence[Floats], orders: Budget) -> httpx.Response:
    async def answer(_: Call) -> Response:
        async def sampled() -> Sequence[Floats]:
            return columns

        return await table("a,b", sampled, 10, orders)

    async def work() -> httpx.Response:
        transport = httpx.ASGITransport(app=make_app([Line("GET", "/t", answer)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as caller:
            return await caller.get("/t")

    return asyncio.run(work())


@pytest.mark.parametrize("count", [0, 1, ROWS, ROWS + 1])
def test_rows_come_whole_and_in_order(count: int) -> None:
    numbers = np.arange(count, dtype=np.float64)
    answer = sent((numbers, numbers / 3), orders := budget())
    head, *rows = answer.text.splitlines()
    assert (head, answer.headers["content-type"]) == ("a,b", "text/csv; charset=utf-8")
    assert rows == [f"{number:.4f},{number / 3:.5g}" for number in range(count)]
    assert orders.taken == 0


def test_what_is_on_order_is_bounded_for_all_together() -> None:
    async def work() -> None:
        orders, over = budget(25), asyncio.Event()

        async def sampled() -> Sequence[Floats]:
            await over.wait()
            return (np.zeros(1), np.zeros(1))

        waiting = [asyncio.create_task(table("a,b", sampled, 10, orders)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="samples on order: at most 25"):
            await table("a,b", sampled, 10, orders)
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
        assert orders.taken == 10
        over.set()
        await waiting[1]
        assert orders.taken == 10, "the answer is not sent yet"

    asyncio.run(work())
