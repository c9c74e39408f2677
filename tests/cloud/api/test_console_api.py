"""The console API, call by call."""

from typing import Any

import msgspec
import pytest

from fleet.cloud.api import console_api
from fleet.cloud.api.router import Access
from tests.cloud.support import (
    BUYER,
    CAMERA,
    DAY_MS,
    OWNER,
    PARTNER,
    PASSWORD,
    PLUG,
    RECORDER,
    REPAIR,
    SETTINGS,
    START_MS,
    STRANGER,
    FakeDevice,
    World,
    assert_reloads,
    seed,
)

TOKENS = "/console/v1/unbind-tokens"


def test_login() -> None:
    world = World()
    result = world.get("POST", "/console/v1/login", {"name": OWNER, "password": PASSWORD})
    assert set(result) == {"session", "name"}
    assert result["name"] == OWNER
    for form in ({"name": OWNER, "password": "x"}, {"name": "x", "password": PASSWORD}):
        assert world.refusal("POST", "/console/v1/login", form) == "bad_login"
    wrong: list[object] = [{}, {"name": OWNER}, {"name": "", "password": "x"}, []]
    for thing in wrong:
        assert world.refusal("POST", "/console/v1/login", thing) == "bad_request"
    assert_reloads(world)


def test_who_tries_passwords_has_to_wait() -> None:
    world = World()
    wrong = {"name": OWNER, "password": "guess"}
    free = world.state.settings.wrong_passwords_free
    said = [world.refusal("POST", "/console/v1/login", wrong) for _ in range(free + 1)]
    assert said == ["bad_login"] * free + ["too_many"]
    right = {"name": OWNER, "password": PASSWORD}
    assert world.refusal("POST", "/console/v1/login", right) == "too_many"
    world.now_ms += 1_000
    assert world.get("POST", "/console/v1/login", right)["session"]


def test_only_the_login_is_open_to_anybody() -> None:
    opened = [route.pattern for route in console_api.ROUTES if route.access is not Access.ACCOUNT]
    assert opened == ["/console/v1/login"]


def test_secrets_are_not_shown() -> None:
    shown = repr(console_api.Login("a", "hush")) + repr(console_api.LoggedIn("hush", "a"))
    shown += repr(console_api.UnbindTicket("hush", "b", "qr", 1, 2, 3, cancelled=False))
    assert "hush" not in shown


# --- unbinding tokens ---------------------------------------------------------------------------


def test_a_token_is_ordered_seen_and_cancelled() -> None:
    world = World()
    session = world.account(REPAIR)
    order = world.unbind_token(session, method="wired", max_devices=3, life_s=60)
    assert order == {
        "token": order["token"],
        "batch": order["batch"],
        "method": "wired",
        "max_devices": 3,
        "expires_ms": START_MS + 60_000,
        "used": 0,
        "cancelled": False,
    }
    target = f"{TOKENS}/{order['batch']}"
    assert world.get("GET", target, None, session) == order
    assert world.refusal("GET", target, None, world.account(OWNER)) == "not_found"
    assert world.get("DELETE", target, None, session) == {**order, "cancelled": True}
    assert world.get("GET", target, None, session)["cancelled"] is True


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"method": "smoke"},
        {"method": "qr", "max_devices": 31},
        {"method": "qr", "max_devices": 0},
        {"method": "qr", "life_s": 0},
        {"method": "qr", "life_s": 86_401},
    ],
)
def test_what_cannot_be_ordered(form: dict[str, Any]) -> None:
    world = World()
    assert world.refusal("POST", TOKENS, form, world.account(REPAIR)) == "bad_request"


# --- history, quotas, tickets -------------------------------------------------------------------


