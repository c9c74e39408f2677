"""What operators could not make agree is a violation."""

from typing import Any

import pytest

from fleet.cloud.history import Operation
from fleet.cloud.state import State
from fleet.run.checks import people_agree
from tests.run.checks.evidence import good
from tests.run.checks.support import planted, says


def test_it_can_fail_at_the_end() -> None:
    evidence = good()
    assert list(people_agree.at_end(evidence)) == []
    evidence.tally.contradictions.append("light says, history says")
    assert list(people_agree.at_end(evidence)) == ["light says, history says"]


def test_a_release_that_is_not_recorded_contradicts_the_light() -> None:
    record = State.record

    def forget(self: State, operation: Operation, *args: Any, **changes: Any) -> None:
        if operation is not Operation.UNBIND or changes.get("reason"):
            record(self, operation, *args, **changes)

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(State, "record", forget)

    assert says(planted(plant), "people_agree", "light 'unbound', but the history has no such row")
