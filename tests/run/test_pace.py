"""How hard operators work."""

import pytest

from firmware_sim.errors import UsageError
from fleet.run.pace import Pace


def test_all_work_unless_told_otherwise() -> None:
    pace = Pace(3)
    assert [pace.lets(number) for number in range(4)] == [True, True, True, False]
    assert pace.batch_max is None


def test_changes_are_told() -> None:
    pace, changes = Pace(3), []
    pace.listen(lambda: changes.append((pace.paused, pace.operators, pace.batch_max)))
    pace.pause(paused=True)
    pace.ramp(1, None)
    pace.pause(paused=False)
    pace.ramp(None, 5)
    assert changes == [(True, 3, None), (True, 1, None), (False, 1, None), (False, 1, 5)]
    assert not pace.lets(1)


@pytest.mark.parametrize("wrong", [(0, None), (4, None), (None, 0), (None, 31)])
def test_what_cannot_be(wrong: tuple[int | None, int | None]) -> None:
    pace = Pace(3)
    with pytest.raises(UsageError):
        pace.ramp(*wrong)
    assert (pace.operators, pace.batch_max) == (3, None)
