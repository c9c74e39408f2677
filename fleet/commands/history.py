"""`fleet app history`, `quotas` and `cancel`: what the Developer app shows besides unbinding."""

from collections import deque

import msgspec
import typer
from rich.console import Console

from fleet.app.console_client import ConsoleClient
from fleet.app.follow import history_rows
from fleet.app.messages import HistoryRow
from fleet.commands.access import Access
from fleet.commands.login import logged_in
from fleet.commands.screen import history_table, quota_table


class Filter(msgspec.Struct, frozen=True):
    """Which rows to show: the latest `limit` of a batch and a status, "" for all of them."""

    batch: str = ""
    status: str = ""
    limit: int = 100


async def show_history(access: Access, wanted: Filter, screen: Console, *, as_json: bool) -> int:
    """Print operations, oldest first, as a table or as one JSON object per line."""
    async with logged_in(access, ConsoleClient) as console:
        found = history_rows(console, batch=wanted.batch, status=wanted.status)
        rows: deque[HistoryRow] = deque(maxlen=wanted.limit)
        async for row in found:
            rows.append(row)
    if as_json:
        for row in rows:
            typer.echo(msgspec.json.encode(row))
    else:
        screen.print(history_table(rows))
    return 0


async def show_quotas(access: Access, screen: Console) -> int:
    """Print what may still be unbound today, by this account and of each product."""
    async with logged_in(access, ConsoleClient) as console:
        screen.print(quota_table(await console.quotas()))
    return 0


async def cancel_batch(access: Access, batch: str, screen: Console) -> int:
    """Make the token of a batch worthless."""
    async with logged_in(access, ConsoleClient) as console:
        await console.cancel(batch)
    screen.print(f"batch {batch} is cancelled")
    return 0
