"""How the phone's commands look in a terminal: lines, tables, a status line that comes and goes.

Width is cut only where a person looks: into a pipe or a file, rows go out unbroken.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from firmware_sim.wire.discovery import ACTIVE_NO, ACTIVE_YES
from fleet.app.finder import Found, Heard
from fleet.app.handover import Delivery
from fleet.app.messages import HistoryRow, OwnedDevice, Quotas, UnbindToken

_WIDTH_WITHOUT_TERMINAL = 240
_ACTIVE = {ACTIVE_NO: "not activated", ACTIVE_YES: "activated"}


def make_screen() -> Console:
    """Return the console on standard output."""
    width = None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL
    # Names come from strangers: "[red]" and ":smile:" are texts like any other.
    return Console(width=width, highlight=False, markup=False, emoji=False)


def clock(time_ms: int) -> str:
    """Return an instant as UTC, to the second."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def outcome(row: HistoryRow) -> Text:
    """Return how an operation ended, in the colour of good or bad news."""
    if row.status == "ok":
        return Text("ok", style="green")
    return Text(f"{row.status}: {row.reason}" if row.reason else row.status, style="red")


def token_status(token: UnbindToken, now_ms: int) -> str:
    """Return what is left of a token: devices and time."""
    left_s = max(0, token.expires_ms - now_ms) // 1000
    return (
        f"batch {token.batch}: used {token.used} of {token.max_devices}, "
        f"expires in {left_s // 60}:{left_s % 60:02}"
    )


def happening(row: HistoryRow) -> Text:
    """Return one history row as a line of a running log."""
    line = Text.assemble(clock(row.time_ms)[11:], f"  {row.uuid or row.dev_id}  ")
    return line.append_text(outcome(row))


def history_table(rows: Iterable[HistoryRow]) -> Table:
    """Return the operation history as a table."""
    table = _table("time (UTC)", "operation", "method", "batch", "device", "product", "outcome")
    for row in rows:
        table.add_row(
            clock(row.time_ms),
            row.operation,
            row.method,
            row.batch,
            row.uuid or row.dev_id,
            row.product_id,
            outcome(row),
        )
    return table


def quota_table(quotas: Quotas) -> Table:
    """Return the quotas of a day as a table, the account's own first."""
    table = _table("scope", "name", "used", "limit", "left")
    own = quotas.account
    lines = [("account", "", own.used, own.limit)]
    lines += [("product", of.product_id, of.used, of.limit) for of in quotas.products]
    for scope, name, used, limit in lines:
        table.add_row(scope, name, str(used), str(limit), str(max(0, limit - used)))
    table.caption = f"day {quotas.day}"
    return table


def found_table(devices: Iterable[Found]) -> Table:
    """Return the devices found on the LAN, numbered from 1 for selection."""
    table = _table("no.", "uuid", "product", "address", "")
    for number, found in enumerate(devices, 1):
        note = f"announced from {found.source_ip}" if found.foreign_source else ""
        table.add_row(str(number), found.uuid, found.product_id, found.ip, note)
    return table


def heard_table(devices: Iterable[Heard]) -> Table:
    """Return all devices on the LAN, with what they say of their state."""
    table = _table("device", "product", "address", "version", "state", "")
    for heard in devices:
        state = _ACTIVE.get(heard.active, f"active {heard.active}")
        if heard.awaits_token:
            state = "waits for a token"
        note = f"announced from {heard.source_ip}" if heard.foreign_source else ""
        table.add_row(heard.id, heard.product_id, heard.ip, heard.version, state, note)
    return table


def owned_table(devices: Iterable[OwnedDevice]) -> Table:
    """Return an end user's devices as a table."""
    table = _table("device", "uuid", "product", "name", "")
    for device in devices:
        state = Text("online", style="green") if device.online else Text("offline")
        table.add_row(device.dev_id, device.uuid, device.product_id, device.name, state)
    return table


def delivery_line(found: Found, delivery: Delivery) -> Text:
    """Return how handing a token to one device ended."""
    line = Text(f"{found.uuid}  {found.ip}  token ")
    line.append(delivery.outcome.value, style="green" if delivery.accepted else "red")
    return line.append(f" ({delivery.detail})" if delivery.detail else "")


def summary(outcomes: Counter[str]) -> str:
    """Return counts in one line, the largest first."""
    return (
        ", ".join(f"{name} {count}" for name, count in outcomes.most_common()) or "no device came"
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
