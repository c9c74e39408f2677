"""Who is told why: people about themselves, owners of products about everybody, the admin all."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.cloud.open.program import OTHER_ID, open_seed
from tests.cloud.support import ADMIN, BUYER, OWNER, PARTNER, STRANGER, World

ID = "bfdevice00000000000000"
NOTHING = "you have no claim on such a device: it does not exist, or is somebody else's business"


def world_of() -> World:
    return World(start=open_seed())


def ask(world: World, session: str, root: str = "console", **query: str) -> Any:
    words = urlencode({"action": "see", "device": ID, **query})
    return world.get("GET", f"/{root}/v1/explain?{words}", None, session)


def test_an_owner_asks_about_everybody() -> None:
    world = world_of()
    session = world.account(OWNER)
    assert ask(world, session)["allowed"] is True
    assert ask(world, session, device="uuid0000")["allowed"] is True
    told = ask(world, session, account=STRANGER, action="unbind")
    assert told["allowed"] is False
    assert told["lines"][0] == f"{STRANGER} may not unbind {ID}"
    assert len(told["lines"]) > 3
    assert ask(world, session, account="user0", action="delete")["allowed"] is True


def test_others_ask_about_themselves() -> None:
    world = world_of()
    for account in (PARTNER, BUYER):
        told = ask(world, world.account(account), action="unbind")
        assert told["allowed"] is (account == PARTNER)
        assert told["lines"][1].startswith("device: ")
    told = ask(world, world.account(PARTNER), account=OWNER)
    assert told == {"allowed": False, "lines": [f"{OWNER} may not see {ID}", NOTHING]}


@pytest.mark.parametrize("device", [ID, "uuid0000", "nosuch"])
def test_strangers_learn_nothing(device: str) -> None:
    world = world_of()
    told = ask(world, world.account(STRANGER), device=device)
    assert told == {"allowed": False, "lines": [f"{STRANGER} may not see {device}", NOTHING]}


def test_a_claim_by_a_key_is_enough() -> None:
    world = world_of()
    code = world.rule(lambda s: s.open_tokens.consent(OTHER_ID, "uid0", world.now_ms))
    world.rule(lambda s: s.open_tokens.redeem(OTHER_ID, "EU", code.code, world.now_ms))
    assert ask(world, world.account(STRANGER), action="reset")["allowed"] is True


def test_consumers() -> None:
    world = world_of()
    session = world.consumer(0)
    told = ask(world, session, "app", action="delete")
    assert (told["allowed"], told["lines"][0]) == (True, f"uid0 may delete {ID}")
    assert ask(world, session, "app", account="uid0")["allowed"] is True
    for device in ("bfdevice00000000000001", "nosuch"):
        told = ask(world, session, "app", device=device)
        assert told["lines"] == [f"uid0 may not see {device}", NOTHING]
    path = f"/app/v1/explain?account=uid1&action=see&device={ID}"
    assert world.refusal("GET", path, None, session) == "no_permission"


def test_the_admin() -> None:
    world = world_of()
    assert ask(world, ADMIN, "admin", account="user0")["allowed"] is True
    assert ask(world, ADMIN, "admin", account=STRANGER, device="nosuch")["lines"] == [
        "there is no device nosuch: refused like a foreign one (1106)"
    ]
    path = f"/admin/v1/explain?action=see&device={ID}"
    assert world.refusal("GET", path, None, ADMIN) == "bad_request"
    assert world.refusal("GET", path + "&account=uid0") == "no_session"


@pytest.mark.parametrize("query", ["", "action=see", "action=explode&device=x", "device=x"])
def test_questions_that_are_none(query: str) -> None:
    world = world_of()
    path = f"/console/v1/explain?{query}"
    assert world.refusal("GET", path, None, world.account(OWNER)) == "bad_request"
