"""One case is played, and whatever must not be is a finding. Planted defects are found."""

import asyncio
from typing import Any

import msgspec
import pytest

from firmware_sim.device.device import Device
from firmware_sim.runtime.virtual.trace import Trace
from fleet.cloud.quotas import QuotaUse
from fleet.run.explore import trial
from fleet.run.explore.case import Conditions
from fleet.run.explore.draw import draw
from fleet.run.explore.outcome import ABORTED, UNMET
from fleet.run.explore.trial import Trial, of_error, play_case
from fleet.run.runner import Run
from fleet.run.scenario import Expect, QuotaLimits, load_scenario
from fleet.run.virtual.cloud import VirtualCloud
from fleet.run.virtual.disk import Disk
from tests.run.explore.support import CUT, DOWN, case


def test_a_good_day_has_no_finding_and_is_counted() -> None:
    told = play_case(case(devices=4, fair=True))
    assert told.finding is None
    assert told.events > 50
    assert 5 < told.virtual_s < 600
    assert told.struck == {}
    assert len(told.marks) > 20


def test_it_is_the_same_each_time_and_conditions_change_it() -> None:
    one, again = play_case(case()), play_case(case())
    assert one == again
    other = play_case(case(conditions=Conditions(trip_ms=200, jitter_ms=900, write_ms=300)))
    assert other.finding is None
    assert other.digest != one.digest
    assert other.virtual_s > one.virtual_s


def test_firmware_and_cloud_are_as_the_case_says() -> None:
    refusing = case(devices=4, cloud={"unbind_mode": "refuse"})
    of_old_age = case(devices=4, firmware={"generation": "2.1"})
    told = [play_case(one) for one in (case(devices=4), refusing, of_old_age)]
    assert [one.finding for one in told] == [None] * 3
    assert len({one.digest for one in told}) == 3


def test_faults_that_struck_are_counted_by_kind() -> None:
    told = play_case(case(CUT, DOWN, devices=4))
    assert told.finding is None
    assert told.struck["cloud_down"] == 4
    assert told.struck["power_cut"] >= 4


# --- planted defects ----------------------------------------------------------------------------


def test_a_write_that_a_crash_takes_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_at_crash(monkeypatch)
    told = play_case(case(DOWN, devices=4))
    assert told.finding is not None
    assert told.finding.name in ("quotas_kept", "acknowledged_survives")
    assert told.finding.trail == ""
    assert 0 < told.finding.at_s <= told.virtual_s


def forget_at_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a crash take back what was written of the quotas used."""
    crash = Disk.crash

    def forget(disk: Disk) -> None:
        crash(disk)
        disk._tables.get(QuotaUse, {}).clear()

    monkeypatch.setattr(Disk, "crash", forget)


def test_an_exception_is_a_finding_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: VirtualCloud) -> None:
        raise ZeroDivisionError("not\ntoday")

    begin = VirtualCloud.start
    monkeypatch.setattr(
        VirtualCloud, "start", lambda cloud: (start if cloud.generation else begin)(cloud)
    )
    finding = play_case(case(DOWN)).finding
    assert finding is not None
    assert finding.name == "ZeroDivisionError in tests.run.explore.test_trial.start"
    assert finding.what == "not today"
    assert "line" in finding.trail
    assert finding.at_s > 10


def test_so_is_one_of_the_firmware(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Device.handle

    def stumble(device: Device, event: Any, now_ms: int) -> Any:
        assert type(event).__name__ != "PowerRemoved", "nobody has thought of that"
        return handle(device, event, now_ms)

    monkeypatch.setattr(Device, "handle", stumble)
    finding = play_case(case(CUT, devices=4)).finding
    assert finding is not None
    assert finding.name == "AssertionError in tests.run.explore.test_trial.stumble"


def test_what_does_not_end_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(_: Run) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Run, "_home", stay)
    finding = play_case(case(limit_s=600)).finding
    assert finding is not None
    assert finding.name in ("endless", "stalled")
    monkeypatch.setattr(trial, "STEPS_MAX", 1000)
    finding = play_case(case(CUT)).finding
    assert finding is not None
    assert finding.name in ("endless", "stalled")


def test_who_cannot_go_on_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "_link_patience_s", lambda _: 0.5)
    finding = play_case(case(msgspec.structs.replace(DOWN, at_s=0.1, for_s=60))).finding
    assert finding is not None
    assert finding.name == ABORTED
    assert "no answer within 0.5" in finding.what


def test_expectations_count_on_a_fair_day_only() -> None:
    small = QuotaLimits(account=1, product=1)
    strict = Expect(refused={"account_quota": 0, "product_quota": 0}, tickets_max=0)
    rare = case(devices=6, quotas=small, expect=strict)
    told = play_case(rare.replace(fair=True)).finding
    assert told is not None
    assert told.name == UNMET
    assert "expected at most 0" in told.what
    assert play_case(rare).finding is None


def test_ctrl_c_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Trace, "event", interrupt)
    with pytest.raises(KeyboardInterrupt):
        play_case(case())


def test_a_watcher_s_violation_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_at_crash(monkeypatch)
    seen: list[str] = []
    told = Trial(case(DOWN, devices=4), on_violation=lambda v: seen.append(v.invariant)).run()
    assert told.finding is not None
    assert told.finding.name in seen


# --- exceptions ---------------------------------------------------------------------------------


def test_what_comes_while_a_loop_is_closed_is_not_what_broke() -> None:
    async def story() -> None:
        async def late() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("while everything ends")

        tasks = [asyncio.create_task(late())]
        await asyncio.sleep(0)
        assert tasks
        raise KeyError("first")

    with pytest.raises((KeyError, ValueError)) as caught, asyncio.Runner() as runner:
        runner.run(story())
    assert of_error(caught.value, 1.0).what == "'first'"


def test_an_error_from_elsewhere_is_named_as_well() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("x")
    assert of_error(caught.value, 0.0).name.startswith("ValueError in tests.run.explore")
    assert of_error(ValueError(""), 0.0).name == "ValueError in no frame of ours"
    assert of_error(ValueError(""), 0.0).what == "ValueError"


# --- real seeds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["batch-unbind", "power-cut", "reconnect-storm"])
def test_some_seeds_of_the_built_in_scenarios_explore_clean(name: str) -> None:
    scenario = load_scenario(name)
    for seed in range(1, 7):
        told = play_case(draw(scenario, len(scenario.products), seed))
        assert told.finding is None, (seed, told.finding)
