"""The life of a token: simple mode, refresh once, consent and code, two hours, restarts."""

import re
from typing import Any

import msgspec
import pytest

from fleet.cloud.open.grants_api import TokenPair
from tests.cloud.open.program import (
    ACCESS_ID,
    OTHER_ID,
    OTHER_SECRET,
    Program,
    connected,
    open_world,
)
from tests.cloud.support import SETTINGS, World, assert_reloads

ECHO = "/v1.0/echo/it"
TOKEN = "/v1.0/token"
LIFE_MS = 7_200_000


def ask(program: Program, **query: str) -> dict[str, Any]:
    return program.call("GET", TOKEN, query, token="")


def refresh(program: Program, token: str = "") -> dict[str, Any]:
    path = f"{TOKEN}/{token or program.refresh_token}"
    return program.call("GET", path, token="")


def alive(program: Program) -> bool:
    envelope = program.call("GET", ECHO)
    assert envelope["success"] or envelope["msg"] == "token invalid"
    success: bool = envelope["success"]
    return success


# --- simple mode --------------------------------------------------------------------------------


def test_a_pair_has_the_published_form() -> None:
    result = Program(open_world()).connect()
    assert list(result) == ["access_token", "expire_time", "refresh_token", "uid"]
    assert re.fullmatch("[0-9a-f]{32}", result["access_token"])
    assert re.fullmatch("[0-9a-f]{32}", result["refresh_token"])
    assert result["access_token"] != result["refresh_token"]
    assert result["expire_time"] == 7200
    assert re.fullmatch("bay[0-9a-z]{17}", result["uid"])


def test_the_same_pair_comes_again_with_what_remains() -> None:
    world = open_world()
    program = Program(world)
    first = program.connect()
    world.now_ms += 25_001
    second = program.connect()
    assert second == {**first, "expire_time": 7175}
    world.now_ms += LIFE_MS - 25_001 - 1
    assert program.connect()["expire_time"] == 1
    assert alive(program)


def test_a_token_lives_for_two_hours() -> None:
    world = open_world()
    program = connected(world)
    old = program.token
    world.now_ms += LIFE_MS - 1
    assert alive(program)
    world.now_ms += 1
    assert not alive(program)
    assert program.connect()["expire_time"] == 7200
    assert program.token != old
    assert alive(program)


def test_a_new_pair_each_time_is_a_setting() -> None:
    world = open_world(msgspec.structs.replace(SETTINGS, open_token_same=False))
    first, second = connected(world), connected(world)
    assert first.token != second.token
    assert not alive(first)
    assert alive(second)


def test_fields_of_other_modes_are_ignored() -> None:
    program = Program(open_world())
    assert ask(program, grant_type="1", terminal_id="x", target_uid="uid0", code="x")["success"]


@pytest.mark.parametrize("grant_type", ["", "0", "3", "01", "x"])
def test_other_grant_types_are_invalid(grant_type: str) -> None:
    assert ask(Program(open_world()), grant_type=grant_type)["code"] == 1003
    assert Program(open_world()).code("GET", TOKEN) == 1003


def test_a_token_call_ignores_the_token_that_it_carries() -> None:
    program = connected(open_world())
    change = {"access_token": "0" * 32}
    path = f"{TOKEN}/{program.refresh_token}"
    assert program.call("GET", path, token="", change=change)["success"]


# --- refresh ------------------------------------------------------------------------------------


def test_a_refresh_gives_a_new_pair_and_ends_the_old_one() -> None:
    program = connected(open_world())
    old = Program(program.world)
    old.token = program.token
    result = program.keep(refresh(program))
    assert result["expire_time"] == 7200
    assert result["uid"].startswith("bay")
    assert program.token != old.token
    assert alive(program)
    assert not alive(old)


def test_a_refresh_token_works_once() -> None:
    program = connected(open_world())
    old = program.refresh_token
    program.keep(refresh(program))
    envelope = refresh(program, old)
    assert (envelope["code"], envelope["msg"]) == (1010, "token invalid")
    assert refresh(program)["success"]


def test_a_refresh_token_has_no_time_limit() -> None:
    world = open_world()
    program = connected(world)
    world.now_ms += 400 * 86_400_000
    program.keep(refresh(program))
    assert alive(program)


def test_refresh_tokens_of_others_are_unknown() -> None:
    world = open_world()
    program = connected(world)
    other = connected(world, access_id=OTHER_ID, secret=OTHER_SECRET)
    assert refresh(other, program.refresh_token)["code"] == 1010
    assert refresh(program, program.token)["code"] == 1010
    program.prefix = "/us"
    assert refresh(program)["code"] == 1010


# --- consent ------------------------------------------------------------------------------------


