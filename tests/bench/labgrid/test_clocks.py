"""Time at a bench: that on the wall, or one that passes faster."""

import math
from typing import Any

import pytest

from firmware_sim.bench.labgrid.clocks import (
    SLACK_S,
    BenchClock,
    WallClock,
    clock_of,
    on_the_wall_s,
)
from firmware_sim.errors import UsageError
from tests.bench.labgrid.targets import make_target


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what was slept, on the wall; time stands still otherwise."""
    slept: list[float] = []
    monkeypatch.setattr("firmware_sim.bench.labgrid.clocks.time.sleep", slept.append)
    monkeypatch.setattr("firmware_sim.bench.labgrid.clocks.time.monotonic", lambda: 5 + sum(slept))
    return slept


def test_without_a_clock_time_is_that_on_the_wall(slept: list[float]) -> None:
    clock = clock_of(make_target([]))
    assert isinstance(clock, WallClock)
    clock.sleep(2)
    assert slept == [2]
    assert clock.now_s() == 7
    assert on_the_wall_s(clock, 3) == 3 + SLACK_S


def test_a_bench_may_be_faster(slept: list[float]) -> None:
    clock = clock_of(make_target([{"TestClock": {}}]))
    assert isinstance(clock, BenchClock)
    assert clock.rate == 10_000
    clock.sleep(5000)
    assert slept == [0.5]
    assert clock.now_s() == 5001
    assert on_the_wall_s(clock, 10_000) == 1 + SLACK_S


@pytest.mark.parametrize("duration_s", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("drivers", [[], [{"TestClock": {}}]])
def test_only_time_that_can_pass_is_waited_for(
    slept: list[float], drivers: list[dict[str, Any]], duration_s: float
) -> None:
    """As in virtual time: a script is to fail at its desk already."""
    with pytest.raises(UsageError, match="no time that can pass"):
        clock_of(make_target(drivers)).sleep(duration_s)
    assert slept == []
