"""How often a project may call: in a second per interface, in a day per key."""

from typing import Any

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.open.limits import UNKNOWN, interface_of, rate_of
from fleet.cloud.open_calls import NOTED_EVERY
from fleet.cloud.settings import Settings
from tests.cloud.open.program import (
    OTHER_ID,
    OTHER_SECRET,
    ROUTES,
    Program,
    connected,
    open_world,
)
from tests.cloud.support import DAY_MS, SETTINGS, START_MS, World

ECHO = "/v1.0/echo/it"
MIDNIGHT_MS = START_MS // DAY_MS * DAY_MS + DAY_MS


def world(**choices: Any) -> World:
    return open_world(msgspec.structs.replace(SETTINGS, **choices))


def codes(program: Program, count: int, path: str = ECHO) -> list[int]:
    """Return the codes of `count` calls, 0 for a success."""
    return [program.call("GET", path).get("code", 0) for _ in range(count)]


def test_a_second_has_so_many_calls_per_interface() -> None:
    one = world(open_calls_per_second=3)
    program = connected(one)
    assert codes(program, 5) == [0, 0, 0, 1199, 1199]
    assert codes(program, 1, "/v1.0/echo/another") == [1199]
    assert codes(program, 1, "/v1.0/echo/nothing") == [0]
    assert codes(program, 4, "/v1.0/nowhere") == [1108, 1108, 1108, 1199]
    assert codes(program, 1, "/v1.0/nowhere/else") == [1199]
    one.now_ms += 1_000
    assert codes(program, 4) == [0, 0, 0, 1199]


def test_a_second_begins_with_the_full_second() -> None:
    one = world(open_calls_per_second=1)
    program = connected(one)
    one.now_ms += 999
    assert codes(program, 2) == [0, 1199]
    one.now_ms += 1
    assert codes(program, 2) == [0, 1199]


def test_projects_do_not_disturb_each_other() -> None:
    one = world(open_calls_per_second=1, open_calls_per_day=3)
    program = connected(one)
    other = connected(one, access_id=OTHER_ID, secret=OTHER_SECRET)
    assert codes(program, 2) == [0, 1199]
    assert codes(other, 1) == [0]


def test_refused_calls_count_too() -> None:
    one = world(open_calls_per_day=4)
    program = connected(one)
    assert program.code("GET", "/v1.0/nowhere") == 1108
    assert program.code("GET", ECHO, change={"sign": "x"}) == 1004
    assert codes(program, 2) == [0, 1199]
    assert program.code("GET", ECHO, change={"sign": "x"}) == 1004


def test_strangers_need_not_count() -> None:
    """Neither what they send with a wrong signature, nor what they repeat when it is too old."""
    one = world(open_calls_per_day=4, open_calls_per_second=2, open_count_unsigned=False)
    program = connected(one)
    for _ in range(9):
        assert program.code("GET", ECHO, change={"sign": "x"}) == 1004
        assert program.code("GET", ECHO, change={"t": "1600000000000"}) == 1013
    assert program.code("GET", "/v1.0/nowhere") == 1108
    assert codes(program, 3) == [0, 0, 1199]


def test_then_signatures_are_asked_for_before_limits() -> None:
    early = ("limits", *(check for check in SETTINGS.open_check_order if check != "limits"))
    world(open_check_order=early)
    with pytest.raises(UsageError, match="limits come after sign"):
        world(open_check_order=early, open_count_unsigned=False)


def test_the_day_turns_at_midnight() -> None:
    one = world(open_calls_per_day=3)
    one.now_ms = MIDNIGHT_MS - 2
    program = connected(one)
    assert codes(program, 3) == [0, 0, 1199]
    one.now_ms += 1
    assert codes(program, 1) == [1199]
    one.now_ms += 1
    assert codes(program, 4) == [0, 0, 0, 1199]


def test_midnight_is_a_setting() -> None:
    one = world(open_calls_per_day=1, open_calls_day_offset_min=60)
    one.now_ms = MIDNIGHT_MS - 3_600_000
    program = Program(one)
    query = {"grant_type": "1"}
    assert program.call("GET", "/v1.0/token", query)["success"]
    assert program.code("GET", "/v1.0/token", query) == 1199
    one.now_ms += DAY_MS - 1
    assert program.code("GET", "/v1.0/token", query) == 1199
    one.now_ms += 1
    assert program.call("GET", "/v1.0/token", query)["success"]


def test_the_codes_are_settings() -> None:
    one = world(open_calls_per_second=1, open_rate_code=1110)
    assert codes(connected(one), 2) == [0, 1110]
    one = world(open_calls_per_day=2, open_day_code=28841004)
    assert codes(connected(one), 2) == [0, 28841004]


def test_a_restart_forgets_the_second_and_keeps_the_day() -> None:
    one = world(open_calls_per_second=2 * NOTED_EVERY, open_calls_per_day=NOTED_EVERY)
    program = connected(one)
    assert codes(program, NOTED_EVERY)[-2:] == [0, 1199]
    one.kill_and_restart()
    assert program.code("GET", "/v1.0/token", {"grant_type": "1"}, token="") == 1199


@pytest.mark.parametrize(
    ("method", "pattern", "rate"),
    [
        ("GET", "/v2.0/cloud/space/child", 20),
        ("GET", "/v2.0/cloud/space/{space_id}/resource", 20),
        ("POST", "/v2.0/cloud/space/creation", 10),
        ("DELETE", "/v2.0/cloud/space/{space_id}", 10),
        ("GET", "/v2.0/cloud/thing/{device_id}/model", 10),
        ("GET", "/v2.0/cloud/thing/{device_id}/shadow/properties", 50),
        ("GET", "/v2.0/cloud/thing/{device_id}/shadow/properties/desired", 10),
        ("POST", "/v2.0/cloud/thing/{device_id}/shadow/properties/desired", 4),
        ("POST", "/v2.0/cloud/thing/{device_id}/shadow/properties/issue", 4),
        ("POST", "/v2.0/cloud/thing/{device_id}/shadow/actions", 4),
        ("GET", "/v2.0/cloud/thing/{device_id}", 500),
        ("GET", "/v1.0/devices/{device_id}", 500),
        (*UNKNOWN, 500),
    ],
)
def test_some_families_have_rates_of_their_own(method: str, pattern: str, rate: int) -> None:
    assert rate_of((method, pattern), Settings()) == rate
    assert rate_of((method, pattern), Settings(open_calls_per_second=1)) == 1


def test_an_interface_is_a_route() -> None:
    assert interface_of(ROUTES[0]) == ("GET", "/v1.0/echo/{name}")
    assert interface_of(None) == UNKNOWN


def test_the_rate_of_a_family_is_kept() -> None:
    program = connected(world(open_space_reads_per_second=2))
    assert codes(program, 3, "/v2.0/cloud/space/child") == [0, 0, 1199]
