"""The console API: what the developer app and the console ask in the name of an account.

The vendor publishes no calls for batch unbinding (its developer app is closed), so paths and
fields are ours; what they do is described in "Unbind Smart Devices" (developer.tuya.com). Whom an
account lets work on its products is in `authorization_api`, how products are passed on in
`handover_api`.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from firmware_sim.wire.structs import Secretive
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Count, Name, Password
from fleet.cloud.history import HistoryRow, LogRow
from fleet.cloud.permissions import Permission
from fleet.cloud.products import Method
from fleet.cloud.quotas import Scope
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.sessions import CONSOLE
from fleet.cloud.state import State
from fleet.cloud.tokens import UnbindToken


class Login(Secretive, frozen=True):
    """Name and password of an account."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    name: Name
    password: Password


class LoggedIn(Secretive, frozen=True):
    """A bearer session."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"session"})

    session: str
    name: str


class UnbindOrder(msgspec.Struct, frozen=True):
    """What kind of unbinding token is wanted; the settings fill in what is left out."""

    method: Method
    max_devices: Annotated[int, Meta(ge=1)] | None = None
    life_s: Annotated[int, Meta(ge=1)] | None = None


class UnbindTicket(Secretive, frozen=True):
    """An unbinding token: its 14 characters, and how far it is used."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    batch: str
    method: str
    max_devices: int
    expires_ms: int
    used: int
    cancelled: bool


class Batch(msgspec.Struct, frozen=True):
    """An unbinding token without its text: for lists."""

    batch: str
    method: str
    max_devices: int
    expires_ms: int
    used: int
    cancelled: bool


class HistoryQuery(msgspec.Struct, frozen=True):
    """Which history rows; empty selects all, limit 0 means a full page.

    They come oldest first, or with `newest` newest first; pages go on after the row `after` in that
    order (0: from the first).
    """

    batch: str = ""
    status: Literal["", "ok", "refused"] = ""
    after: Count = 0
    limit: Count = 0
    newest: bool = False


class LogQuery(msgspec.Struct, frozen=True):
    """Which rows of a device log."""

    after: Count = 0
    limit: Count = 0


class HistoryPage(msgspec.Struct, frozen=True):
    """Rows of the history; go on after `next` unless it is null."""

    rows: list[HistoryRow]
    next: int | None


class LogPage(msgspec.Struct, frozen=True):
    """Rows of a device log; go on after `next` unless it is null."""

    rows: list[LogRow]
    next: int | None


class Usage(msgspec.Struct, frozen=True):
    """One quota of today."""

    used: int
    limit: int


class ProductUsage(msgspec.Struct, frozen=True):
    """One product's quota of today."""

    product_id: str
    used: int
    limit: int


class QuotaReport(msgspec.Struct, frozen=True):
    """Today's quotas of an account and of the products that it may unbind."""

    day: str
    account: Usage
    products: list[ProductUsage]


class Ticket(msgspec.Struct, frozen=True):
    """A wish for another quota limit, and the answer to it."""

    scope: Scope
    name: Name
    limit: Count


class ProductView(msgspec.Struct, frozen=True):
    """A product, and by what right the caller sees it."""

    product_id: str
    name: str
    category: str
    binding: str
    right: str


# --- handlers -----------------------------------------------------------------------------------


def log_in(state: State, call: Call) -> LoggedIn:
    """Open a session of an account."""
    form = call.body_as(Login)
    account = state.brake.watch(
        f"account {form.name}",
        call.now_ms,
        lambda: state.accounts.log_in(form.name, form.password),
    )
    return LoggedIn(state.sessions.open(CONSOLE, account.name, call.now_ms), account.name)


def order_unbind_token(state: State, call: Call) -> UnbindTicket:
    """Make an unbinding token. Permissions are checked when a device brings it."""
    form = call.body_as(UnbindOrder)
    return _ticket(
        state.tokens.make_unbind_token(
            call.subject,
            form.method.value,
            call.now_ms,
            devices_max=form.max_devices,
            life_s=form.life_s,
        )
    )


def see_unbind_tokens(state: State, call: Call) -> list[Batch]:
    """Show all batches of the caller that are remembered, the newest first."""
    return [
        msgspec.convert(_ticket(token), Batch, from_attributes=True)
        for token in state.tokens.batches(call.subject)
    ]


