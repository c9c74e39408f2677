"""The order of the gateway's checks: each fault alone, and of two the one that is told."""

import itertools
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import fleet.cloud.open
from firmware_sim.errors import UsageError
from fleet.cloud.settings_gate import Check
from tests.cloud.open.program import ACCESS_ID, Program, open_world
from tests.cloud.support import SETTINGS, World

ECHO = "/v1.0/echo/it"
FAULTS = {
    "client": 1005,
    "time": 1013,
    "sign": 1004,
    "ip": 1114,
    "cut_off": 2007,
    "token": 1010,
    "centre": 28841107,
    "subscription": 28841101,
    "plan": 28841002,
    "limits": 1199,
    "path": 1108,
}
# What is in the way of a call goes into the settings, the project, or the call itself.
IN_SETTINGS: dict[str, dict[str, Any]] = {
    "cut_off": {"open_cut_off": ("EU 192.0.2.0/24",)},
    "limits": {"open_calls_per_second": 1},
}
IN_PROJECT: dict[str, dict[str, Any]] = {
    "ip": {"allowed_ips": ("10.0.0.0/8",)},
    "centre": {"regions": ("AZ",)},
    "subscription": {"families": ("homes",)},
    "plan": {"plan": "expired"},
}
PAIRS = [
    pair
    for pair in itertools.combinations(FAULTS, 2)
    if pair != ("subscription", "path")  # a path that leads nowhere is of no family
]


def merged(faults: tuple[str, ...], table: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {key: value for fault in faults for key, value in table.get(fault, {}).items()}


def refusal(*faults: str, **choices: Any) -> dict[str, Any]:
    """Make a call with these faults, the second one in its second; return the envelope."""
    world = open_world(
        msgspec.structs.replace(SETTINGS, **merged(faults, IN_SETTINGS), **choices),
        **merged(faults, IN_PROJECT),
    )
    program = Program(world, "nobody" if "client" in faults else ACCESS_ID)
    tokens = world.state.open_tokens
    program.token = tokens.simple(ACCESS_ID, "EU", world.now_ms).access_token
    if "token" in faults:
        program.token = "0" * 32
    if "time" in faults:
        program.ahead_ms = -300_001
    path = "/v1.0/nowhere" if "path" in faults else ECHO
    change = {"sign": "0" * 64} if "sign" in faults else {}
    program.call("GET", path, change=change)
    return program.call("GET", path, change=change)


def test_a_call_without_fault_passes_all_checks() -> None:
    assert refusal()["success"] is True
    assert {"client", *get_args(Check)} == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_check_alone(fault: str) -> None:
    envelope = refusal(fault)
    assert envelope["code"] == FAULTS[fault]
    assert "result" not in envelope


@pytest.mark.parametrize(("earlier", "later"), PAIRS)
def test_of_two_faults_the_earlier_one_is_told(earlier: str, later: str) -> None:
    assert refusal(earlier, later)["code"] == FAULTS[earlier]


@pytest.mark.parametrize(("earlier", "later"), PAIRS)
def test_another_order_is_a_setting(earlier: str, later: str) -> None:
    order = tuple(reversed(get_args(Check)))
    first = earlier if earlier == "client" else later
    assert refusal(earlier, later, open_check_order=order)["code"] == FAULTS[first]


@pytest.mark.parametrize("order", [(), ("time",), (*get_args(Check), "time")])
def test_an_order_names_each_check_once(order: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="open_check_order"):
        World(msgspec.structs.replace(SETTINGS, open_check_order=order))


def test_the_words_name_the_address_of_the_caller() -> None:
    assert refusal("ip")["msg"] == "your ip(192.0.2.7) don't have access to this API"
    assert refusal("cut_off")["msg"] == "your ip(192.0.2.7) cross-region access is not allowed"


def test_the_page_shows_the_order_and_the_codes() -> None:
    page = (Path(fleet.cloud.open.__file__).parent / "README.md").read_text()
    table = page[page.index("<!-- checks -->") : page.index("<!-- /checks -->")]
    rows = re.findall(r"^\| (?:`(\w+)`)? *\| .* \| ([\d, ]+) \|$", table, re.MULTILINE)
    assert [name or "client" for name, _ in rows] == list(FAULTS)
    assert all(str(FAULTS[name or "client"]) in codes.split(", ") for name, codes in rows)
