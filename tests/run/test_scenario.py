from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire.lan_version import LanVersion
from fleet.run.faults import Kind
from fleet.run.scenario import (
    Home,
    Lan,
    Warehouse,
    built_in_names,
    load_scenario,
    with_outages,
)

BUILT_IN = (resources.files("fleet.run") / "scenarios" / "batch-unbind.toml").read_text("utf-8")

FAULT = '[[faults]]\nkind = "bad_mood"\nduring = "home"\n[trouble]'
GONE = '[[faults]]\nkind = "wifi_gone"\nduring = "home"\n{}\n[trouble]'


def refusal(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_scenario(str(path))
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def test_the_built_in_scenario_has_every_kind_of_device_operator_and_trouble() -> None:
    scenario = load_scenario()
    assert scenario.devices == 300
    assert {p.name: p.share for p in scenario.products} == {
        "indoor-camera": 110,
        "outdoor-camera": 90,
        "video-recorder": 60,
        "gateway": 40,
    }
    assert [operator.role for operator in scenario.operators] == ["owner", "partner", "after_sale"]
    assert scenario.rebind_every == 3
    assert scenario.batch_max == 30
    assert not scenario.warehouse.ssid.isascii()
    assert scenario.lan == Lan()
    assert {LanVersion.V33, LanVersion.V34, LanVersion.V35} < set(scenario.lan.versions)
    assert set(scenario.expect.refused) == {
        "token_full",
        "account_quota",
        "product_quota",
        "no_permission",
        "token_dead",
        "already_bound",
    }
    assert set(scenario.expect.failed) == {"wifi_password"}


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("devices = 300", "devices = 'x'", "devices: expected `int`, got `str`; allowed: a whole "),
        ("devices = 300", "devices = 0", "devices: expected `int` >= 1; allowed: a whole number"),
        ("devices = 300", "devics = 300", "unknown field `devics`; allowed: keys name, title, dev"),
        ("devices = 300", "devices = 3", "devices: 3 is less than one per product, at least 4"),
        ('role = "owner"', 'role = "boss"', "operators[0].role: invalid enum value 'boss'; allowe"),
        ("token_dead = 2  ", "token_ded = 2", "trouble: object contains unknown field `token_ded`"),
        ('"3.1" = 3,', '"3.6" = 3,', "lan.versions: invalid enum value '3.6'; allowed: 3.1, 3.2, "),
        (
            '"3.1" = 3,',
            '"3.1" = 0,',
            "lan.versions[...]: expected `int` >= 1; allowed: a whole num",
        ),
        ("versions = {", "versions = {} # ", "lan.versions: expected `object` of length >= 1"),
        ("token_dead = 2\nno", "x = 2\nno", "expect.refused: invalid enum value 'x'; allowed: ac"),
        ('name = "gateway"', 'name = "indoor-camera"', "products: the name 'indoor-camera' occurs"),
        ('role = "partner"', 'role = "owner"', "operators: more than one has the role 'owner'"),
        ("Rückläufer Café", "Ж" * 17, "warehouse.ssid: longer than 32 bytes of UTF-8, at most 32"),
        ("devices = 300", "devices =", "not a TOML file: "),
        ("rebind_every = 3", "rebind_every = 0", "trouble.already_bound: needs new owners, rebind"),
        ("rebind_every = 3", "rebind_every = 3\nunbind = 1", "unbind: expected `bool`, got `int`"),
        ("devices = 300", "devices = 300\nunbind = false", "rebind_every: nothing is unbound (unb"),
        ("devices = 300", "devices = 300\nstay_s = 5", "stay_s: devices that are unbound do not s"),
        ("rebound_pct = 100 ", "recovered_s = 15 ", "expect.recovered_s: takes a fault cloud_down"),
        ("[trouble]", FAULT, "faults[0].kind: invalid enum value 'bad_mood'; allowed: black_ho"),
        ("[trouble]", GONE.format("for_s = 0"), "faults[0].for_s: wifi_gone has to last some ti"),
        ("[trouble]", GONE.format("for_ms = 9"), "faults[0]: object contains unknown field `for_"),
        (
            "[trouble]",
            GONE.format("for_s = -1"),
            "faults[0].for_s: expected `float` >= 0.0; allowed: a number",
        ),
        ("[trouble]", GONE.format("share_pct = 0"), "faults[0].share_pct: expected `int` >= 1; a"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, before: str, after: str, line: str) -> None:
    assert before in BUILT_IN
    assert line in refusal(tmp_path, BUILT_IN.replace(before, after, 1))


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no scenario 'nonsense'; built in: batch-unbind, flaky-wan, "
    ):
        load_scenario("nonsense")
    with pytest.raises(UsageError, match="cannot read the scenario: No such file"):
        load_scenario(str(tmp_path / "nothing.toml"))
    (tmp_path / "latin.toml").write_bytes('name = "Café"'.encode("latin-1"))
    with pytest.raises(UsageError, match=r"latin.toml: not UTF-8 text \(byte 11\)"):
        load_scenario(str(tmp_path / "latin.toml"))


