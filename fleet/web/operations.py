"""The operation history as pages show it: each row with its reason in words and what can be done."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleet.app.console_client import ConsoleClient
from fleet.app.messages import HistoryRow
from fleet.cloud.api.shapes import Count
from fleet.web import refusals
from fleet.web.routes import Call

ROWS_PER_PAGE = 50
Short = Annotated[str, Meta(max_length=64)]


class Operation(msgspec.Struct, frozen=True):
    """One row; `why` and `advice` are for what was refused."""

    id: int
    time_ms: int
    day: str
    operation: str
    method: str
    status: str
    account: str
    batch: str
    uuid: str
    dev_id: str
    product_id: str
    reason: str
    why: str
    advice: str
    tries: int


class OperationPage(msgspec.Struct, frozen=True):
    """Rows, the newest first; go on after `next` unless it is null."""

    rows: tuple[Operation, ...]
    next: int | None


class OperationQuery(msgspec.Struct, frozen=True):
    """Which rows: of a batch, by outcome, and after which one to go on (0: from the newest)."""

    batch: Short = ""
    status: Literal["", "ok", "refused"] = ""
    after: Count = 0


def told(row: HistoryRow) -> Operation:
    """Return a row with its reason in words."""
    return Operation(
        **msgspec.structs.asdict(row),
        why=refusals.sentence(row.reason) if row.reason else "",
        advice=refusals.advice(row.reason),
    )


async def page(account: ConsoleClient, call: Call) -> OperationPage:
    """Return the rows that the query of `call` asks for. Raises UsageError."""
    query = call.query_as(OperationQuery)
    found = await account.history(
        batch=query.batch,
        status=query.status,
        after=query.after,
        limit=ROWS_PER_PAGE,
        newest=True,
    )
    return OperationPage(tuple(map(told, found.rows)), found.next)
