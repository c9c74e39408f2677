"""The time of programs moves along, and is the system's again afterwards, whoever kept what."""

import time

import pytest

from fleet.cloud.edge.moved_time import lead_s, moving_along

HOUR_S = 3_600


def ahead_s() -> float:
    """Return how far both functions are ahead of a third one, which nobody moves."""
    clock_s = time.clock_gettime(time.CLOCK_REALTIME)
    lead_s = time.time() - clock_s
    assert abs(time.time_ns() / 1e9 - clock_s - lead_s) < 60
    return round(lead_s / HOUR_S) * HOUR_S


def test_it_moves_with_the_cloud_and_back() -> None:
    lead = [0.0]
    found = (time.time, time.time_ns)
    with moving_along(lambda: lead[0]):
        assert ahead_s() == 0
        lead[0] = 2 * HOUR_S
        assert ahead_s() == 2 * HOUR_S
    assert ahead_s() == 0
    assert (time.time, time.time_ns) == found


def test_of_two_the_inner_one_counts() -> None:
    with moving_along(lambda: 5 * HOUR_S):
        with moving_along(lambda: HOUR_S):
            assert ahead_s() == lead_s() == HOUR_S
        assert ahead_s() == lead_s() == 5 * HOUR_S
    assert lead_s() == 0


def test_what_a_module_kept_is_right_in_the_next_test_too() -> None:
    """As after `from time import time` in a module that a test imports."""
    with moving_along(lambda: 5 * HOUR_S):
        kept = time.time
    assert abs(kept() - time.time()) < 60
    with moving_along(lambda: HOUR_S):
        assert abs(kept() - time.time()) < 60


def test_somebody_who_puts_it_back_too_late_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a `monkeypatch` of the test that is undone after the fixture."""
    monkeypatch.setattr(time, "time", time.time)  # back to this at the end
    other = pytest.MonkeyPatch()
    with moving_along(lambda: 5 * HOUR_S):
        other.setattr(time, "time", lambda: 0.0)
    other.undo()
    assert ahead_s() == 0
    with moving_along(lambda: HOUR_S):
        assert ahead_s() == HOUR_S
