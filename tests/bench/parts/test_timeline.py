"""What was the case when, and that no more is kept than is worth it."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.parts.timeline import CHANGES_MAX, KEPT_MS, Period, Timeline


def test_values_last_until_the_next() -> None:
    line = Timeline("a")
    line.change("b", 100)
    line.change("c", 250)
    assert (line.at(99)[1], line.at(100), line.at(1000)) == ("a", (100, "b"), (250, "c"))
    assert line.last == "c"


def test_a_window_is_cut_out_without_gaps() -> None:
    line = Timeline("a")
    line.change("b", 100)
    line.change("c", 250)
    assert line.between(50, 300) == [
        Period(50, 100, -(1 << 62), "a"),
        Period(100, 250, 100, "b"),
        Period(250, 300, 250, "c"),
    ]
    assert line.between(120, 130) == [Period(120, 130, 100, "b")]
    assert line.between(130, 130) == []


def test_a_value_that_lasted_no_time_is_in_no_window() -> None:
    line = Timeline("a")
    line.change("b", 100)
    line.change("c", 100)
    assert [period.value for period in line.between(0, 200)] == ["a", "c"]


def test_a_change_that_comes_too_late_counts_from_the_last_one() -> None:
    line = Timeline("a")
    line.change("b", 100)
    line.change("c", 90)
    assert line.at(100) == (100, "c")


def test_no_more_is_kept_than_ten_minutes() -> None:
    line = Timeline(0)
    for minute in range(100):
        line.change(minute, minute * 60_000)
    now_ms = 99 * 60_000
    assert line.at(now_ms - KEPT_MS)[1] == 89
    assert line.at(0)[1] > 80


def test_no_more_changes_are_kept_than_the_limit() -> None:
    line = Timeline(0)
    for at_ms in range(3 * CHANGES_MAX):
        line.change(at_ms, at_ms)
    assert len(line.between(0, 3 * CHANGES_MAX)) <= CHANGES_MAX + 1
    assert line.at(2 * CHANGES_MAX + CHANGES_MAX // 2)[1] == 2 * CHANGES_MAX + CHANGES_MAX // 2


@given(st.lists(st.integers(0, 1000), max_size=30), st.integers(0, 1000), st.integers(0, 300))
def test_a_window_agrees_with_each_of_its_instants(
    times: list[int], start_ms: int, length_ms: int
) -> None:
    line = Timeline(-1)
    for number, at_ms in enumerate(sorted(times)):
        line.change(number, at_ms)
    periods = line.between(start_ms, start_ms + length_ms)
    told = [period.value for period in periods for _ in range(period.start_ms, period.end_ms)]
    assert told == [line.at(start_ms + i)[1] for i in range(length_ms)]
