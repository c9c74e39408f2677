"""What a run has come to: the same in both modes, but for what only one of them can play."""

from functools import cache

from fleet.run.faults import FaultTable
from fleet.run.result import RunResult, Virtual
from fleet.run.summary import sum_up
from fleet.run.virtual.command import Play
from fleet.run.virtual.sights import make_sight
from tests.run.fakes import small

FAULTS = (
    FaultTable("disk_slow", during="unbind", for_s=2, latency_ms=5),
    FaultTable("power_cut", during="home", for_s=1, share_pct=50),
)


@cache
def played() -> Play:
    play = Play(
        small(6, faults=FAULTS, patience_s=60), make_sight("model", "pyzbar"), lambda _: None
    )
    play.play()
    return play


def summed_up(aborted: str = "", virtual: Virtual | None = None) -> RunResult:
    play = played()
    assert play.run is not None
    assert play.crew is not None
    play.crew.take_struck()
    play.crew.meter.sample({})
    return sum_up(play.run, play.crew, aborted=aborted, decoder="pyzbar", virtual=virtual)


def test_everything_that_was_played_is_in_it() -> None:
    result = summed_up(virtual=Virtual(12.0, "digest"))
    assert result.passed, (result.violations, result.unmet)
    assert (result.scenario, result.devices, result.outcomes.unbound) == ("small", 6, 6)
    assert [(fault.kind, fault.during) for fault in result.faults] == [
        ("disk_slow", "unbind"),
        ("power_cut", "home"),
    ]
    assert all(fault.states for fault in result.faults)
    assert result.left_out == ()


def test_what_a_live_run_cannot_play_is_left_out_by_name() -> None:
    result = summed_up()
    assert result.left_out == ("only with --virtual: disk_slow during unbind",)
    assert [fault.kind for fault in result.faults] == ["power_cut"]


def test_a_part_of_a_run_meets_no_expectation_and_misses_none() -> None:
    result = summed_up(aborted="interrupted")
    assert (result.unmet, result.passed) == ((), False)


def test_the_details_add_up_to_the_figures() -> None:
    result = summed_up(virtual=Virtual(12.0, "digest"))
    assert result.details is not None
    details = result.details
    by_method = details.over_time.by_method()
    assert {name: histogram.count for name, histogram in result.phases.items()} == {
        name: sum(phases[name].count for phases in by_method.values() if name in phases)
        for name in result.phases
    }
    last = details.over_time.slots[-1]
    assert (last.unbound, last.rebound) == (result.outcomes.unbound, result.outcomes.rebound)
    assert last.refused == result.outcomes.refused
    assert sum(use.used for use in details.quotas if use.scope == "account") == 6
    assert len(details.lights.tracks) == details.lights.tracked == 6
    assert [one.subject for one in details.expected] == ["unbound", "rebound", "reasons"]
    assert len(details.checked) == 14
    assert details.for_sale == 2
    assert 'name = "small"' in details.scenario_text
