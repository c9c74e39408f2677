"""Following one batch while devices come and go: the token's state and the new history rows.

Device by device, as the operator sees it. Polling, because that is what the phone does with a
pairing token too (every 2 s by the vendor's SDK); a lost cloud is `CloudLink`'s business.
"""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from fleet.app.console_client import ConsoleClient
from fleet.app.messages import HistoryRow, UnbindToken

PAGE_ROWS = 500


class Progress(msgspec.Struct, frozen=True):
    """The token as it is now and the rows that are new since the last time."""

    token: UnbindToken
    rows: tuple[HistoryRow, ...]


async def history_rows(
    console: ConsoleClient, *, batch: str = "", status: str = "", after: int = 0
) -> AsyncIterator[HistoryRow]:
    """Yield all rows above id `after`, oldest first, over as many pages as it takes."""
    while True:
        page = await console.history(batch=batch, status=status, after=after, limit=PAGE_ROWS)
        for row in page.rows:
            yield row
        # A cursor that does not move would be asked for again and again.
        if page.next is None or page.next <= after:
            return
        after = page.next


async def follow(
    console: ConsoleClient, batch: str, *, poll_s: float = 1.0
) -> AsyncIterator[Progress]:
    """Yield the progress of `batch` every `poll_s` until the caller has seen enough.

    The rows are asked for after the token's state, so the rows are never behind what it counts.
    """
    after = 0
    while True:
        token = await console.token_state(batch)
        rows = tuple([row async for row in history_rows(console, batch=batch, after=after)])
        if rows:
            after = rows[-1].id
        yield Progress(token, rows)
        await asyncio.sleep(poll_s)
