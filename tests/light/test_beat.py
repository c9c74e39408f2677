"""Periods, edges and loops agree with the pattern at every instant."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.device.indicator import Mode, Pattern
from firmware_sim.errors import UsageError
from fleet.light.beat import (
    FRAMES_MAX,
    STILL_MS,
    Loop,
    Span,
    loop,
    moves,
    period_ms,
    spans,
    stretches,
    until_next_edge_ms,
)
from tests.light.patterns import BLINK, BOTH, DARK, MODELS, SOLID, STATES, moving


@pytest.mark.parametrize(
    ("pattern", "period"),
    [
        (DARK, (Span("", STILL_MS),)),
        (SOLID, (Span("amber", STILL_MS),)),
        (BLINK, (Span("red", 250), Span("", 500))),
        (BOTH, (Span("red", 250), Span("green", 250))),
    ],
)
def test_a_period_is_its_spans(pattern: Pattern, period: tuple[Span, ...]) -> None:
    assert spans(pattern) == period
    assert period_ms(pattern) == sum(span.duration_ms for span in period)
    assert moves(pattern) == (len(period) > 1)


@given(moving(), st.integers(0, 10**9))
def test_nothing_changes_before_the_next_edge(pattern: Pattern, elapsed_ms: int) -> None:
    edge_ms = elapsed_ms + until_next_edge_ms(pattern, elapsed_ms)
    assert pattern.colour_at(edge_ms - 1) == pattern.colour_at(elapsed_ms)
    assert pattern.colour_at(edge_ms) != pattern.colour_at(elapsed_ms)


@given(moving(least_ms=50), st.integers(1, 5000))
def test_stretches_are_the_pattern_until_then(pattern: Pattern, until_ms: int) -> None:
    found = list(stretches(pattern, until_ms))
    assert [found[0].start_ms, *(each.end_ms for each in found)] == [
        *(each.start_ms for each in found),
        until_ms,
    ]
    for each in found:
        for at_ms in (each.start_ms, each.end_ms - 1):
            assert pattern.colour_at(at_ms) == each.colour


def test_a_light_that_does_not_move_is_one_stretch() -> None:
    assert [(s.colour, s.start_ms, s.end_ms) for s in stretches(SOLID, 700)] == [("amber", 0, 700)]
    assert until_next_edge_ms(DARK, 5) == STILL_MS


def check(made: Loop, patterns: Sequence[Pattern], step_ms: int) -> None:
    """Check that a loop shows `patterns` at every instant, but for `error_ms` about an edge."""
    assert 2 * made.error_ms <= step_ms
    at_ms = 0
    for frame in made.frames:
        assert frame.duration_ms % step_ms == 0
        for elapsed_ms in (at_ms, at_ms + frame.duration_ms // 2, at_ms + frame.duration_ms - 1):
            for colour, pattern in zip(frame.colours, patterns, strict=True):
                near = range(elapsed_ms - made.error_ms, elapsed_ms + made.error_ms + 1)
                assert colour in {pattern.colour_at(instant) for instant in near}
        at_ms += frame.duration_ms
    assert at_ms == made.duration_ms
    for pattern in patterns:
        assert not moves(pattern) or made.duration_ms % period_ms(pattern) == 0


@pytest.mark.parametrize("step_ms", [1, 10])
@pytest.mark.parametrize(("name", "state"), STATES)
def test_the_lights_of_all_models_are_exact(name: str, state: str, step_ms: int) -> None:
    pattern = MODELS[name].indicator[state]
    made = loop([pattern], step_ms)
    check(made, [pattern], step_ms)
    assert made.error_ms == 0
    assert made.duration_ms == period_ms(pattern)
    assert [(frame.colours[0], frame.duration_ms) for frame in made.frames] == [
        (span.colour, span.duration_ms) for span in spans(pattern)
    ]


@pytest.mark.parametrize("name", MODELS)
def test_all_lights_of_a_model_make_one_loop(name: str) -> None:
    patterns = list(MODELS[name].indicator.values())
    check(loop(patterns), patterns, 1)
    assert loop(patterns).duration_ms in (3000, 6000)


@given(moving(least_ms=20), st.sampled_from([1, 7, 10, 20]))
def test_any_light_is_on_the_nearest_step(pattern: Pattern, step_ms: int) -> None:
    made = loop([pattern], step_ms)
    check(made, [pattern], step_ms)
    assert len(made.frames) == 2 * made.duration_ms // period_ms(pattern)


@given(st.lists(moving(20, 60), min_size=2, max_size=2), st.sampled_from([1, 10]))
def test_several_lights_are_on_the_nearest_step(patterns: list[Pattern], step_ms: int) -> None:
    try:
        made = loop(patterns, step_ms)
    except UsageError:
        return
    check(made, patterns, step_ms)
    assert len(made.frames) <= FRAMES_MAX


def test_what_does_not_fit_into_a_step_is_together_with_the_next() -> None:
    first, second = (Pattern(Mode.BLINK, "x", ("red",), on, 100 - on) for on in (50, 52))
    frames = loop([first, second], 10).frames
    assert [(frame.colours, frame.duration_ms) for frame in frames] == [
        (("red", "red"), 50),
        (("", ""), 50),
    ]
    late = Pattern(Mode.BLINK, "x", ("red",), 97, 3)
    with pytest.raises(UsageError, match="3 ms is too short for steps of 10 ms"):
        loop([late], 10)


def test_an_edge_just_before_the_end_is_the_end() -> None:
    long = Pattern(Mode.BLINK, "x", ("red",), 200, 100)
    short = Pattern(Mode.BLINK, "x", ("blue",), 296, 304)
    made = loop([long, short], 20)
    check(made, [long, short], 20)
    assert made.error_ms == 4


@pytest.mark.parametrize("second", [59_999, 9_973])
def test_a_loop_has_bounds(second: int) -> None:
    patterns = [Pattern(Mode.BLINK, "x", ("red",), ms, ms) for ms in (60_000, second)]
    with pytest.raises(UsageError, match="choose one state"):
        loop(patterns)
    many = [Pattern(Mode.BLINK, "x", ("red",), ms, ms) for ms in (1, 301)]
    with pytest.raises(UsageError, match="choose one state"):
        loop(many)
