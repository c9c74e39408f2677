from typing import Any

import msgspec
import pytest

from fleet.report.comparison import Comparison, Turned, compare
from fleet.report.making import make_report
from fleet.report.model import Phase, Report
from fleet.report.verdicts import ThresholdVerdict
from tests.report.support import MACHINE, OLDEST, a_played_report
from tests.run.test_result import a_bad_day


def changed(metric: str, before: Report, after: Report, **options: Any) -> tuple[str, float | None]:
    found = {one.metric: one for one in compare(before, after, **options).differences}
    return found[metric].change, found[metric].change_pct


def slower(factor: float) -> Report:
    report = a_played_report()
    unbind = report.phases["unbind"]
    later = msgspec.structs.replace(unbind, p95_ms=unbind.p95_ms * factor)
    return msgspec.structs.replace(report, phases={**report.phases, "unbind": later})


def verdicts(*passed: bool | None) -> tuple[ThresholdVerdict, ...]:
    return tuple(
        ThresholdVerdict("run.wall_s", f"< {n}", 1.0, passed=one, note="")
        for n, one in enumerate(passed)
    )


def test_a_run_is_like_itself() -> None:
    report = a_played_report()
    found = compare(report, report)
    assert {one.change for one in found.differences} == {"same"}
    assert (found.changed, found.turned, found.warnings, found.worse) == ((), (), (), ())
    assert not found.regressed


@pytest.mark.parametrize(
    ("factor", "change"), [(1.049, "same"), (1.051, "worse"), (0.951, "same"), (0.949, "better")]
)
def test_a_change_counts_from_the_tolerance_on(factor: float, change: str) -> None:
    before, after = a_played_report(), slower(factor)
    assert changed("unbind.p95_ms", before, after)[0] == change
    assert changed("unbind.p95_ms", before, after, tolerance_pct=0)[0] != "same"
    assert changed("unbind.p95_ms", before, after, tolerance_pct=50)[0] == "same"
    assert changed("unbind.p95_ms", before, after)[1] == pytest.approx(100 * (factor - 1), abs=0.06)


def test_what_is_exact_counts_always() -> None:
    before = a_played_report(devices=1000)
    outcomes = msgspec.structs.replace(before.outcomes, unbound=before.outcomes.unbound - 1)
    after = msgspec.structs.replace(before, outcomes=outcomes, violations=("one_owner: x",))
    assert changed("outcomes.unbound", before, after, tolerance_pct=99)[0] == "worse"
    assert changed("run.violations", before, after, tolerance_pct=99) == ("worse", None)
    assert changed("run.violations", after, before) == ("better", -100.0)


def test_what_is_neither_good_nor_bad_is_not_marked() -> None:
    before = a_played_report()
    assert changed("outcomes.tickets", before, a_played_report(tickets=5)) == ("other", None)


def test_what_only_one_has_is_no_change() -> None:
    before = a_played_report()
    after = msgspec.structs.replace(before, phases={})
    found = compare(before, after)
    missing = [one for one in found.differences if one.metric == "unbind.p95_ms"]
    assert [(one.after, one.change, one.in_both) for one in missing] == [(None, "other", False)]
    assert found.changed == ()


def test_never_is_worse_than_ever() -> None:
    bad = make_report(a_bad_day())
    good = msgspec.structs.replace(bad, recovery=bad.recovery[:1])
    assert changed("recovery.back_100_s", good, bad) == ("worse", None)
    assert changed("recovery.back_100_s", bad, good) == ("better", None)


def test_thresholds_with_another_verdict_are_named() -> None:
    before = a_played_report(thresholds=verdicts(True, True, None, False))
    after = a_played_report(thresholds=verdicts(True, False, True))
    found = compare(before, after)
    assert found.turned == (
        Turned("run.wall_s < 1", before=True, after=False),
        Turned("run.wall_s < 2", before=None, after=True),
        Turned("run.wall_s < 3", before=False, after=None),
    )
    assert found.regressed
    assert compare(after, before).regressed is not True or compare(after, before).turned


def test_a_run_that_fails_where_one_passed_has_regressed() -> None:
    good, bad = a_played_report(), a_played_report(passed=False)
    assert compare(good, bad).regressed
    assert not compare(bad, good).regressed
    assert not compare(bad, bad).regressed


def test_what_makes_two_runs_different_things_is_said() -> None:
    before = a_played_report()
    other = msgspec.structs.replace(MACHINE, cores=8)
    after = a_played_report(
        scenario_text="x", seed=9, environment=other, aborted="disk full", devices=9
    )
    found = compare(before, after)
    assert found.warnings == (
        "devices: 8 and 9",
        "seed: 1 and 9",
        "scenario: its text has changed",
        "cores: 2 and 8",
        "the second one ended early: disk full",
    )


def test_an_old_report_can_be_compared() -> None:
    old = msgspec.convert(OLDEST, Report)
    found: Comparison = compare(old, a_played_report())
    assert any(one.metric == "unbind.p95_ms" and one.in_both for one in found.differences)
    assert not any("text has changed" in line for line in found.warnings)
    assert compare(old, old).changed == ()
    assert Phase(1, 1, 1, 1, 1, 1).p999_ms is None
