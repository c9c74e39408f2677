from math import inf

import pytest

from fleet.report.verdicts import ThresholdVerdict, judge
from fleet.run.metrics import METRICS
from fleet.run.thresholds import read


def verdict(
    metric: str, condition: str, figures: dict[str, float], mode: str = "live", aborted: str = ""
) -> ThresholdVerdict:
    [found] = judge(read({metric: condition}, METRICS), figures, mode, aborted)
    return found


@pytest.mark.parametrize(
    ("condition", "value", "passed"),
    [
        ("< 5", 4.999, True),
        ("< 5", 5, False),
        ("<= 5", 5, True),
        ("> 5", 5, False),
        (">= 5", 5, True),
        ("== 5", 5, True),
        ("!= 5", 5, False),
        (">= -5", -5, True),
    ],
)
def test_a_condition_is_held_against_its_figure(condition: str, value: float, passed: bool) -> None:
    found = verdict("run.wall_s", condition, {"run.wall_s": value})
    assert (found.passed, found.value, found.note) == (passed, value, "")


def test_what_never_came_to_pass_took_for_ever() -> None:
    found = verdict("recovery.back_100_s", "< 60", {"recovery.back_100_s": inf})
    assert (found.passed, found.value, found.note) == (False, None, "never")


def test_nothing_measured_is_a_miss() -> None:
    found = verdict("unbind.p95_ms", "< 60", {})
    assert (found.passed, found.note) == (False, "nothing was measured")


@pytest.mark.parametrize(
    "metric",
    ["outcomes.refused.token_full", "outcomes.failed.not_unbound", "attacks.guess", "faults.loss"],
)
def test_a_reason_that_did_not_occur_counts_as_none(metric: str) -> None:
    assert verdict(metric, "== 0", {}).passed is True


def test_a_figure_of_other_runs_is_not_judged() -> None:
    assert verdict("run.speedup", "> 1", {}).note == "not in a live run"
    found = verdict("generator.cpu_pct", "< 90", {}, mode="virtual")
    assert (found.passed, found.note) == (None, "not in a virtual run")


def test_a_part_of_a_run_is_not_judged() -> None:
    found = verdict("run.wall_s", "> 10", {"run.wall_s": 1}, aborted="interrupted")
    assert (found.passed, found.value, found.note) == (None, 1, "the run ended early")
