import numpy as np
import pytest

from firmware_sim.bench.trace import EMPTY, LedTrace, led_trace
from firmware_sim.errors import UsageError

RAMP = led_trace([(n / 10, n / 10, 0.0, 0.5) for n in range(11)])


def test_rows_become_times_and_colours() -> None:
    assert RAMP.times_s.shape == (11,)
    assert RAMP.rgb.shape == (11, 3)
    assert RAMP.rgb[3].tolist() == [0.3, 0.0, 0.5]
    assert RAMP.span_s == 1.0


def test_no_rows_are_an_empty_trace() -> None:
    assert len(led_trace([]).times_s) == 0
    assert EMPTY.span_s == 0.0
    assert EMPTY.last(1.0).span_s == 0.0


def test_one_sample_spans_nothing() -> None:
    assert led_trace([(5.0, 1.0, 1.0, 1.0)]).span_s == 0.0


@pytest.mark.parametrize(
    "rows",
    [
        [(1.0, 0.0, 0.0, 0.0), (0.5, 0.0, 0.0, 0.0)],
        [(float("nan"), 0.0, 0.0, 0.0)],
        [(0.0, float("inf"), 0.0, 0.0)],
    ],
)
def test_what_is_no_trace_is_refused(rows: list[tuple[float, float, float, float]]) -> None:
    with pytest.raises(UsageError, match="do not run backwards"):
        led_trace(rows)


def test_a_trace_goes_on_with_a_later_one() -> None:
    later = LedTrace(RAMP.times_s + 2.0, RAMP.rgb)
    both = RAMP.then(later)
    assert both.times_s.shape == (22,)
    assert both.span_s == 3.0
    assert np.array_equal(both.rgb[11:], RAMP.rgb)


@pytest.mark.parametrize(("duration_s", "count"), [(0.0, 1), (0.25, 3), (5.0, 11)])
def test_the_end_of_a_trace(duration_s: float, count: int) -> None:
    end = RAMP.last(duration_s)
    assert len(end.times_s) == count
    assert end.times_s[-1] == RAMP.times_s[-1]
