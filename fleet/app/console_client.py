"""The Developer app's side of the console API, and the console's own.

One object per account that is logged in; all accounts of a process share one `CloudLink`. Nearly
every call here may be repeated: a second unbind token costs nothing, a ticket names the new limit, a
cancelled token stays cancelled. What may not says so.
"""

from urllib.parse import quote

import msgspec

from fleet.app.account import Account
from fleet.app.console_messages import (
    Batch,
    Firmware,
    FirmwareOrder,
    Grant,
    GrantChange,
    GrantOrder,
    Project,
    PushProject,
    Role,
    RoleOrder,
    Space,
    Upgrade,
    UpgradeOrder,
)
from fleet.app.messages import (
    HistoryPage,
    LogPage,
    Method,
    Product,
    Quotas,
    Ticket,
    UnbindOrder,
    UnbindToken,
)


class ConsoleClient(Account):
    """A developer account that is logged in to the cloud's console API."""

    ROOT = "/console/v1"

    async def unbind_token(
        self, method: Method, *, max_devices: int | None = None, life_s: int | None = None
    ) -> UnbindToken:
        """Ask for a token that unbinds up to `max_devices` (at most 30) within `life_s`."""
        order = UnbindOrder(method, max_devices, life_s)
        return await self._call("POST", "unbind-tokens", UnbindToken, body=order)

    async def batches(self) -> tuple[Batch, ...]:
        """Return the account's tokens that the cloud remembers, the newest first."""
        return await self._call("GET", "unbind-tokens", tuple[Batch, ...])

    async def token_state(self, batch: str) -> UnbindToken:
        """Return the token of `batch` with what is used of it."""
        return await self._call("GET", f"unbind-tokens/{_segment(batch)}", UnbindToken)

    async def cancel(self, batch: str) -> None:
        """Make the token of `batch` worthless from now on."""
        await self._call("DELETE", f"unbind-tokens/{_segment(batch)}", msgspec.Raw)

    async def history(
        self,
        *,
        batch: str = "",
        status: str = "",
        after: int = 0,
        limit: int = 100,
        newest: bool = False,
    ) -> HistoryPage:
        """Return up to `limit` rows with an id above `after`, of one batch and status or of all.

        With `newest` they come newest first, with an id below `after` unless that is 0.
        """
        query: dict[str, str | int] = {"after": after, "limit": limit}
        if batch:
            query["batch"] = batch
        if status:
            query["status"] = status
        if newest:
            query["newest"] = 1
        return await self._call("GET", "history", HistoryPage, query=query)

    async def quotas(self) -> Quotas:
        """Return today's quotas of the account and of all products it may unbind."""
        return await self._call("GET", "quotas", Quotas)

    async def ticket(self, ticket: Ticket) -> Ticket:
        """Have a daily limit changed, as support would on a ticket; returns what is now valid."""
        return await self._call("POST", "tickets", Ticket, body=ticket)

    async def products(self) -> tuple[Product, ...]:
        """Return the products that the account can see."""
        return await self._call("GET", "products", tuple[Product, ...])

    async def device_log(self, uuid: str, *, after: int = 0, limit: int = 100) -> LogPage:
        """Return what the cloud noted about one device, in order."""
        path = f"devices/{_segment(uuid)}/log"
        return await self._call("GET", path, LogPage, query={"after": after, "limit": limit})

    # --- who may do what ------------------------------------------------------------------------

    async def grants(self) -> tuple[Grant, ...]:
        """Return what the account lets others do."""
        return await self._call("GET", "grants", tuple[Grant, ...])

    async def grant(self, order: GrantOrder) -> Grant:
        """Let somebody work on products; not repeated, as each grant is one more."""
        return await self._call("POST", "grants", Grant, body=order, repeatable=False)

    async def change_grant(self, grant_id: str, change: GrantChange) -> Grant:
        """Let a grant be for something else."""
        return await self._call("PUT", f"grants/{_segment(grant_id)}", Grant, body=change)

    async def revoke(self, grant_id: str) -> None:
        """Take a grant back; not repeated, as the second time there is none."""
        path = f"grants/{_segment(grant_id)}"
        await self._call("DELETE", path, msgspec.Raw, repeatable=False)

    async def spaces(self) -> tuple[Space, ...]:
        """Return what others let the account do."""
        return await self._call("GET", "spaces", tuple[Space, ...])

    async def roles(self) -> tuple[Role, ...]:
        """Return the roles that the account can give, preset ones first."""
        return await self._call("GET", "roles", tuple[Role, ...])

    async def define_role(self, order: RoleOrder) -> RoleOrder:
        """Make or change a custom role."""
        return await self._call("POST", "roles", RoleOrder, body=order)

    async def drop_role(self, name: str) -> None:
        """Take a custom role away; not repeated, as the second time there is none."""
        await self._call("DELETE", f"roles/{_segment(name)}", msgspec.Raw, repeatable=False)

    # --- firmware, projects ---------------------------------------------------------------------

    async def firmware(self, product_id: str) -> tuple[Firmware, ...]:
        """Return the versions of a product, the oldest first."""
        path = f"products/{_segment(product_id)}/firmware"
        return await self._call("GET", path, tuple[Firmware, ...])

    async def add_firmware(self, product_id: str, order: FirmwareOrder) -> Firmware:
        """Add a version to a product; not repeated, as its name is taken then."""
        path = f"products/{_segment(product_id)}/firmware"
        return await self._call("POST", path, Firmware, body=order, repeatable=False)

    async def upgrades(self, uuid: str) -> tuple[Upgrade, ...]:
        """Return what a device is to load."""
        path = f"devices/{_segment(uuid)}/upgrades"
        return await self._call("GET", path, tuple[Upgrade, ...])

    async def upgrade(self, uuid: str, order: UpgradeOrder) -> Upgrade:
        """Order a device onto a version."""
        return await self._call("POST", f"devices/{_segment(uuid)}/upgrades", Upgrade, body=order)

    async def projects(self) -> tuple[Project, ...]:
        """Return the account's cloud projects, without their secrets."""
        return await self._call("GET", "projects", tuple[Project, ...])

    async def push(self) -> tuple[PushProject, ...]:
        """Return how far behind the push consumers of the account's projects are."""
        return await self._call("GET", "push", tuple[PushProject, ...])


def _segment(name: str) -> str:
    return quote(name, safe="")
