"""The admin API: what the checker of a run asks of a cloud to compare it with the devices.

It is closed unless the settings give it a secret, because it shows everybody's devices.
"""

import msgspec

from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.counters import Counters
from fleet.cloud.history import Unbound
from fleet.cloud.quotas import Quota
from fleet.cloud.state import State


class AuditedDevice(msgspec.Struct, frozen=True):
    """A device as the registry and the broker know it; no keys."""

    uuid: str
    dev_id: str
    product_id: str
    owner: str
    online: bool
    pending_reset: str


class Audit(msgspec.Struct, frozen=True):
    """Everything that a checker compares: bindings, quotas, and what the history says."""

    devices: list[AuditedDevice]
    quotas: list[Quota]
    unbound_ok: list[Unbound]


class Stats(msgspec.Struct, frozen=True):
    """Counts since the start: of the server, of the services by name; MQTT clients right now."""

    server: Counters
    services: dict[str, int]
    mqtt_clients: int


class AdminApi:
    """Handlers of the admin API."""

    def __init__(self, link: DeviceLink, counters: Counters) -> None:
        """Ask `link` who is online; `counters` are those of the server around the cloud."""
        self._link = link
        self._counters = counters

    def routes(self) -> tuple[Route, ...]:
        """Return the table of this API."""
        return (
            Route("GET", "/admin/v1/audit", Access.ADMIN, self.audit),
            Route("GET", "/admin/v1/stats", Access.ADMIN, self.stats),
        )

    def audit(self, state: State, _call: Call) -> Audit:
        """Show all devices, all quotas in use, and the count of what was unbound."""
        return audit(state, self._link)

    def stats(self, state: State, _call: Call) -> Stats:
        """Show what server and services counted since the start."""
        return Stats(self._counters, dict(sorted(state.counts.items())), self._link.clients)


def audit(state: State, link: DeviceLink) -> Audit:
    """Return all devices, all quotas in use, and the count of what was unbound."""
    devices = [
        AuditedDevice(
            uuid=device.uuid,
            dev_id=device.dev_id,
            product_id=device.product_id,
            owner=device.owner,
            online=link.online(device),
            pending_reset="" if device.reset_told else device.pending_reset,
        )
        for device in state.devices.all()
    ]
    return Audit(devices, state.quotas.all(), state.history.unbound())
