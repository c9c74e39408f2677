"""`fleet app unbind`: release a batch of devices by QR code or by wire and watch each of them.

The operator's side of batch unbinding: get a token, bring it to the devices (the lens reads the
QR code; the LAN carries the token to wired ones), follow the history until the batch is done.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import typer
from rich.console import Console

from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.app.console_client import ConsoleClient
from fleet.app.finder import Found
from fleet.app.follow import follow
from fleet.app.lan_client import search, send_tokens
from fleet.app.messages import HistoryRow, UnbindToken
from fleet.commands.access import Access, ask_secret
from fleet.commands.login import logged_in
from fleet.commands.screen import delivery_line, found_table, happening, summary, token_status
from fleet.commands.selection import in_order, select

DEVICES_PER_TOKEN_MAX = 30
Show = Callable[[bytes], None]
"""Shows the code that holds these bytes to devices."""


class Wifi(msgspec.Struct, frozen=True):
    """The network that devices are to join."""

    ssid: str
    password: str

    def code(self, token_text: str) -> bytes:
        """Return what is in the QR code that brings devices into this network with a token."""
        return qr.payload(self.ssid, self.password, token_text)

    def __repr__(self) -> str:
        """Show the network, never the password."""
        return f"Wifi(ssid={self.ssid!r}, password=***)"


def asked_wifi(ssid: str, password: str | None) -> Wifi:
    """Return the Wi-Fi that was named; its password is asked for when it was not given.

    Raises UsageError when it has no name, or nobody can be asked.
    """
    if not ssid:
        raise UsageError("which Wi-Fi are the devices to join? give --ssid NAME")
    if password is None:
        password = ask_secret(
            f"Wi-Fi password of {ssid}", "give --wifi-password or set FLEET_WIFI_PASSWORD"
        )
    return Wifi(ssid, password)


class Batch(msgspec.Struct, frozen=True):
    """How large a batch may get, how long its token lives, how long it is followed.

    `life_s` None: as the cloud likes. `wait_s` None: until the token is used up or dead.
    """

    max_devices: int = DEVICES_PER_TOKEN_MAX
    life_s: int | None = None
    wait_s: float | None = None


async def by_qr(
    access: Access,
    wifi: Wifi,
    batch: Batch,
    picture: Path | None,
    screen: Console,
    show: Show | None = None,
) -> int:
    """Show the QR code, follow the batch; return 0 if no device was refused, else 1.

    `show` is where the code is shown; else in the terminal, and in the file `picture` if given.
    """
    show = show or in_terminal(picture, screen)
    async with logged_in(access, ConsoleClient) as console:
        token = await console.unbind_token("qr", max_devices=batch.max_devices, life_s=batch.life_s)
        show(wifi.code(token.token))
        screen.print(f"{token_status(token, _now_ms())}; Ctrl-C stops watching, not the token")
        watch = Watch(screen)
        await watch.run(console, token, batch.wait_s)
        return watch.report()


async def by_wire(
    access: Access, batch: Batch, search_s: float, selection: str, screen: Console
) -> int:
    """Search, select, hand out tokens, follow; return 0 if each selected device was unbound.

    More devices than one token may release go in several batches, one after the other.
    """
    async with logged_in(access, ConsoleClient) as console:
        chosen = await choose_wired(search_s, selection, screen, access.network)
        watch = Watch(screen)
        for first in range(0, len(chosen), batch.max_devices):
            part = chosen[first : first + batch.max_devices]
            await _release_by_wire(console, part, batch, watch, screen)
        return watch.report(expected=len(chosen))


def in_terminal(picture: Path | None, screen: Console) -> Show:
    """Return what shows a QR code in the terminal and writes it to `picture`, if given."""
    if picture is not None:
        qr.check_picture_path(picture)

    def show(code: bytes) -> None:
        screen.print(qr.terminal_text(code), end="", soft_wrap=True)
        if picture is not None:
            qr.save(code, picture)
            screen.print(f"written to {picture}", soft_wrap=True)

    return show


async def choose_wired(
    search_s: float, selection: str, screen: Console, network: str
) -> list[Found]:
    """Search the LAN `network` for `search_s` and return the devices that are to get a token.

    An empty `selection` asks the operator. Raises `UsageError` when there is nothing to choose
    from, or nobody to ask.
    """
    with screen.status(f"searching the LAN for {search_s:g} s ..."):
        devices = in_order(await search(search_s, network=network))
    if not devices:
        raise UsageError(
            f"no device waits to be activated by wire (searched {search_s:g} s); "
            "is it reset, powered and on this LAN?"
        )
    screen.print(found_table(devices))
    return select(devices, selection or _ask_selection())


def _ask_selection() -> str:
    if not sys.stdin.isatty():
        raise UsageError("which devices? give --select all, or numbers such as 1,3-5")
    answer: str = typer.prompt("Which (all, 1,3-5)", err=True)
    return answer


async def _release_by_wire(
    console: ConsoleClient, devices: list[Found], batch: Batch, watch: "Watch", screen: Console
) -> None:
    token = await console.unbind_token("wired", max_devices=len(devices), life_s=batch.life_s)
    screen.print(token_status(token, _now_ms()))
    deliveries = await send_tokens(
        devices,
        token.token,
        on_delivery=lambda found, delivery: screen.print(delivery_line(found, delivery)),
    )
    reached = frozenset(
        found.uuid for found, delivery in zip(devices, deliveries, strict=True) if delivery.accepted
    )
    if reached:
        await watch.run(console, token, batch.wait_s, reached)


class Watch:
    """What is shown while batches are followed, and how it ended for each device.

    A device that was refused may come again; what counts is how it ended last.
    """

    def __init__(self, screen: Console) -> None:
        """Show everything on `screen`."""
        self._screen = screen
        self._outcomes: dict[str, str] = {}

    @property
    def seen(self) -> frozenset[str]:
        """The uuids of all devices that came so far."""
        return frozenset(self._outcomes)

    async def run(
        self,
        console: ConsoleClient,
        token: UnbindToken,
        wait_s: float | None,
        expected: frozenset[str] | None = None,
    ) -> None:
        """Follow `token` for `wait_s` at most: until all `expected` came, or until it is spent."""
        try:
            async with asyncio.timeout(wait_s):
                with self._screen.status(token_status(token, _now_ms())) as line:
                    async for progress in follow(console, token.batch):
                        for row in progress.rows:
                            self._take(row)
                        line.update(token_status(progress.token, _now_ms()))
                        if expected is None and not progress.token.alive(_now_ms()):
                            return
                        if expected is not None and expected <= self.seen:
                            return
        except TimeoutError:
            self._screen.print(f"stopped watching batch {token.batch} after {wait_s:g} s")

    def report(self, expected: int | None = None) -> int:
        """Print the counts; return 0 if nobody was refused and nobody expected is missing."""
        outcomes = Counter(self._outcomes.values())
        missing = 0 if expected is None else expected - outcomes.total()
        if missing > 0:
            outcomes["not seen"] = missing
        self._screen.print(summary(outcomes))
        return int(bool(set(outcomes) - {"unbound"}))

    def _take(self, row: HistoryRow) -> None:
        self._outcomes[row.uuid] = "unbound" if row.status == "ok" else f"refused {row.reason}"
        self._screen.print(happening(row))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
