"""`fleet app search`: who is on this LAN, whatever state they are in."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer
from rich.console import Console

from fleet.app.address import ipv4
from fleet.app.lan_caller import Asking, own_broadcasts
from fleet.app.lan_client import LanSearch
from fleet.commands.access import network_of
from fleet.commands.screen import heard_table
from fleet.commands.selection import in_order


class Plan(msgspec.Struct, frozen=True):
    """For how long to search, for devices of which network, and whom to ask."""

    search_s: float
    network: str
    asking: Asking


def plan(ready: Path | None, search_s: float, broadcasts: Sequence[str], answer_ip: str) -> Plan:
    """Return the search that the options describe; raises `UsageError`."""
    whom = tuple(ipv4(ip) for ip in broadcasts) or own_broadcasts()
    asking = Asking(whom, ipv4(answer_ip) if answer_ip else "")
    return Plan(search_s, network_of(ready), asking)


async def search(plan: Plan, screen: Console, *, as_json: bool) -> int:
    """Print the devices as a table or as one JSON object per line; return 1 if there are none."""
    async with LanSearch(network=plan.network, asking=plan.asking) as running:
        with screen.status(f"searching the LAN for {plan.search_s:g} s ..."):
            await asyncio.sleep(plan.search_s)
    finder = running.finder
    devices = in_order(finder.heard)
    if as_json:
        for device in devices:
            typer.echo(msgspec.json.encode(device))
        return int(not devices)
    if devices:
        screen.print(heard_table(devices))
    screen.print(f"devices: {len(devices)}, waiting for a token: {len(finder.found)}")
    if finder.unreadable:
        screen.print(f"datagrams that were no announcements: {finder.unreadable}")
    return int(not devices)
