from itertools import islice
from typing import Any, get_args

import pytest

from firmware_sim.device.states import Lifecycle
from firmware_sim.runtime import faults as declared
from firmware_sim.runtime.faults import Fault
from fleet.run import cloud_faults as of_cloud
from fleet.run.fault_kinds import KINDS
from fleet.run.faults import (
    ANY,
    CLOUD_DOWN,
    FaultTable,
    Kind,
    State,
    mistake,
    only_virtual,
)


def a_table(kind: Kind = "wifi_gone", **keys: Any) -> FaultTable:
    defaults: dict[str, Any] = {"during": "always", "for_s": 1.5}
    return FaultTable(kind=kind, **(defaults | keys))


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (a_table(), declared.WifiGone(1500)),
        (a_table("cable_pulled"), declared.CablePulled(1500)),
        (a_table("dhcp_late", late_s=0.25), declared.DhcpLate(1500, 250)),
        (a_table("dns_refused"), declared.DnsRefused(1500)),
        (a_table("connect_refused"), declared.ConnectRefused(1500)),
        (a_table("black_hole"), declared.BlackHole(1500)),
        (a_table("slow", latency_ms=40), declared.Slow(1500, 40)),
        (a_table("half_open", for_s=0), declared.HalfOpen()),
        (a_table("power_cut"), declared.PowerCut(1500)),
        (a_table("loss", loss_pct=30), declared.Loss(1500, 30)),
        (a_table("duplicate", duplicate_pct=40), declared.Duplicate(1500, 40)),
        (a_table("reorder", reorder_ms=50), declared.Reorder(1500, 50)),
        (a_table("partition"), declared.Partition(1500)),
        (a_table("clock_skew", skew_s=-301), declared.ClockSkew(1500, -301)),
    ],
)
def test_a_table_becomes_the_fault_that_it_names(table: FaultTable, fault: Fault) -> None:
    assert table.fault(size=1) == fault
    assert mistake((table,), unbind=True) is None


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (a_table(CLOUD_DOWN), of_cloud.CloudDown(1.5, politely=False)),
        (a_table(CLOUD_DOWN, by="stop"), of_cloud.CloudDown(1.5, politely=True)),
        (a_table("cloud_hung"), of_cloud.CloudHung(1.5)),
        (a_table("cloud_slow", latency_ms=40), of_cloud.CloudSlow(1.5, 40)),
        (a_table("crash_before_write"), of_cloud.CloudCrash(1.5, 7, written=False)),
        (a_table("crash_after_write"), of_cloud.CloudCrash(1.5, 7, written=True)),
        (a_table("disk_slow", latency_ms=40), of_cloud.DiskSlow(1.5, 40)),
        (a_table("broker_restart"), of_cloud.BrokerRestart(1.5)),
    ],
)
def test_a_table_of_the_cloud_becomes_what_befalls_it(
    table: FaultTable, fault: of_cloud.CloudFault
) -> None:
    assert table.cloud_fault(size=1, commits=7) == fault
    assert mistake((table,), unbind=True) is None


def test_every_fault_that_is_declared_can_be_asked_for() -> None:
    assert list(get_args(Kind)) == list(KINDS)


def test_what_only_virtual_time_can_play_is_named() -> None:
    tables = (a_table(), a_table("disk_slow", latency_ms=1, during="stay"), a_table("cloud_hung"))
    assert only_virtual(tables) == ("only with --virtual: disk_slow during stay",)


def test_a_device_can_be_struck_in_every_state_that_a_run_brings_about() -> None:
    states = {state for state in get_args(State) if state != ANY}
    never = {Lifecycle.OFF, Lifecycle.UPDATING}  # no power to lose; nobody updates anything here
    assert states == {state.name.lower() for state in Lifecycle if state not in never}


@pytest.mark.parametrize(("size", "length_s"), [(1.0, 600), (2.0, 600), (0.04, 24), (0.0001, 1)])
def test_some_faults_are_shorter_in_a_small_fleet(size: float, length_s: float) -> None:
    table = a_table(CLOUD_DOWN, for_s=600, shrinks=True)
    assert table.length_s(size) == pytest.approx(length_s)
    assert a_table(CLOUD_DOWN, for_s=600).length_s(size) == 600
    assert a_table(for_s=0.5, shrinks=True).length_s(0.01) == 0.5


