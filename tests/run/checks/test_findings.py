"""Violations are kept once each, a bounded number of each invariant, with their time."""

from fleet.run.checks.findings import VIOLATIONS_PER_INVARIANT_MAX, Findings, Violation


class Clock:
    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


def test_a_violation_is_one_line_with_name_who_what_and_when() -> None:
    clock = Clock()
    findings = Findings(clock)
    clock.now_ms += 12_345
    findings.add("one_owner", "sim1", "has two owners")
    assert findings.lines() == ["one_owner: sim1: has two owners, at 12.345 s"]
    assert findings.violations == [Violation("one_owner", "sim1", "has two owners", 1_012_345)]


def test_it_counts_once_and_has_the_time_at_which_it_was_found_first() -> None:
    clock = Clock()
    findings = Findings(clock)
    told: list[Violation] = []
    findings.on_found.append(told.append)
    for _ in range(3):
        findings.add("lights_agree", "sim1", "is dark")
        clock.now_ms += 1
    assert findings.lines() == ["lights_agree: sim1: is dark, at 0.000 s"]
    assert [one.at_ms for one in told] == [1_000_000]


def test_an_invariant_that_never_holds_does_not_fill_the_report() -> None:
    findings = Findings(Clock())
    for number in range(VIOLATIONS_PER_INVARIANT_MAX + 7):
        findings.add("lights_agree", f"sim{number}", "is dark")
    findings.add("one_owner", "sim1", "has two owners")
    lines = findings.lines()
    assert len(lines) == VIOLATIONS_PER_INVARIANT_MAX + 2
    assert lines[-2:] == ["one_owner: sim1: has two owners, at 0.000 s", "lights_agree: and 7 more"]
