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
        UsageError, match=r"no scenario 'nonsense'; built in: bad-network, batch-unbind, "
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
    assert built_in_names() == (
        "bad-network",
        "batch-unbind",
        "bench-outage",
        "cloud-crash-storm",
        "flaky-wan",
        "midnight",
        "power-cut",
        "quota-campaign",
        "reconnect-storm",
        "tampered-firmware",
    )


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


SHELF = """
name = "shelf"
title = "From a shelf"
devices = 4
start = "shelf"
[quotas]
midnight_in_min = 2
zone = "-12:00"
[campaign]
days = 4
arrive_days = 3
shrinks = true
[[products]]
name = "camera"
profile = "ipc-red-green"
share = 1
[[operators]]
name = "o"
role = "owner"
share = 1
"""


def test_a_scenario_may_begin_on_a_shelf(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SHELF)
    scenario = load_scenario(str(path))
    assert (scenario.start, scenario.campaign.arrive_days) == ("shelf", 3)
    assert (scenario.quotas.midnight_in_min, scenario.quotas.zone) == (2, "-12:00")


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            'start = "shelf"',
            'start = "sea"',
            "start: invalid enum value 'sea'; allowed: homes, she",
        ),
        ('start = "shelf"', "", "campaign.arrive_days: homes are emptied at once; allowed: 1, or "),
        (
            "arrive_days = 3",
            "arrive_days = 5",
            "campaign.arrive_days: 5 is more than there are; at",
        ),
        ("midnight_in_min = 2", "", "quotas.zone: means nothing without midnight_in_min; leave it"),
        (
            "midnight_in_min = 2",
            "midnight_in_min = 1441",
            "quotas.midnight_in_min: expected `int` <",
        ),
        ('"-12:00"', '"-15:00"', "quotas.zone: expected `str` matching regex"),
        ("days = 4", "days = 0", "campaign.days: expected `int` >= 1; allowed: a whole number"),
        ("[campaign]", "[trouble]\ntoken_dead = 1\n[campaign]", "trouble: nobody has switched the"),
        (
            "[[operators]]",
            '[[faults]]\nkind = "power_cut"\nduring = "reset"\nfor_s = 1\n[[operators]]',
            "faults[0].during: this scenario has no phase 'reset'; allowed: start, unbind, rebind, ",
        ),
        ('start = "shelf"', 'unbind = false\nstart = "shelf"', "operators: nothing is unbound"),
    ],
)
def test_a_mistake_about_shelves_and_days(
    tmp_path: Path, before: str, after: str, line: str
) -> None:
    assert before in SHELF
    assert line in refusal(tmp_path, SHELF.replace(before, after, 1))


def test_a_campaign_needs_somebody_who_unbinds(tmp_path: Path) -> None:
    for table, key in (
        ("[campaign]\ndays = 2", "campaign"),
        ("[tampered]\ndevices = 1", "tampered"),
    ):
        text = STAY.replace("[expect]", f"{table}\n[expect]")
        assert f"{key}: nothing is unbound (unbind = false)" in refusal(tmp_path, text)
    at_home = STAY.replace("stay_s = 1", 'stay_s = 1\nstart = "shelf"')
    assert "start: nothing is unbound (unbind = false)" in refusal(tmp_path, at_home)


def test_a_smaller_fleet_has_fewer_days() -> None:
    campaign = load_scenario("quota-campaign").campaign
    assert (campaign.days, campaign.arrive_days, campaign.shrinks) == (30, 26, True)
    for size, days in ((1.0, (30, 26)), (2.0, (30, 26)), (0.2, (6, 6)), (0.0001, (1, 1))):
        smaller = campaign.of_size(size)
        assert (smaller.days, smaller.arrive_days) == days
        assert smaller.come_every_s == campaign.come_every_s
    midnight = load_scenario("midnight").campaign
    assert midnight.of_size(0.01) == midnight


def test_the_campaign_is_what_was_asked_for() -> None:
    scenario = load_scenario("quota-campaign")
    assert (scenario.devices, len(scenario.operators), scenario.start) == (100_000, 40, "shelf")
    assert {operator.role for operator in scenario.operators} == {"owner", "partner", "after_sale"}
    per_day = len(scenario.operators) * scenario.quotas.account
    assert scenario.devices / scenario.campaign.arrive_days < per_day, "accounts are enough"
    largest = max(product.share for product in scenario.products) / 1000 * scenario.devices
    assert largest > scenario.quotas.product * scenario.campaign.days, "products are not"


def test_benches_go_dark_as_a_whole() -> None:
    tables = load_scenario("bench-outage").faults
    assert [(table.of, table.every_s > 0) for table in tables[:2]] == [("benches", True)] * 2


def test_the_cloud_is_killed_and_never_asked() -> None:
    away = [table for table in load_scenario("cloud-crash-storm").faults if table.kind != "slow"]
    assert {(table.kind, table.by, table.during) for table in away} == {
        ("cloud_down", "kill", "unbind"),
        ("cloud_down", "kill", "rebind"),
    }
    assert all(table.every_s for table in away)


def test_what_goes_wrong_by_name() -> None:
    lines = {table.kind for table in load_scenario("flaky-wan").faults}
    packets = {table.kind for table in load_scenario("bad-network").faults}
    assert lines | packets | {"power_cut"} == set(get_args(Kind))
    struck = {(table.during, table.state) for table in load_scenario("power-cut").faults}
    for phase in ("home", "return", "reset", "unbind", "rebind"):
        assert phase in {during for during, _ in struck}
    for state in ("booting", "joining", "activating", "online", "resetting"):
        assert state in {state for _, state in struck}


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(Warehouse("net", "secret-secret"))
    assert repr(Home()) == "Home(join_ms=300)"


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (
            '"unbind.p96_ms" = ["< 1"]',
            'thresholds."unbind.p96_ms": no figure has this name; there are unbind.p9',
        ),
        (
            '"unbind.p95_ms" = ["4000"]',
            "thresholds.\"unbind.p95_ms\": '4000' is no condition; allowed:",
        ),
        ("unbind.p95_ms = 4000", 'thresholds."unbind.p95_ms": 4000 is no list of conditions;'),
    ],
)
def test_a_threshold_that_means_nothing_is_one_line(tmp_path: Path, table: str, line: str) -> None:
    text = BUILT_IN.partition("[thresholds]")[0] + f"[thresholds]\n{table}\n"
    assert refusal(tmp_path, text).startswith(line)


def test_thresholds_of_built_in_scenarios_ask_for_no_times() -> None:
    for name in built_in_names():
        for metric in load_scenario(name).thresholds:
            assert metric.startswith("outcomes.") or metric == "run.violations"
