"""The console: the platform's pages of products, authorizations, quotas, history and logs.

A list of calls that are passed on to the emulated cloud in the name of who is logged in, each with
what it takes and gives; nothing else is passed on. What is published of the vendor's console is in
"Unbind Smart Devices" and "Authorize Product to Partners" (developer.tuya.com).
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from fleet.app import console_messages as msg
from fleet.app.console_client import ConsoleClient
from fleet.app.messages import LogRow, Product, Quotas, Ticket
from fleet.cloud.permissions import (
    ORIGIN_RIGHTS,
    PARTNER_RIGHTS,
    GrantKind,
    Permission,
)
from fleet.cloud.rights import TAKES
from fleet.web.desk import Desk, Visitor, way_to
from fleet.web.operations import OperationPage, Short, page
from fleet.web.premises import Premises
from fleet.web.routes import Call, Room, Route

NAME = "console"
DEVICES_SHOWN_MAX = 500
LOG_ROWS_MAX = 1_000
LOG_ROWS_PER_CALL = 200


class Choices(msgspec.Struct, frozen=True):
    """What there is to choose from on the pages."""

    kinds: tuple[str, ...]
    rights: dict[str, tuple[str, ...]]  # by kind; members have roles instead
    permissions: tuple[str, ...]
    actions: tuple[str, ...]


class Device(msgspec.Struct, frozen=True):
    """A device of this fleet, to choose from."""

    uuid: str
    product: str


class Question(msgspec.Struct, frozen=True):
    """Whether `account` (empty: who asks) may do `action` with `device`, a uuid or a device id."""

    action: Short
    device: Annotated[str, Meta(min_length=1, max_length=64)]
    account: Short = ""


class Done(msgspec.Struct, frozen=True):
    """It was done."""

    done: bool = True


CHOICES = Choices(
    kinds=tuple(GrantKind),
    rights={
        GrantKind.PARTNER.value: tuple(PARTNER_RIGHTS),
        GrantKind.ORIGIN.value: tuple(ORIGIN_RIGHTS),
    },
    permissions=tuple(Permission),
    actions=tuple(TAKES),
)


class _Passed(NamedTuple):
    """One call that is passed on."""

    method: str
    path: str
    summary: str
    work: Callable[[ConsoleClient, Call], Awaitable[object]]
    reply: Any
    body: type | None = None


async def _done(work: Awaitable[object]) -> Done:
    await work
    return Done()


async def _log(account: ConsoleClient, call: Call) -> tuple[LogRow, ...]:
    """Return all that is kept of the log of a device, oldest first, up to a bound."""
    rows: list[LogRow] = []
    after: int | None = 0
    while after is not None and len(rows) < LOG_ROWS_MAX:
        part = await account.device_log(call.path["uuid"], after=after, limit=LOG_ROWS_PER_CALL)
        rows += part.rows
        after = part.next
    return tuple(rows)


def _explain(account: ConsoleClient, call: Call) -> Awaitable[msg.Explanation]:
    question = call.query_as(Question)
    return account.explain(question.action, question.device, question.account)


_GRANT, _FIRMWARE = "/grants/{grant_id}", "/products/{product_id}/firmware"
_UPGRADES = "/devices/{uuid}/upgrades"
PASSED: tuple[_Passed, ...] = (
    _Passed(
        *("GET", "/products", "Products that the account can see, and by what right"),
        lambda a, _: a.products(),
        tuple[Product, ...],
    ),
    _Passed(
        *("GET", "/grants", "Whom the account lets work on its products"),
        lambda a, _: a.grants(),
        tuple[msg.Grant, ...],
    ),
    _Passed(
        *("POST", "/grants", "Let somebody work on products"),
        lambda a, c: a.grant(c.body),
        *(msg.Grant, msg.GrantOrder),
    ),
    _Passed(
        *("PUT", _GRANT, "Let a grant be for something else"),
        lambda a, c: a.change_grant(c.path["grant_id"], c.body),
        *(msg.Grant, msg.GrantChange),
    ),
    _Passed(
        *("DELETE", _GRANT, "Take a grant back"),
        lambda a, c: _done(a.revoke(c.path["grant_id"])),
        Done,
    ),
    _Passed(
        *("GET", "/spaces", "What others let the account do"),
        lambda a, _: a.spaces(),
        tuple[msg.Space, ...],
    ),
    _Passed(
        *("GET", "/roles", "Roles that the account can give"),
        lambda a, _: a.roles(),
        tuple[msg.Role, ...],
    ),
    _Passed(
        *("POST", "/roles", "Make or change a custom role"),
        lambda a, c: a.define_role(c.body),
        *(msg.RoleOrder, msg.RoleOrder),
    ),
    _Passed(
        *("DELETE", "/roles/{name}", "Take a custom role away"),
        lambda a, c: _done(a.drop_role(c.path["name"])),
        Done,
    ),
    _Passed(
        *("GET", "/quotas", "What may be unbound today, and what is used"),
        lambda a, _: a.quotas(),
        Quotas,
    ),
    _Passed(
        *("POST", "/tickets", "Have a daily limit changed"),
        lambda a, c: a.ticket(c.body),
        *(Ticket, Ticket),
    ),
    _Passed(
        *("GET", "/batches", "Codes and tokens of batches, without their texts, newest first"),
        lambda a, _: a.batches(),
        tuple[msg.Batch, ...],
    ),
    _Passed(
        *("DELETE", "/batches/{batch}", "Make a batch release nothing more"),
        lambda a, c: _done(a.cancel(c.path["batch"])),
        Done,
    ),
    _Passed(
        *("GET", "/history", "What was done and refused: ?batch=&status=&after="),
        page,
        OperationPage,
    ),
    _Passed(
        *("GET", "/devices/{uuid}/log", "What the cloud noted about a device"),
        _log,
        tuple[LogRow, ...],
    ),
    _Passed(
        *("GET", _UPGRADES, "What a device is to load"),
        lambda a, c: a.upgrades(c.path["uuid"]),
        tuple[msg.Upgrade, ...],
    ),
    _Passed(
        *("POST", _UPGRADES, "Order a device onto a version"),
        lambda a, c: a.upgrade(c.path["uuid"], c.body),
        *(msg.Upgrade, msg.UpgradeOrder),
    ),
    _Passed(
        *("GET", _FIRMWARE, "Versions of a product's firmware"),
        lambda a, c: a.firmware(c.path["product_id"]),
        tuple[msg.Firmware, ...],
    ),
    _Passed(
        *("POST", _FIRMWARE, "Add a version, whose bytes the cloud makes up"),
        lambda a, c: a.add_firmware(c.path["product_id"], c.body),
        *(msg.Firmware, msg.FirmwareOrder),
    ),
    _Passed(
        *("GET", "/projects", "Cloud projects, without their secrets"),
        lambda a, _: a.projects(),
        tuple[msg.Project, ...],
    ),
    _Passed(
        *("GET", "/push", "How far behind the consumers of message push are"),
        lambda a, _: a.push(),
        tuple[msg.PushProject, ...],
    ),
    _Passed(
        *("GET", "/explain", "May an account do this? ?action=&device=&account="),
        _explain,
        msg.Explanation,
    ),
)


def make_room(premises: Premises) -> Room:
    """Return the console of a fleet's own cloud."""
    desk = Desk(NAME, way_to(premises.supervisor), premises.people)

    async def devices(_: Call) -> tuple[Device, ...]:
        units = premises.population.units[:DEVICES_SHOWN_MAX]
        return tuple(Device(unit.uuid, unit.product.name) for unit in units)

    return room_of(
        desk, Route("GET", "/devices", "Devices of this fleet", devices, reply=tuple[Device, ...])
    )


def room_of(desk: Desk, *more: Route) -> Room:
    """Return the console over the cloud that `desk` leads to."""

    async def choices(_: Call) -> Choices:
        return CHOICES

    return Room(
        NAME,
        "Console",
        "console.html",
        (
            *desk.routes(),
            Route("GET", "/choices", "What there is to choose from", choices, reply=Choices),
            *(_route(desk, one) for one in PASSED),
            *more,
        ),
        desk.life,
    )


def _route(desk: Desk, one: _Passed) -> Route:
    async def work(visitor: Visitor, call: Call) -> object:
        return await one.work(visitor.account, call)

    handler = desk.over(work)
    return Route(one.method, one.path, one.summary, handler, body=one.body, reply=one.reply)