def see_unbind_token(state: State, call: Call) -> UnbindTicket:
    """Show how far a token is used."""
    return _ticket(state.tokens.batch(call.subject, call.path["batch"]))


def cancel_unbind_token(state: State, call: Call) -> UnbindTicket:
    """Let a token release nothing more."""
    return _ticket(state.tokens.cancel(state.tokens.batch(call.subject, call.path["batch"])))


def see_history(state: State, call: Call) -> HistoryPage:
    """Show the caller's operations, and all on products of its own."""
    query = call.query_as(HistoryQuery)
    page = state.history.page(
        call.subject,
        batch=query.batch,
        status=query.status,
        after=query.after,
        limit=query.limit,
        newest=query.newest,
    )
    return HistoryPage(page.rows, page.next)


def see_quotas(state: State, call: Call) -> QuotaReport:
    """Show today's quotas of the caller and of the products that it may unbind."""
    mine = state.quotas.standing(Scope.ACCOUNT, call.subject, call.now_ms)
    products = []
    for product in state.products.all():
        if state.accounts.may_unbind(call.subject, product).allowed:
            quota = state.quotas.standing(Scope.PRODUCT, product.product_id, call.now_ms)
            products.append(ProductUsage(product.product_id, quota.used, quota.limit))
    return QuotaReport(mine.day, Usage(mine.used, mine.limit), products)


def ask_for_limit(state: State, call: Call) -> Ticket:
    """Raise (or lower) the limit of the caller itself or of one of its products, at once."""
    form = call.body_as(Ticket)
    if form.scope is Scope.ACCOUNT:
        allowed = form.name == call.subject
    else:
        product = state.products.get(form.name)
        allowed = product is not None and product.owner == call.subject
    if not allowed:
        raise Refused(Reason.NO_PERMISSION, "a ticket is for yourself or a product of your own")
    limit = state.quotas.raise_limit(form.scope, form.name, form.limit)
    return Ticket(form.scope, limit.name, limit.quota_max)


def see_products(state: State, call: Call) -> list[ProductView]:
    """Show the products that the caller may see."""
    views = []
    for product in state.products.all():
        decision = state.accounts.may(Permission.SEE_PRODUCT, call.subject, product)
        if decision.allowed:
            views.append(
                ProductView(
                    product.product_id,
                    product.name,
                    product.category,
                    product.binding,
                    decision.why,
                )
            )
    return views


def see_device_log(state: State, call: Call) -> LogPage:
    """Show the log of a device. One answer for unknown devices and for those of others."""
    query = call.query_as(LogQuery)
    device = state.devices.get(call.path["uuid"])
    product = state.products.get(device.product_id) if device is not None else None
    if (
        product is None
        or not state.accounts.may(Permission.SEE_DEVICE_LOG, call.subject, product).allowed
    ):
        raise Refused(Reason.NO_PERMISSION)
    page = state.device_log.page(call.path["uuid"], after=query.after, limit=query.limit)
    return LogPage(page.rows, page.next)


def _ticket(token: UnbindToken) -> UnbindTicket:
    return UnbindTicket(
        token=token.text,
        batch=token.batch,
        method=token.method,
        max_devices=token.devices_max,
        expires_ms=token.expires_ms,
        used=token.used,
        cancelled=token.cancelled,
    )


ROUTES = (
    Route("POST", "/console/v1/login", Access.ANYBODY, log_in),
    Route("POST", "/console/v1/unbind-tokens", Access.ACCOUNT, order_unbind_token),
    Route("GET", "/console/v1/unbind-tokens", Access.ACCOUNT, see_unbind_tokens),
    Route("GET", "/console/v1/unbind-tokens/{batch}", Access.ACCOUNT, see_unbind_token),
    Route("DELETE", "/console/v1/unbind-tokens/{batch}", Access.ACCOUNT, cancel_unbind_token),
    Route("GET", "/console/v1/history", Access.ACCOUNT, see_history),
    Route("GET", "/console/v1/quotas", Access.ACCOUNT, see_quotas),
    Route("POST", "/console/v1/tickets", Access.ACCOUNT, ask_for_limit),
    Route("GET", "/console/v1/products", Access.ACCOUNT, see_products),
    Route("GET", "/console/v1/devices/{uuid}/log", Access.ACCOUNT, see_device_log),
)
