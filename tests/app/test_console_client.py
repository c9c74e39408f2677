"""Each console call: the request it makes and the struct it returns."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import pytest

from fleet.app.console_client import ConsoleClient
from fleet.app.console_messages import (
    FirmwareOrder,
    GrantChange,
    GrantOrder,
    RoleOrder,
    UpgradeOrder,
)
from fleet.app.errors import CloudRefused
from fleet.app.messages import (
    HistoryPage,
    HistoryRow,
    LogPage,
    LogRow,
    Product,
    ProductQuota,
    Quota,
    Quotas,
    Ticket,
    UnbindToken,
)
from tests.app.fake_cloud import FakeCloud

T = TypeVar("T")
TOKEN = {
    "token": "EUabcdefghpr_0",
    "batch": "b1",
    "method": "qr",
    "max_devices": 30,
    "expires_ms": 9,
    "used": 2,
}


def ask(cloud: FakeCloud, result: Any, act: Callable[[ConsoleClient], Awaitable[T]]) -> T:
    async def story() -> T:
        async with cloud.link() as link:
            return await act(await ConsoleClient.login(link, "ann", "pw"))

    cloud.accept({"session": "s", "name": "ann"})
    cloud.accept(result)
    return asyncio.run(story())


def test_login_sends_name_and_password(cloud: FakeCloud) -> None:
    async def story() -> str:
        async with cloud.link() as link:
            return (await ConsoleClient.login(link, "ann", "pw")).name

    cloud.accept({"session": "s", "name": "ann"})
    assert asyncio.run(story()) == "ann"
    assert cloud.asked == ["POST /console/v1/login"]
    assert cloud.requests[0].content == b'{"name":"ann","password":"pw"}'


def test_a_wrong_password_is_a_refusal(cloud: FakeCloud) -> None:
    async def story() -> None:
        async with cloud.link() as link:
            await ConsoleClient.login(link, "ann", "no")

    cloud.refuse("bad_login")
    with pytest.raises(CloudRefused, match="bad_login"):
        asyncio.run(story())


def test_unbind_token(cloud: FakeCloud) -> None:
    token = ask(cloud, TOKEN, lambda c: c.unbind_token("qr", max_devices=30, life_s=60))
    assert token == UnbindToken("EUabcdefghpr_0", "b1", "qr", 30, 9, 2)
    assert cloud.asked[1] == "POST /console/v1/unbind-tokens"
    assert cloud.requests[1].content == b'{"method":"qr","max_devices":30,"life_s":60}'


def test_unbind_token_leaves_open_choices_to_the_cloud(cloud: FakeCloud) -> None:
    ask(cloud, TOKEN, lambda c: c.unbind_token("wired"))
    assert cloud.requests[1].content == b'{"method":"wired"}'


def test_token_state_and_cancel_quote_the_batch(cloud: FakeCloud) -> None:
    assert ask(cloud, TOKEN, lambda c: c.token_state("b/1")).used == 2
    assert cloud.asked[1] == "GET /console/v1/unbind-tokens/b%2F1"
    cloud.replies.clear()
    ask(cloud, TOKEN, lambda c: c.cancel("b1"))
    assert cloud.asked[-1] == "DELETE /console/v1/unbind-tokens/b1"


def test_history(cloud: FakeCloud) -> None:
    row = {"id": 5, "time_ms": 1, "operation": "unbind", "status": "refused", "tries": 3}
    page = ask(
        cloud,
        {"rows": [{**row, "reason": "token_full", "future": 1}], "next": 5},
        lambda c: c.history(batch="b1", status="refused", after=4, limit=1),
    )
    expected = HistoryRow(5, 1, "unbind", "refused", reason="token_full", tries=3)
    assert page == HistoryPage((expected,), 5)
    assert cloud.requests[1].url.params.multi_items() == [
        ("after", "4"),
        ("limit", "1"),
        ("batch", "b1"),
        ("status", "refused"),
    ]


def test_history_of_everything_has_no_filter(cloud: FakeCloud) -> None:
    ask(cloud, {"rows": [], "next": None}, lambda c: c.history())
    assert cloud.asked[1] == "GET /console/v1/history?after=0&limit=100"


def test_quotas(cloud: FakeCloud) -> None:
    body = {
        "day": "2026-01-02",
        "account": {"used": 1, "limit": 100},
        "products": [{"product_id": "p1", "used": 2, "limit": 50}],
    }
    quotas = ask(cloud, body, lambda c: c.quotas())
    assert quotas == Quotas("2026-01-02", Quota(1, 100), (ProductQuota("p1", 2, 50),))


def test_ticket(cloud: FakeCloud) -> None:
    body = {"scope": "product", "name": "p1", "limit": 500}
    ticket = Ticket("product", "p1", 500)
    assert ask(cloud, body, lambda c: c.ticket(ticket)) == ticket
    assert cloud.asked[1] == "POST /console/v1/tickets"


def test_products(cloud: FakeCloud) -> None:
    body = {"product_id": "p1", "name": "n", "category": "sp", "binding": "strong", "right": "own"}
    assert ask(cloud, [body], lambda c: c.products()) == (
        Product("p1", "n", "sp", "strong", "own"),
    )


def test_device_log(cloud: FakeCloud) -> None:
    body = {"rows": [{"id": 1, "time_ms": 2, "event": "unbound", "detail": ""}], "next": None}
    assert ask(cloud, body, lambda c: c.device_log("u/1")) == LogPage((LogRow(1, 2, "unbound"),))
    assert cloud.asked[1] == "GET /console/v1/devices/u%2F1/log?after=0&limit=100"


def test_history_newest_first(cloud: FakeCloud) -> None:
    ask(cloud, {"rows": [], "next": None}, lambda c: c.history(after=7, newest=True))
    assert cloud.asked[1] == "GET /console/v1/history?after=7&limit=100&newest=1"


BATCH = {
    "batch": "b1",
    "method": "qr",
    "max_devices": 30,
    "expires_ms": 9,
    "used": 2,
    "cancelled": False,
}
GRANT = {
    "grant_id": "g1",
    "kind": "space",
    "grantee": "bob",
    "role": "After sale",
    "products": ["p1"],
}
ROLE = {"name": "r", "permissions": ["unbind"]}
FIRMWARE = {"channel": 9, "version": "1.1", "size": 5, "added_ms": 7, "silent": True}
ORDER = {"channel": 9, "version": "1.1", "ordered_ms": 7, "status": 0, "percent": 3}
PROJECT = {
    "access_id": "a", "secret": "geheim", "name": "n", "signing": "v2", "regions": ["*"],
    "schemas": [], "families": ["*"], "allowed_ips": [], "plan": "",
}  # fmt: skip
TOPIC = {
    "centre": "EU", "topic": "event", "unread": 3, "size": 9, "oldest_ms": None, "under_way": 1,
    "consumers": [{"active": True, "window": 5, "ack_timeout_ms": 0, "stalled": False}],
}  # fmt: skip
PUSH = {
    "access_id": "a",
    "name": "n",
    "families": "legacy",
    "encryption": "aes_ecb",
    "topics": [TOPIC],
}


@pytest.mark.parametrize(
    ("act", "result", "asked", "body"),
    [
        (lambda c: c.batches(), [BATCH], "GET /unbind-tokens", ""),
        (lambda c: c.grants(), [GRANT], "GET /grants", ""),
        (
            lambda c: c.grant(GrantOrder(kind="space", grantee="bob", products=("p1",), role="x")),
            GRANT,
            "POST /grants",
            '{"products":["p1"],"right":"","role":"x","kind":"space","grantee":"bob"}',
        ),
        (
            lambda c: c.change_grant("g/1", GrantChange(("p1",), right="both")),
            GRANT,
            "PUT /grants/g%2F1",
            '{"products":["p1"],"right":"both","role":""}',
        ),
        (lambda c: c.revoke("g1"), True, "DELETE /grants/g1", ""),
        (
            lambda c: c.spaces(),
            [{"owner": "o", "kind": "space", "role": "r", "products": []}],
            "GET /spaces",
            "",
        ),
        (lambda c: c.roles(), [{**ROLE, "preset": True}], "GET /roles", ""),
        (
            lambda c: c.define_role(RoleOrder("r", ("unbind",))),
            ROLE,
            "POST /roles",
            '{"name":"r","permissions":["unbind"]}',
        ),
        (lambda c: c.drop_role("a b/c"), True, "DELETE /roles/a%20b%2Fc", ""),
        (lambda c: c.firmware("p1"), [FIRMWARE], "GET /products/p1/firmware", ""),
        (
            lambda c: c.add_firmware("p1", FirmwareOrder("1.1", 5)),
            FIRMWARE,
            "POST /products/p1/firmware",
            '{"version":"1.1","size":5,"silent":false}',
        ),
        (lambda c: c.upgrades("u1"), [ORDER], "GET /devices/u1/upgrades", ""),
        (
            lambda c: c.upgrade("u1", UpgradeOrder("1.1")),
            ORDER,
            "POST /devices/u1/upgrades",
            '{"version":"1.1"}',
        ),
        (lambda c: c.projects(), [PROJECT], "GET /projects", ""),
        (lambda c: c.push(), [PUSH], "GET /push", ""),
        (
            lambda c: c.explain("unbind", "u1"),
            {"allowed": True, "lines": ["yes"]},
            "GET /explain?action=unbind&device=u1",
            "",
        ),
        (
            lambda c: c.explain("unbind", "u1", "bob"),
            {"allowed": False, "lines": ["no"]},
            "GET /explain?action=unbind&device=u1&account=bob",
            "",
        ),
    ],
)
def test_a_call_of_the_console(
    cloud: FakeCloud,
    act: Callable[[ConsoleClient], Awaitable[Any]],
    result: Any,
    asked: str,
    body: str,
) -> None:
    said = ask(cloud, result, act)
    method, path = asked.split(" ")
    assert cloud.asked[1] == f"{method} /console/v1{path}"
    assert cloud.requests[1].content.decode() == body
    if said is not None:
        told = msgspec.json.decode(msgspec.json.encode(said))
        first, expected = (told[0], result[0]) if isinstance(result, list) else (told, result)
        assert first.items() <= expected.items()


def test_the_secret_of_a_project_is_not_read(cloud: FakeCloud) -> None:
    (project,) = ask(cloud, [PROJECT], lambda c: c.projects())
    assert "geheim" not in repr(project)
