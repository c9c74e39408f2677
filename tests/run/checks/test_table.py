"""All invariants are in the table, hold for a run that went well, and are bounded in the report."""

from pathlib import Path

import pytest

from fleet.run.checks import table
from fleet.run.checks.findings import VIOLATIONS_PER_INVARIANT_MAX
from fleet.run.checks.table import INVARIANTS, violations
from tests.run.checks.evidence import good
from tests.run.checks.support import CRASHES
from tests.run.checks.support import violations as of_a_run


def test_each_file_with_a_check_is_in_the_table() -> None:
    files = Path(table.__file__).parent.glob("*.py")
    texts = {file.stem: file.read_text() for file in files}
    checks = {
        name
        for name, text in texts.items()
        if "\ndef at_end(" in text or "\nclass Watcher(" in text
    }
    assert {invariant.name for invariant in INVARIANTS} == checks


def test_each_says_in_one_line_what_holds() -> None:
    for invariant in INVARIANTS:
        assert invariant.holds.endswith((".", ":")) or invariant.holds
        assert invariant.at_end is not None or invariant.watcher is not None


def test_a_good_run_violates_nothing() -> None:
    assert violations(good()) == []


@pytest.mark.parametrize("faults", [(), CRASHES], ids=["calm", "crashes"])
def test_nor_does_one_in_virtual_time(faults: tuple[object, ...]) -> None:
    assert of_a_run(faults=faults) == []


def test_violations_are_bounded_and_each_is_there_once() -> None:
    evidence = good()
    evidence.tally.contradictions.extend(f"number {n}" for n in range(101))
    evidence.tally.contradictions.append("number 1")
    found = violations(evidence)
    assert len(found) == VIOLATIONS_PER_INVARIANT_MAX + 1
    assert found[-1] == "people_agree: and 81 more"
