"""The Developer app's side of the console API: unbind tokens, history, quotas, tickets.

One object per account that is logged in; all accounts of a process share one `CloudLink`. Every
call here may be repeated: a second unbind token costs nothing, a ticket names the new limit, a
cancelled token stays cancelled.
"""

from urllib.parse import quote

import msgspec

from fleet.app.account import Account
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

    async def token_state(self, batch: str) -> UnbindToken:
        """Return the token of `batch` with what is used of it."""
        return await self._call("GET", f"unbind-tokens/{quote(batch, safe='')}", UnbindToken)

    async def cancel(self, batch: str) -> None:
        """Make the token of `batch` worthless from now on."""
        path = f"unbind-tokens/{quote(batch, safe='')}"
        await self._call("DELETE", path, msgspec.Raw)

    async def history(
        self, *, batch: str = "", status: str = "", after: int = 0, limit: int = 100
    ) -> HistoryPage:
        """Return up to `limit` rows with an id above `after`, of one batch and status or of all."""
        query: dict[str, str | int] = {"after": after, "limit": limit}
        if batch:
            query["batch"] = batch
        if status:
            query["status"] = status
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
        path = f"devices/{quote(uuid, safe='')}/log"
        return await self._call("GET", path, LogPage, query={"after": after, "limit": limit})