def test_profiles_are_found_beside_the_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BUILT_IN.replace('"nvr"', '"./my-nvr.toml"'), encoding="utf-8")
    profiles = [product.profile for product in load_scenario(str(path)).products]
    assert profiles == ["ipc-red-green", "ipc-red-green", f"{tmp_path}/my-nvr.toml", "gateway"]


def test_built_in_names() -> None:
    assert built_in_names() == ("batch-unbind", "flaky-wan", "power-cut", "reconnect-storm")


STAY = """
name = "stay"
title = "Nothing is unbound"
devices = 4
unbind = false
stay_s = 1
[[products]]
name = "camera"
profile = "ipc-red-green"
share = 1
[[faults]]
kind = "cloud_down"
during = "stay"
for_s = 600
shrinks = true
[expect]
recovered_s = 15
"""


def test_a_scenario_may_leave_the_unbinding_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(STAY)
    scenario = load_scenario(str(path))
    assert (scenario.unbind, scenario.operators, scenario.stay_s) == (False, (), 1)
    without_outage = STAY.replace('"cloud_down"', '"power_cut"')
    assert "expect.recovered_s: takes a fault cloud_down" in refusal(tmp_path, without_outage)
    unbinding = STAY.replace("unbind = false\nstay_s = 1", "")
    assert "operators: nobody is there to unbind; allowed: from 1" in refusal(tmp_path, unbinding)
    operator = STAY.replace("[expect]", "[[operators]]\nname='o'\nrole='owner'\nshare=1\n[expect]")
    assert "operators: nothing is unbound (unbind = false)" in refusal(tmp_path, operator)
    trouble = STAY.replace("[expect]", "[trouble]\ntoken_dead = 1\n[expect]")
    assert "trouble: nothing is unbound (unbind = false)" in refusal(tmp_path, trouble)


def test_the_storm_is_what_was_asked_for() -> None:
    storm = load_scenario("reconnect-storm")
    [fault] = storm.faults
    assert (storm.devices, storm.unbind, storm.expect.recovered_s) == (5000, False, 15)
    assert (fault.kind, fault.for_s, fault.length_s(200 / 5000)) == ("cloud_down", 600, 24)


def test_an_outage_may_be_shorter_or_longer() -> None:
    storm = load_scenario("reconnect-storm")
    assert with_outages(storm, None) is storm
    [fault] = with_outages(storm, 60).faults
    assert (fault.for_s, fault.length_s(0.01)) == (60, 60)
    with pytest.raises(UsageError, match="--outage-s: scenario 'power-cut' has no fault cloud_d"):
        with_outages(load_scenario("power-cut"), 60)
    with pytest.raises(UsageError, match=r"--outage-s 0: faults\[0\].for_s: cloud_down has to"):
        with_outages(storm, 0)


def test_what_goes_wrong_by_name() -> None:
    kinds = {table.kind for table in load_scenario("flaky-wan").faults}
    assert kinds == set(get_args(Kind)) - {"power_cut"}
    struck = {(table.during, table.state) for table in load_scenario("power-cut").faults}
    for phase in ("home", "return", "reset", "unbind", "rebind"):
        assert phase in {during for during, _ in struck}
    for state in ("booting", "joining", "activating", "online", "resetting"):
        assert state in {state for _, state in struck}


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(Warehouse("net", "secret-secret"))
    assert repr(Home()) == "Home(join_ms=300)"
