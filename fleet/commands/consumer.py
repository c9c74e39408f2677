"""`fleet app pair`, `devices` and `remove`: what an end user does with the consumer app."""

import asyncio
from pathlib import Path

from rich.console import Console
from rich.text import Text

from firmware_sim.wire.provisioning import TokenForm
from fleet.app.consumer import ConsumerClient, register
from fleet.app.finder import Found
from fleet.app.lan_client import send_token
from fleet.app.messages import PairResult
from fleet.commands.access import Access
from fleet.commands.login import logged_in, open_link
from fleet.commands.screen import delivery_line, owned_table
from fleet.commands.unbind import Show, Wifi, choose_wired, in_terminal

# The vendor's SDK asks every 2 s and gives up after 100 s ("Network Pairing Management").
POLL_S = 2.0
PAIR_S = 100.0


async def new_user(access: Access, screen: Console) -> int:
    """Create the end user that `access` names."""
    async with open_link(access) as link:
        uid = await register(link, access.name, access.password)
    screen.print(f"{access.name} is registered as {uid}")
    return 0


async def pair_by_qr(
    access: Access,
    wifi: Wifi,
    picture: Path | None,
    wait_s: float,
    screen: Console,
    show: Show | None = None,
) -> int:
    """Show a pairing code and wait for a device; return 0 once one is bound, else 1.

    `show` is where the code is shown; else in the terminal, and in the file `picture` if given.
    """
    show = show or in_terminal(picture, screen)
    async with logged_in(access, ConsumerClient) as consumer:
        token = (await consumer.pair_token()).token
        show(wifi.code(token))
        return await _await_device(consumer, token, wait_s, screen)


async def pair_by_wire(
    access: Access, search_s: float, selection: str, wait_s: float, screen: Console
) -> int:
    """Search, select and pair one device after the other; return 0 if all were bound, else 1."""
    async with logged_in(access, ConsumerClient) as consumer:
        worst = 0
        for found in await choose_wired(search_s, selection, screen, access.network):
            worst |= await pair_found(consumer, found, found.form(), wait_s, screen)
        return worst


async def pair_found(
    consumer: ConsumerClient, found: Found, form: TokenForm, wait_s: float, screen: Console
) -> int:
    """Pair one device that waits for a token; return 0 once it is bound, else 1."""
    token = (await consumer.pair_token()).token  # one token binds one device
    delivery = await send_token(found.ip, token, form=form)
    screen.print(delivery_line(found, delivery))
    return await _await_device(consumer, token, wait_s, screen) if delivery.accepted else 1


async def list_devices(access: Access, screen: Console) -> int:
    """Print the end user's devices."""
    async with logged_in(access, ConsumerClient) as consumer:
        screen.print(owned_table(await consumer.devices()))
    return 0


async def remove_device(access: Access, dev_id: str, screen: Console, *, wipe: bool) -> int:
    """Unbind one device of the end user."""
    async with logged_in(access, ConsumerClient) as consumer:
        await consumer.remove(dev_id, wipe=wipe)
    screen.print(f"{dev_id} is removed{' and its data wiped' if wipe else ''}")
    return 0


async def _await_device(
    consumer: ConsumerClient, token: str, wait_s: float, screen: Console
) -> int:
    try:
        async with asyncio.timeout(wait_s):
            with screen.status("waiting for the device ..."):
                result = await _first_result(consumer, token)
    except TimeoutError:
        screen.print(f"no device came within {wait_s:g} s")
        return 1
    for paired in result.success:
        screen.print(Text(f"{paired.uuid}  bound as {paired.dev_id}", style="green"))
    for failure in result.failed:
        screen.print(Text(f"{failure.uuid}  {failure.code}: {failure.msg}", style="red"))
    return 0 if result.success else 1


async def _first_result(consumer: ConsumerClient, token: str) -> PairResult:
    while True:
        result = await consumer.pair_result(token)
        if result.success or result.failed:
            return result
        await asyncio.sleep(POLL_S)
