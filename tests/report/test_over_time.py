from itertools import accumulate
from typing import Any

import msgspec
import pytest

from fleet.report.model import Report
from fleet.report.over_time import columns
from fleet.run.chronicle import OverTime, Slot
from tests.report.support import a_played_report, a_played_result


def test_columns_are_as_long_as_there_are_slots_and_add_up_to_the_run() -> None:
    report = a_played_report()
    over_time = report.over_time
    assert over_time is not None
    slots = len(over_time.at_s)
    assert over_time.at_s[:3] == (0.0, 1.0, 2.0)
    assert report.virtual_s == over_time.end_s
    assert sum(over_time.unbound) == report.outcomes.unbound == 8
    assert sum(over_time.rebound) == report.outcomes.rebound
    assert {name: sum(n) for name, n in over_time.refused.items()} == report.outcomes.refused
    assert sum(sum(n) for n in over_time.attempts.values()) == sum(
        r.attempts for r in report.retries
    )
    assert all(
        sum(lights) == report.devices for lights in zip(*over_time.lights.values(), strict=True)
    )
    for phase, methods in over_time.phases.items():
        assert sum(sum(m.count) for m in methods.values()) == report.phases[phase].count
        for method, own in methods.items():
            whole = report.phases_by_method[method][phase]
            assert sum(own.count) == whole.count
            assert max(ms for ms in own.max_ms if ms is not None) == whole.max_ms
            assert len(own.count) == len(own.p999_ms) == slots
            assert [ms is None for ms in own.p50_ms] == [count == 0 for count in own.count]
    assert {len(column) for column in (over_time.unbound, over_time.states)} == {slots}


def test_only_phases_that_somebody_has_completed_are_there() -> None:
    report = a_played_report()
    assert report.over_time is not None
    assert "wired" not in report.over_time.phases["scan"]


def test_cpu_is_in_percent_of_one_core_and_of_the_time_that_there_was() -> None:
    slots = tuple(Slot(cpu_s={"cloud": cpu_s}) for cpu_s in accumulate([0.5, 1.0, 0.25]))
    found = columns(OverTime(0, 2_500, 1_000, slots))
    assert found.cpu_pct == {"cloud": (50.0, 100.0, 50.0)}
    assert found.loop_lag_p99_ms == (None, None, None)


def test_a_process_that_died_costs_no_less_than_nothing() -> None:
    slots = (Slot(cpu_s={"shards/0": 2.0}), Slot(cpu_s={}), Slot(cpu_s={"shards/0": 1.0}))
    found = columns(OverTime(0, 3_000, 1_000, slots))
    assert found.cpu_pct["shards/0"] == (200.0, 0.0, 100.0)


def test_a_run_that_ended_with_its_slot_has_no_rate_in_an_empty_one() -> None:
    slots = (Slot(cpu_s={"cloud": 1.0}), Slot(cpu_s={"cloud": 1.0}))
    assert columns(OverTime(0, 1_000, 1_000, slots)).cpu_pct["cloud"] == (100.0, None)


def test_the_slots_of_a_result_are_not_changed() -> None:
    details = a_played_result().details
    assert details is not None
    assert columns(details.over_time) == columns(details.over_time)


@pytest.mark.parametrize(
    "changes",
    [
        {"unbound": [1]},
        {"lights": {"off": []}},
        {"cpu_pct": {"cloud": [1.0] * 999}},
        {"loop_lag_p99_ms": []},
        {"slot_s": 0},
    ],
)
def test_a_broken_file_is_not_read(changes: dict[str, Any]) -> None:
    written = msgspec.json.decode(msgspec.json.encode(a_played_report()))
    written["over_time"] |= changes
    with pytest.raises(msgspec.ValidationError, match=r"the file is broken - at `\$.over_time`"):
        msgspec.convert(written, Report)