def test_history_by_pages() -> None:
    world = World(msgspec.structs.replace(SETTINGS, page_rows_max=2))
    session = world.account(REPAIR)
    order = world.unbind_token(session)
    for number in range(3):
        FakeDevice(world, number).activate(order["token"])
    FakeDevice(world, 3).activate(world.unbind_token(world.account(STRANGER))["token"])
    target = "/console/v1/history"
    page = world.get("GET", target, None, session)
    assert [row["id"] for row in page["rows"]] == [1, 2]
    assert page["next"] == 2
    rest = world.get("GET", f"{target}?after=2&limit=5&batch={order['batch']}", None, session)
    assert [row["id"] for row in rest["rows"]] == [3]
    assert rest["next"] is None
    refused = world.history(world.account(OWNER), "?status=refused")
    assert [row["reason"] for row in refused] == ["no_permission"]
    assert set(refused[0]) >= {
        *("id", "time_ms", "account", "operation", "method", "batch"),
        *("uuid", "dev_id", "product_id", "status", "reason"),
    }
    for query in ("?status=maybe", "?after=x", "?limit=-1"):
        assert world.refusal("GET", target + query, None, session) == "bad_request"


def test_quotas_of_today() -> None:
    world = World()
    session = world.account(PARTNER)
    FakeDevice(world, 0).activate(world.unbind_token(session)["token"])
    report = world.get("GET", "/console/v1/quotas", None, session)
    assert report == {
        "day": "2023-11-14",
        "account": {"used": 1, "limit": 100},
        "products": [
            {"product_id": CAMERA, "used": 1, "limit": 100},
            {"product_id": RECORDER, "used": 0, "limit": 100},
        ],
    }
    world.now_ms += DAY_MS
    assert world.get("GET", "/console/v1/quotas", None, session)["account"]["used"] == 0
    assert world.get("GET", "/console/v1/quotas", None, world.account(BUYER))["products"] == []


def test_tickets_are_for_oneself_and_ones_own_products() -> None:
    world = World()
    own = {"scope": "product", "name": CAMERA, "limit": 500}
    assert world.get("POST", "/console/v1/tickets", own, world.account(OWNER)) == own
    for session, form in (
        (world.account(REPAIR), own),
        (world.account(REPAIR), {"scope": "account", "name": OWNER, "limit": 5}),
        (world.account(OWNER), {"scope": "product", "name": "nosuch", "limit": 5}),
    ):
        assert world.refusal("POST", "/console/v1/tickets", form, session) == "no_permission"
    much = {**own, "limit": 10**9}
    assert world.refusal("POST", "/console/v1/tickets", much, world.account(OWNER)) == "bad_request"


# --- products, device log -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "rights"),
    [
        (OWNER, {CAMERA: "owner", PLUG: "owner", RECORDER: "owner"}),
        (PARTNER, {CAMERA: "partner: development", RECORDER: "partner: development"}),
        (
            REPAIR,
            {CAMERA: "space: After sale", PLUG: "space: After sale", RECORDER: "space: After sale"},
        ),
        (BUYER, {CAMERA: "partner: purchase"}),
        (STRANGER, {}),
    ],
)
def test_products_and_by_what_right(who: str, rights: dict[str, str]) -> None:
    world = World()
    products = world.get("GET", "/console/v1/products", None, world.account(who))
    assert {p["product_id"]: p["right"] for p in products} == rights
    if who == OWNER:
        assert products[0] == {
            "product_id": CAMERA,
            "name": "Camera",
            "category": "sp",
            "binding": "strong",
            "right": "owner",
        }


def test_device_log() -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.go_online()
    device.drop()
    target = f"/console/v1/devices/{device.uuid}/log"
    page = world.get("GET", f"{target}?limit=1", None, world.account(REPAIR))
    (row,) = page["rows"]
    assert (row["event"], row["time_ms"]) == ("online", world.now_ms)
    more = world.get("GET", f"{target}?after={page['next']}", None, world.account(REPAIR))
    assert [row["event"] for row in more["rows"]] == ["offline"]
    assert more["rows"][0]["detail"] == "lost"
    for who, uuid in ((BUYER, device.uuid), (STRANGER, device.uuid), (OWNER, "nosuch")):
        target = f"/console/v1/devices/{uuid}/log"
        assert world.refusal("GET", target, None, world.account(who)) == "no_permission"