@pytest.mark.parametrize(
    ("table", "turns"),
    [
        (a_table(), [0]),
        (a_table(at_s=5), [0]),
        (a_table(every_s=2), [0, 1, 2, 3, 4]),
        (a_table(every_s=2, until_s=6), [0, 1, 2, 3]),
        (a_table(at_s=5, every_s=2, until_s=6), [0]),
        (a_table(at_s=5, every_s=0.5, until_s=6), [0, 1, 2]),
    ],
)
def test_it_comes_again_until_its_time_is_over(table: FaultTable, turns: list[int]) -> None:
    assert list(islice(table.turns(), 5)) == turns


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (a_table(for_s=0), "for_s: wifi_gone has to last some time; allowed: from 0.001"),
        (a_table("half_open"), "for_s: half_open is for ever; allowed: 0"),
        (a_table(latency_ms=5), "latency_ms: means nothing to wifi_gone, it is a key of slow"),
        (a_table(late_s=5), "late_s: means nothing to wifi_gone, it is a key of dhcp_late"),
        (a_table(by="stop"), "by: means nothing to wifi_gone, it is a key of cloud_down"),
        (a_table("slow"), "latency_ms: slow needs one; allowed: a whole number from 1 to 60000"),
        (a_table("dhcp_late"), "late_s: dhcp_late needs one; allowed: from 0.001 to 600"),
        (a_table("loss"), "loss_pct: loss needs one; allowed: a whole number from 1 to 90"),
        (a_table("reorder", loss_pct=5), "loss_pct: means nothing to reorder, it is a key of loss"),
        (
            a_table("duplicate"),
            "duplicate_pct: duplicate needs one; allowed: a whole number from 1",
        ),
        (a_table("reorder"), "reorder_ms: reorder needs one; allowed: a whole number from 1 to 60"),
        (
            a_table("clock_skew"),
            "skew_s: clock_skew needs one; allowed: a whole number from -31622400 to 31622400, not 0",
        ),
        (a_table(skew_s=5), "skew_s: means nothing to wifi_gone, it is a key of clock_skew"),
        (
            a_table("cloud_slow", latency_ms=9_000),
            "latency_ms: cloud_slow needs one; allowed: a whole number from 1 to 8000",
        ),
        (
            a_table("cloud_hung", within_commits=5),
            "within_commits: means nothing to cloud_hung, it is a key of crash_before_write, crash_a",
        ),
        (
            a_table("broker_restart", share_pct=5),
            "share_pct: means nothing to broker_restart, which",
        ),
        (a_table("cloud_hung", every_s=1), "every_s: the cloud has to come back in between; allow"),
        (a_table("disk_slow", latency_ms=1, during="start"), "during: the start is a moment, and"),
        (a_table(every_s=0.01), "every_s: 0.01 is too often; allowed: 0 or from 0.1"),
        (a_table(state="online", every_s=1), "every_s: a device enters a state when it does; allo"),
        (a_table(state="online", at_s=1), "at_s: a device enters a state when it does; allowed wi"),
        (
            a_table(during="stay"),
            "during: this scenario has no phase 'stay'; allowed: start, home, ",
        ),
        (
            a_table(during="start", at_s=1),
            "during: the start is a moment, and takes a cloud; allow",
        ),
        (
            a_table(during="start", within_s=1),
            "during: the start is a moment, and takes a cloud; allow",
        ),
        (
            a_table(during="start", state="online"),
            "during: the start is a moment, and takes a cloud; allow",
        ),
        (
            a_table("half_open", during="start", for_s=0),
            "during: no connection stands at the start; allowed: a later phase",
        ),
        (a_table(CLOUD_DOWN, during="start"), "during: the start is a moment, and takes a cloud; "),
        (a_table(CLOUD_DOWN, share_pct=5), "share_pct: means nothing to cloud_down, which strikes"),
        (
            a_table(CLOUD_DOWN, of="benches"),
            "of: means nothing to cloud_down, which strikes all de",
        ),
        (a_table(CLOUD_DOWN, within_s=5), "within_s: means nothing to cloud_down, which strikes a"),
        (a_table(CLOUD_DOWN, state="online"), "state: means nothing to cloud_down, which strikes "),
        (a_table(until_s=9), "until_s: it does not come again; leave it out, or give every_s"),
        (
            a_table(at_s=9, every_s=2, until_s=8),
            "until_s: it begins later than that; allowed: 0 or from 9",
        ),
        (
            a_table(CLOUD_DOWN, every_s=1),
            "every_s: the cloud has to come back in between; allowed: ",
        ),
    ],
)
def test_a_mistake_is_one_line(table: FaultTable, line: str) -> None:
    found = mistake((a_table(), table), unbind=True)
    assert found is not None
    assert found.startswith(f"faults[1].{line}")
    assert "\n" not in found


def test_a_scenario_that_unbinds_nothing_has_other_phases() -> None:
    assert mistake((a_table(during="stay"),), unbind=False) is None
    assert mistake((a_table(during="reset"),), unbind=False) == (
        "faults[0].during: this scenario has no phase 'reset'; allowed: start, home, stay, always"
    )


def test_nothing_returns_from_homes_to_a_shelf() -> None:
    for phase in ("home", "return", "reset", "stay"):
        found = mistake((a_table(during=phase),), unbind=True, shelf=True)
        assert found is not None
        assert f"no phase '{phase}'; allowed: start, unbind, rebind, always" in found
    assert mistake((a_table(during="unbind"),), unbind=True, shelf=True) is None
