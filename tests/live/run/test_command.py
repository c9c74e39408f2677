"""Whole runs: what they come to when all goes well, and when it does not."""

import io
import time
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.run.command import INTERRUPTED, perform
from fleet.run.result import RunResult

from .support import FLAKY, QUICK, STORM, Striker, family, interrupt, kill, quiet


def complete(result: RunResult) -> bool:
    assert (result.violations, result.unmet, result.left_out) == ((), (), ())
    assert (result.outcomes.unbound, result.outcomes.rebound) == (18, 6)
    assert result.by_method == {"qr": 12, "wired": 6}
    return result.passed


def test_a_run_with_every_refusal() -> None:
    result = perform(QUICK, decoder="pyzbar", console=quiet())
    assert complete(result)
    assert result.incidents == ()
    assert set(result.outcomes.refused) == {
        "token_full",
        "token_dead",
        "no_permission",
        "already_bound",
        "account_quota",
        "product_quota",
    }
    assert result.outcomes.failed == {"wifi_password": 1}
    assert all(histogram.count for histogram in result.phases.values())
    assert result.phases["reset"].count == 18
    assert result.phases["unbind"].count == 18
    assert result.phases["rebind"].count == 6
    assert result.decoded >= 12
    assert min(result.cpu_s.values()) > 0
    assert result.peak_rss_bytes > 50 << 20
    assert family() == set()


@pytest.mark.parametrize(
    ("scenario", "devices", "broker", "line"),
    [
        (
            "quota-campaign",
            5000,
            "",
            "quota-campaign: 5000 devices take 2 days, and live that long; use --virtual, or at most",
        ),
        ("tampered-firmware", 10, "mqtt://127.0.0.1:1", "--broker: tampered-firmware needs the cl"),
    ],
)
def test_what_cannot_be_played_live_is_one_line(
    scenario: str, devices: int, broker: str, line: str
) -> None:
    with pytest.raises(UsageError) as caught:
        perform(scenario, devices=devices, broker=broker, console=quiet())
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_fleet_that_only_stays_online_comes_back_after_an_outage() -> None:
    result = perform(STORM, outage_s=0.5, console=quiet())
    assert result.passed, (result.violations, result.unmet)
    assert result.incidents == (), "what was planned is no incident"
    [outage] = result.outages
    assert outage.down_s >= 0.5
    assert outage.devices == 6
    assert set(outage.recovered_s) == {50, 95, 100}
    assert outage.attempts_after >= 1
    assert outage.cloud_cpu_s > 0
    assert result.traffic.devices == 6
    assert result.traffic.connects >= 6 + outage.attempts_while_down + outage.attempts_after
    assert result.traffic.calls >= 6
    assert [(fault.kind, fault.during) for fault in result.faults] == [
        ("cloud_down", "stay"),
        ("half_open", "stay"),
    ]
    assert sum(result.faults[1].states.values()) >= 2
    assert (result.outcomes.unbound, result.outcomes.rebound) == (0, 0)
    assert family() == set()


def test_everything_goes_wrong_and_all_are_unbound_in_the_end() -> None:
    result = perform(FLAKY, decoder="zxing", console=quiet())
    assert (result.violations, result.unmet) == ((), ())
    assert (result.outcomes.unbound, result.outcomes.rebound) == (8, 2)
    struck = {(f.kind, f.during): set(f.states) for f in result.faults}
    assert struck["power_cut", "reset"] & {"resetting", "booting"}
    assert struck["power_cut", "rebind"]
    assert len(result.faults[2].states) > 0, "in the middle of an activation"
    assert result.retries
    assert family() == set()


def test_the_cloud_is_killed_in_the_middle() -> None:
    screen = Striker("  unbind ", kill("fleet-cloud"), 0.3)
    result = perform(QUICK, decoder="zxing", console=screen.console)
    assert complete(result)
    assert len(result.incidents) == 2
    assert result.incidents[0].startswith("the cloud died (pid ")
    assert result.incidents[1] == "the cloud is back"


def test_a_shard_is_killed_in_the_middle() -> None:
    screen = Striker("  unbind ", kill("fleet-shard-1"), 0.3)
    result = perform(QUICK, decoder="zxing", shards=2, console=screen.console)
    assert complete(result)
    assert result.shards == 2
    assert result.incidents[0].startswith("shard 1 died (pid ")
    assert result.incidents[1] == "shard 1 is back"


def test_a_shard_is_killed_with_fingers_on_its_buttons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.run.stage.RESET_SLACK_S", 1.5)
    screen = Striker("  reset ", kill("fleet-shard-0"))
    assert complete(perform(QUICK, decoder="zxing", shards=2, console=screen.console))


def test_ctrl_c_leaves_a_partial_result_and_no_process() -> None:
    screen = Striker("  unbind ", interrupt, 0.5)
    result = perform(QUICK, decoder="zxing", shards=2, console=screen.console)
    assert time.monotonic() - screen.struck_s < 0.5 + 2.0
    assert result.aborted == INTERRUPTED
    assert not result.passed
    assert result.phases["reset"].count == 18
    assert family() == set()


def test_what_cannot_be_helped_ends_the_run_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.run.shard_host.REPLACEMENTS_MAX", 0)
    screen = Striker("  unbind ", kill("fleet-shard-0"))
    result = perform(QUICK, decoder="zxing", console=screen.console)
    assert result.aborted == "shard 0 died 1 times; see the messages above"
    assert family() == set()


def test_data_stays_where_it_was_asked_for(tmp_path: Path) -> None:
    screen = Striker("  home ", interrupt)
    data = tmp_path / "data"
    perform(QUICK, decoder="zxing", data_dir=data, console=screen.console)
    assert {path.name for path in data.iterdir()} >= {"cloud", "shard-0.0.flash"}
    with pytest.raises(UsageError, match="not empty"):
        perform(QUICK, decoder="zxing", data_dir=data, console=quiet())


def test_nothing_starts_on_a_machine_that_is_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def unfit(*_: object, **__: object) -> None:
        raise UsageError("open files: the limit is 64; raise it")

    monkeypatch.setattr("fleet.doctor.require", unfit)
    screen = io.StringIO()
    with pytest.raises(UsageError, match="open files"):
        perform(QUICK, console=quiet())
    assert screen.getvalue() == ""
    assert family() == set()
