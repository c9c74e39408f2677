"""The traces that the reader is judged by: repeatable, truthful, and two families."""

import numpy as np
import pytest

from firmware_sim.bench.capabilities import Light, Reading
from firmware_sim.bench.reader.synthetic import (
    ALTERNATIONS_MS,
    BLINKS_MS,
    PAIRS,
    Family,
    any_light,
    fault,
    held_out_case,
    right,
    tuning_case,
)
from hw_profiles.catalog import load, names

RED_BLINK = Light("blink", ("red",), 2.0, 0.5)


def read_as(hz: float = 2.0, mode: str = "blink", *colours: str) -> Reading:
    return Reading(mode, colours or ("red",), hz, 0.5, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", [tuning_case, held_out_case])
@pytest.mark.parametrize("rate_hz", [20, 30, 100])
def test_a_trace_is_one_of_a_sensor(family: Family, rate_hz: float) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        truth, trace = family(rng, rate_hz, 0.1)
        assert (np.diff(trace.times_s) >= 0).all()
        assert trace.rgb.shape == (len(trace.times_s), 3)
        assert trace.rgb.min() >= 0
        assert trace.rgb.max() <= 1
        assert trace.span_s > 1.8
        assert trace.span_s * truth.hz > 2.0 or not truth.hz


@pytest.mark.parametrize("family", [tuning_case, held_out_case])
def test_a_seed_is_a_set(family: Family) -> None:
    (_, one), (_, other) = (family(np.random.default_rng(9), 30.0, 0.05) for _ in range(2))
    assert np.array_equal(one.rgb, other.rgb)
    assert np.array_equal(one.times_s, other.times_s)


def test_all_rhythms_and_pairs_of_the_models_are_drawn() -> None:
    for name in names():
        for pattern in load(name).indicator.values():
            rhythm = (pattern.on_ms, pattern.off_ms)
            if pattern.mode == "blink":
                assert rhythm in BLINKS_MS
            if pattern.mode == "alternate":
                assert rhythm in ALTERNATIONS_MS
                assert {frozenset(pattern.colours)} <= {frozenset(pair) for pair in PAIRS}


def test_every_mode_is_drawn() -> None:
    rng = np.random.default_rng(0)
    lights = [any_light(rng) for _ in range(300)]
    assert {light.mode for light in lights} == {"off", "solid", "blink", "alternate", "breathe"}


def test_right_is_mode_colours_and_frequency() -> None:
    assert right(read_as(2.19), RED_BLINK)
    assert fault(read_as(2.25), RED_BLINK) == "hz"
    assert fault(read_as(2.0, "breathe"), RED_BLINK) == "mode"
    assert fault(read_as(2.0, "blink", "amber"), RED_BLINK) == "colour"
    assert fault(read_as(0.0, "solid"), Light("solid", ("red",), 0.0, 1.0)) == ""