def consent(world: World, number: int = 0) -> str:
    """Let a consumer consent in the app; return the code."""
    session = world.consumer(number)
    form = {"access_id": ACCESS_ID}
    code: str = world.get("POST", "/app/v1/consents", form, session)["code"]
    return code


def granted(world: World, **query: str) -> Program:
    """Return a program that acts for a consumer."""
    program = Program(world)
    program.keep(ask(program, grant_type="2", code=consent(world)))
    return program


def test_a_code_becomes_a_token_of_the_consumer() -> None:
    world = open_world()
    program = Program(world)
    result = program.keep(ask(program, grant_type="2", code=consent(world)))
    assert result["uid"] == "uid0"
    assert result["expire_time"] == 7200
    assert program.call("GET", ECHO)["result"]["uid"] == "uid0"
    assert connected(world).call("GET", ECHO)["result"]["uid"] == ""
    assert alive(program)


@pytest.mark.parametrize("query", [{}, {"code": ""}, {"code": "nonsense"}])
def test_a_wrong_code_is_invalid(query: dict[str, str]) -> None:
    assert ask(Program(open_world()), grant_type="2", **query)["code"] == 1107


def test_a_code_is_redeemed_once_in_time_and_by_its_project() -> None:
    world = open_world()
    program = Program(world)
    other = Program(world, OTHER_ID, OTHER_SECRET)
    code = consent(world)
    assert ask(other, grant_type="2", code=code)["code"] == 1107
    assert ask(program, grant_type="2", code=code)["success"]
    assert ask(program, grant_type="2", code=code)["code"] == 1107
    late = consent(world)
    world.now_ms += 600_000
    assert ask(program, grant_type="2", code=late)["code"] == 1107


def test_a_code_is_of_use_in_the_consumers_data_centre_only() -> None:
    world = open_world()
    code = consent(world)
    abroad = Program(world, prefix="/us")
    for query in ({"grant_type": "2", "code": code}, {"grant_type": "3", "code": code}):
        path = TOKEN if query["grant_type"] == "2" else "/v1.0/authorize_token"
        assert abroad.code("GET", path, query, token="") == 1107
    assert ask(Program(world), grant_type="2", code=code)["success"]


def test_a_later_consent_ends_an_earlier_code() -> None:
    world = open_world()
    first, second = consent(world), consent(world)
    assert ask(Program(world), grant_type="2", code=first)["code"] == 1107
    assert ask(Program(world), grant_type="2", code=second)["success"]


def test_a_consent_ends_after_two_hours_whatever_is_refreshed() -> None:
    world = open_world()
    program = granted(world)
    world.now_ms += 3_600_000
    result = program.keep(refresh(program))
    assert result["expire_time"] == 3_600
    assert result["uid"] == "uid0"
    world.now_ms += 3_600_000 - 1
    assert alive(program)
    world.now_ms += 1
    assert not alive(program)
    assert refresh(program)["code"] == 1010


def test_how_long_a_consent_lasts_is_a_setting() -> None:
    world = open_world(msgspec.structs.replace(SETTINGS, open_grant_life_s=86_400))
    program = granted(world)
    world.now_ms += LIFE_MS
    assert not alive(program)
    program.keep(refresh(program))
    assert alive(program)


def authorize(program: Program, **query: str) -> dict[str, Any]:
    return program.call("GET", "/v1.0/authorize_token", query, token="")


def test_the_older_way_to_redeem_a_code() -> None:
    world = open_world()
    program = Program(world)
    assert authorize(program, grant_type="3", associate_id="uid0")["code"] == 1107
    assert program.keep(authorize(program, grant_type="3", code=consent(world)))["uid"] == "uid0"
    again = authorize(program, grant_type="3", associate_id="uid0")["result"]
    assert again["access_token"] == program.token
    assert authorize(program, grant_type="3", associate_id="uid1")["code"] == 1107
    assert authorize(program, grant_type="3")["code"] == 1107
    assert authorize(program, grant_type="2", code=consent(world))["code"] == 1003
    world.now_ms += LIFE_MS
    assert authorize(program, grant_type="3", associate_id="uid0")["code"] == 1107


# --- what survives, and what does not show ------------------------------------------------------


def test_tokens_survive_a_restart() -> None:
    world = open_world()
    simple, acting, code = connected(world), granted(world), consent(world, 1)
    assert_reloads(world)
    before = simple.token, acting.token
    world.kill_and_restart()
    assert simple.connect()["access_token"] == before[0]
    assert acting.call("GET", "/v1.0/nowhere")["code"] == 1108
    assert acting.keep(refresh(acting))["uid"] == "uid0"
    assert ask(simple, grant_type="2", code=code)["result"]["uid"] == "uid1"
    assert_reloads(world)


def test_pairs_do_not_show_their_tokens() -> None:
    shown = repr(TokenPair("hush", 7200, "hush", "bay"))
    assert "hush" not in shown
    assert "uid='bay'" in shown
