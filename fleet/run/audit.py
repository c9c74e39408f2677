"""The checker's side of the cloud: the registry's and the quotas' books, the whole history, apps."""

from collections.abc import Iterable

import httpx
import msgspec

from firmware_sim.errors import Malformed
from fleet.app.carrier import trust_in
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.consumer import ConsumerClient
from fleet.app.errors import CloudUnreachable
from fleet.app.follow import history_rows
from fleet.app.messages import HistoryRow
from fleet.cloud.api.admin_api import Audit
from fleet.run.checks.evidence import App
from fleet.run.population import Person, Population

PATH = "/admin/v1/audit"
AUDIT_SIZE_MAX = 64 << 20  # some 200 bytes per device
TIMEOUT_S = 30.0
APPS_MAX = 12  # of the next owners, and as many of the first ones: each is a login


class _Envelope(msgspec.Struct):
    success: bool
    result: Audit | None = None
    code: str = ""


async def fetch_audit(url: str, admin_secret: str, ca_file: str = "") -> Audit:
    """Return the books of the cloud at `url`; `ca_file` as in `CloudLink`.

    Raises CloudUnreachable, or Malformed when the answer is not an audit.
    """
    head = {"Authorization": f"Bearer {admin_secret}"}
    try:
        async with httpx.AsyncClient(
            timeout=TIMEOUT_S, trust_env=False, verify=trust_in(url, ca_file)
        ) as client:
            response = await client.get(url + PATH, headers=head)
    except httpx.TransportError as error:
        raise CloudUnreachable(f"{url}: no audit ({error!r}); is the cloud running?") from error
    return read_audit(response.content)


def read_audit(body: bytes) -> Audit:
    """Return the audit in a reply. Raises Malformed when there is none."""
    try:
        envelope = msgspec.json.decode(body[:AUDIT_SIZE_MAX], type=_Envelope)
    except msgspec.DecodeError as error:
        raise Malformed(f"audit: {error}") from error
    if envelope.result is None:
        raise Malformed(f"audit: the cloud refused ({envelope.code or 'no reason'})")
    return envelope.result


async def fetch_history(maker: ConsoleClient) -> list[HistoryRow]:
    """Return every row that the owner of all products sees, oldest first."""
    return [row async for row in history_rows(maker)]


async def fetch_apps(
    link: CloudLink, population: Population, rebound: Iterable[int]
) -> tuple[App, ...]:
    """Return what the apps of some owners show: of first ones, and of those of `rebound` units."""
    units = population.units
    asked = [(unit.index, unit.owner, False) for unit in units[:APPS_MAX]]
    for index in sorted(rebound)[:APPS_MAX]:
        new_owner = units[index].new_owner
        assert new_owner is not None, "somebody has rebound it"
        asked.append((index, new_owner, True))
    return tuple([App(index, new, await _shown(link, person)) for index, person, new in asked])


async def _shown(link: CloudLink, person: Person) -> tuple[str, ...]:
    client = await ConsumerClient.login(link, person.name, person.password)
    return tuple(device.uuid for device in await client.devices())
