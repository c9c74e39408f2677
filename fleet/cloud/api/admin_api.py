"""The admin API: what whoever runs a cloud asks of it, such as the checker of a run.

It is closed unless the settings give it a secret, because it shows everybody's devices. More devices
can come here as they came with the seed, and be taken away from their owners when they are gone.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from firmware_sim.errors import UsageError
from fleet.cloud import removal
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.counters import Counters
from fleet.cloud.devices import ResetKind
from fleet.cloud.history import Unbound
from fleet.cloud.planting import plant
from fleet.cloud.quotas import Quota
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.seed import DeviceSeed, ProductSeed, Seed, UserSeed
from fleet.cloud.state import State

UUIDS_MAX = 1_000


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


class Newcomers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may come to a cloud that is not empty any more; each as in a seed.

    `again`: it may have come already, when an answer was lost, and what is there stays as it is.
    """

    users: tuple[UserSeed, ...] = ()
    products: tuple[ProductSeed, ...] = ()
    devices: tuple[DeviceSeed, ...] = ()
    again: bool = False


class Leavers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Devices that nobody has any more."""

    uuids: Annotated[tuple[str, ...], Meta(max_length=UUIDS_MAX)]


class Counted(msgspec.Struct, frozen=True):
    """How many devices it was."""

    devices: int


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
            Route("GET", "/admin/v1/quotas", Access.ADMIN, self.quotas),
            Route("POST", "/admin/v1/devices", Access.ADMIN, self.add),
            Route("POST", "/admin/v1/devices/removal", Access.ADMIN, self.remove),
        )

    def audit(self, state: State, _call: Call) -> Audit:
        """Show all devices, all quotas in use, and the count of what was unbound."""
        return audit(state, self._link)

    def stats(self, state: State, _call: Call) -> Stats:
        """Show what server and services counted since the start."""
        return Stats(self._counters, dict(sorted(state.counts.items())), self._link.clients)

    def quotas(self, state: State, call: Call) -> list[Quota]:
        """Show the quotas of which something was used today."""
        today = state.quotas.day(call.now_ms)
        return [quota for quota in state.quotas.all() if quota.day == today]

    def add(self, state: State, call: Call) -> Counted:
        """Register users, products and devices, as a seed does; one that cannot be ends it.

        Those before it are there then.
        """
        new = call.body_as(Newcomers)
        try:
            plant(state, _seed(state, new), call.now_ms, "body")
        except UsageError as error:
            raise Refused(Reason.BAD_REQUEST, str(error)) from None
        return Counted(len(new.devices))

    def remove(self, state: State, call: Call) -> Counted:
        """Take devices away from their owners, in the name of whose product they are.

        What is nobody's, or not known, is left as it is.
        """
        count = 0
        for uuid in call.body_as(Leavers).uuids:
            device = state.devices.get(uuid)
            product = state.products.get(device.product_id) if device is not None else None
            if device is not None and product is not None and device.bound:
                kind = ResetKind.RESET_FACTORY
                removal.delete(state, product.owner, device, kind, call.now_ms, reachable=False)
                count += 1
        return Counted(count)


def _seed(state: State, new: Newcomers) -> Seed:
    """Return what is to be planted."""
    if not new.again:
        return Seed(users=new.users, products=new.products, devices=new.devices)
    return Seed(
        users=tuple(one for one in new.users if state.users.get(one.uid) is None),
        products=tuple(one for one in new.products if state.products.get(one.product_id) is None),
        devices=tuple(one for one in new.devices if state.devices.get(one.uuid) is None),
    )


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
