"""Samples as CSV, written while they are sent, and bounded for all callers together.

A window of a minute at the highest rate is two megabytes of text; hundreds who ask for one at once,
or do not read what they have asked for, cost no more than the numbers of `SAMPLES_MAX` samples.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from firmware_sim.bench.endpoints.calls import Budget
from firmware_sim.bench.trace import Floats

SAMPLES_MAX = 6_000_000
"""On order and on their way: a minute at 100 Hz for each of a thousand devices."""

ROWS = 500  # in one piece; others get a turn in between


async def table(
    header: str, columns: Callable[[], Awaitable[Sequence[Floats]]], count: int, orders: Budget
) -> Response:
    """Return the answer with what `columns` gives, about `count` samples; Busy when all have too much.

    The samples are on order from now until the last of them is sent.
    """
    orders.take(count)
    try:
        return _Table(header, np.column_stack(await columns()), lambda: orders.give(count))
    except BaseException:
        orders.give(count)
        raise


class _Table(Response):
    """Rows below a header; `sent` is told when nobody needs them any more."""

    media_type = "text/csv"

    def __init__(self, header: str, rows: Floats, sent: Callable[[], None]) -> None:
        super().__init__(f"{header}\n")
        del self.headers["content-length"]
        self._rows = rows
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - of the interface
        """Send them, as fast as they are read."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _send(send, self.body)
            for at in range(0, len(self._rows), ROWS):
                await _send(send, _csv(self._rows[at : at + ROWS]))
                await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._sent()


async def _send(send: Send, body: bytes | memoryview) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _csv(rows: Floats) -> bytes:
    row = ",".join(("%.4f", *["%.5g"] * (rows.shape[1] - 1))) + "\n"
    return (row * len(rows) % tuple(rows.ravel().tolist())).encode()
