"""The clock follows the system forward, never back, and never stands still."""

import time

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.edge.clock import Clock, MovableClock

S_NS = 1_000_000_000


class Times:
    """A system clock and a steady one, moved by hand."""

    def __init__(self) -> None:
        self.wall_ns = 1_700_000_000 * S_NS
        self.steady_ns = 5 * S_NS

    def pass_by(self, ns: int, *, set_by: int = 0) -> None:
        self.wall_ns += ns + set_by
        self.steady_ns += ns

    def clock(self) -> Clock:
        return Clock(lambda: self.wall_ns, lambda: self.steady_ns)


def test_it_is_unix_time_in_milliseconds() -> None:
    times = Times()
    clock = times.clock()
    assert clock() == 1_700_000_000_000
    times.pass_by(1_999_999)
    assert clock() == 1_700_000_000_001


def test_set_forward_it_follows() -> None:
    times = Times()
    clock = times.clock()
    times.pass_by(S_NS, set_by=3600 * S_NS)
    assert clock() == 1_700_003_601_000


def test_set_back_it_goes_on_at_its_own_pace() -> None:
    times = Times()
    clock = times.clock()
    times.pass_by(S_NS, set_by=-3600 * S_NS)
    assert clock() == 1_700_000_001_000
    times.pass_by(S_NS)
    assert clock() == 1_700_000_002_000
    times.pass_by(S_NS, set_by=3601 * S_NS)
    assert clock() == 1_700_000_004_000


def test_by_default_it_is_the_systems_time() -> None:
    before_ms = time.time_ns() // 1_000_000
    now_ms = Clock()()
    assert before_ms <= now_ms <= time.time_ns() // 1_000_000 + 1


def test_a_clock_that_is_moved_goes_on_from_there_and_tells_so() -> None:
    clock, moved = MovableClock(), list[int]()
    clock.on_move = moved.append
    before_ms = clock()
    clock.advance(7_200_000)
    clock.advance(0)
    assert moved == [7_200_000, 0]
    assert 7_200_000 <= clock() - before_ms < 7_260_000


def test_a_clock_does_not_go_back() -> None:
    clock = MovableClock()
    with pytest.raises(UsageError, match="does not go back"):
        clock.advance(-1)
