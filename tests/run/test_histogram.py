import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.run.histogram import BUCKETS_MAX, Histogram

DURATIONS = st.lists(st.floats(0, 3_600_000), min_size=1, max_size=200)


def of(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(DURATIONS, st.sampled_from([1, 50, 90, 95, 99, 100]))
def test_a_percentile_is_within_one_percent(values: list[float], percent: int) -> None:
    exact = sorted(values)[max(1, -(-len(values) * percent // 100)) - 1]
    found = of(values).percentile(percent)
    assert abs(found - exact) <= max(1.0, 0.0101 * exact)


@given(DURATIONS)
def test_no_percentile_exceeds_the_maximum_and_the_last_one_is_it(values: list[float]) -> None:
    histogram = of(values)
    assert histogram.max_ms == max(values)
    assert histogram.percentile(100) == max(values)
    assert histogram.percentile(99) <= max(values)


@given(DURATIONS, DURATIONS)
def test_merging_is_counting_together(left: list[float], right: list[float]) -> None:
    merged = of(left)
    merged.merge(of(right))
    assert merged == of(left + right)


def test_nothing_recorded() -> None:
    assert Histogram().percentile(99) == 0.0


def test_a_clock_that_was_set_back_counts_as_nothing() -> None:
    histogram = of([-5])
    assert histogram.max_ms == 0
    assert histogram.percentile(50) == 0


def test_the_number_of_buckets_is_bounded() -> None:
    assert max(of([1e15]).buckets) == BUCKETS_MAX


def test_counts_that_do_not_add_up_are_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        Histogram({1: 1}, count=9, max_ms=1).percentile(50)
