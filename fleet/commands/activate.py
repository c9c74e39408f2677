"""`fleet app activate`: one wired device gets a token, one that is given or one from the cloud."""

import msgspec
from rich.console import Console

from firmware_sim.errors import UsageError
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import TokenForm
from fleet.app.address import ipv4
from fleet.app.consumer import ConsumerClient
from fleet.app.finder import EVERYWHERE, Finder, Found
from fleet.app.lan_client import LanSearch, send_token
from fleet.commands.access import Access
from fleet.commands.consumer import pair_found
from fleet.commands.login import logged_in
from fleet.commands.screen import delivery_line


class Where(msgspec.Struct, frozen=True):
    """Which device it is, by uuid or address, and how to find it.

    With an `ip` it is not searched, and takes its token as `version` (by default 3.3) asks. `form`
    names another form; None leaves it to the version.
    """

    device: str
    ip: str = ""
    version: str = ""
    form: str | None = None
    search_s: float = 6.0
    network: str = EVERYWHERE

    def form_of(self, found: Found) -> TokenForm:
        """Return the form in which the device is to get its token."""
        return found.form() if self.form is None else TokenForm(self.form)


async def with_token(where: Where, token: str, screen: Console) -> int:
    """Hand over `token`; return 0 if the device took it, else 1."""
    found = await _find(where, screen)
    delivery = await send_token(found.ip, token, form=where.form_of(found))
    screen.print(delivery_line(found, delivery))
    return int(not delivery.accepted)


async def with_login(where: Where, access: Access, wait_s: float, screen: Console) -> int:
    """Bind the device to the end user that `access` names; return 0 once it is bound, else 1."""
    async with logged_in(access, ConsumerClient) as consumer:
        found = await _find(where, screen)
        return await pair_found(consumer, found, where.form_of(found), wait_s, screen)


async def _find(where: Where, screen: Console) -> Found:
    if where.ip:
        version = where.version or LanVersion.V33
        return Found(where.device, ipv4(where.ip), "", version, where.ip)
    async with LanSearch(network=where.network) as running:
        with screen.status(f"searching the LAN for {where.search_s:g} s ..."):
            await running.until(lambda finder: bool(_matches(finder, where)), where.search_s)
    return _first(_matches(running.finder, where), where)


def _matches(finder: Finder, where: Where) -> list[Found]:
    return [found for found in finder.found if where.device in (found.uuid, found.ip)]


def _first(matches: list[Found], where: Where) -> Found:
    if not matches:
        raise UsageError(
            f"{where.device} does not wait to be activated by wire (searched {where.search_s:g} s); "
            "is it reset, powered and on this LAN?"
        )
    return matches[0]