# --- grants and roles ---------------------------------------------------------------------------


def test_grants_are_given_seen_and_taken_back() -> None:
    world = World()
    owner, stranger = world.account(OWNER), world.account(STRANGER)
    form = {"kind": "space", "grantee": STRANGER, "role": "returns", "products": [CAMERA]}
    grant = world.get("POST", "/console/v1/grants", form, owner)
    assert grant == {**form, "grant_id": grant["grant_id"]}
    assert FakeDevice(world, 0).activate(world.unbind_token(stranger)["token"]) == ""
    shown = world.get("GET", "/console/v1/grants", None, owner)
    assert grant in shown
    assert [one["grantee"] for one in shown] == [BUYER, PARTNER, REPAIR, STRANGER]
    target = f"/console/v1/grants/{grant['grant_id']}"
    assert world.refusal("DELETE", target, None, stranger) == "not_found"
    assert world.get("DELETE", target, None, owner) is True
    assert FakeDevice(world, 1).activate(world.unbind_token(stranger)["token"]) == "NO_PERMISSION"
    assert_reloads(world)


def test_a_partner_is_granted_a_right() -> None:
    world = World()
    form = {"kind": "partner", "grantee": STRANGER, "right": "both", "products": [CAMERA]}
    grant = world.get("POST", "/console/v1/grants", form, world.account(OWNER))
    assert (grant["kind"], grant["role"]) == ("partner", "both")
    lacking = {**form, "right": ""}
    assert world.refusal("POST", "/console/v1/grants", lacking, world.account(OWNER)) == "not_found"


def test_custom_roles() -> None:
    world = World()
    form = {"name": "desk", "permissions": ["unbind", "see_product", "unbind"]}
    role = world.get("POST", "/console/v1/roles", form, world.account(OWNER))
    assert role == {"name": "desk", "permissions": ["see_product", "unbind"]}
    wrong = {"name": "desk", "permissions": ["fly"]}
    owner = world.account(OWNER)
    assert world.refusal("POST", "/console/v1/roles", wrong, owner) == "bad_request"
    preset = {"name": "After sale", "permissions": []}
    assert world.refusal("POST", "/console/v1/roles", preset, owner) == "name_taken"


def test_batches_are_listed_without_their_tokens() -> None:
    world = World()
    session = world.account(OWNER)
    assert world.get("GET", TOKENS, None, session) == []
    first = world.unbind_token(session)
    world.now_ms += 1
    second = world.unbind_token(session, method="wired", max_devices=2)
    world.unbind_token(world.account(REPAIR))
    world.get("DELETE", f"{TOKENS}/{first['batch']}", None, session)
    listed = world.get("GET", TOKENS, None, session)
    first.pop("token")
    second.pop("token")
    assert listed == [second, {**first, "cancelled": True}]
    assert_reloads(world)


def test_history_newest_first() -> None:
    world = World(start=seed(6))
    session = world.account(OWNER)
    token = world.unbind_token(session)["token"]
    for number in range(5):
        FakeDevice(world, number).activate(token)
    page = world.get("GET", "/console/v1/history?newest=1&limit=2", None, session)
    assert [row["uuid"] for row in page["rows"]] == ["uuid0004", "uuid0003"]
    path = f"/console/v1/history?newest=true&limit=2&after={page['next']}"
    page = world.get("GET", path, None, session)
    assert [row["uuid"] for row in page["rows"]] == ["uuid0002", "uuid0001"]
    path = f"/console/v1/history?newest=1&status=ok&limit=2&after={page['next']}"
    page = world.get("GET", path, None, session)
    assert ([row["uuid"] for row in page["rows"]], page["next"]) == (["uuid0000"], None)
