"""Readings of light: right on traces the reader was not tuned on, and honest about the rest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.capabilities import Reading
from firmware_sim.bench.reader.classify import LONGEST_S, read
from firmware_sim.bench.reader.colours import COLOURS, RGB
from firmware_sim.bench.reader.synthetic import held_out_case, right
from firmware_sim.bench.trace import EMPTY, Floats, LedTrace


def times(span_s: float, rate_hz: float = 50.0) -> Floats:
    return np.arange(0.0, span_s, 1 / rate_hz)


def square(times_s: Floats, on_s: float, off_s: float, first_s: float = 0.0) -> Floats:
    return ((times_s - first_s) % (on_s + off_s) < on_s).astype(np.float64)


def light(times_s: Floats, share: Floats, colour: str = "red", *, bright: float = 0.8) -> LedTrace:
    rgb = 0.03 + bright * share[:, None] * np.array(RGB[colour])
    return noisy(times_s, rgb)


def noisy(times_s: Floats, rgb: Floats, noise: float = 0.02) -> LedTrace:
    return LedTrace(
        times_s, np.clip(rgb + np.random.default_rng(7).normal(0, noise, rgb.shape), 0, 1)
    )


# --- the goals ----------------------------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize(("rate_hz", "goal"), [(100, 0.99), (30, 0.97)])
def test_right_on_traces_that_it_was_not_tuned_on(rate_hz: int, goal: float) -> None:
    readings: list[tuple[float, bool]] = []
    for noise in (0.02, 0.06, 0.10):
        rng = np.random.default_rng([41, rate_hz, round(noise * 100)])
        for _ in range(150):
            truth, trace = held_out_case(rng, rate_hz, noise)
            reading = read(trace)
            readings.append((reading.confidence, right(reading, truth)))
    assert np.mean([is_right for _, is_right in readings]) >= goal
    sure = [is_right for confidence, is_right in readings if confidence >= 0.9]
    assert len(sure) > 0.85 * len(readings)
    assert np.mean(sure) >= 0.99


def test_sure_of_the_end_of_a_trace_only_if_it_is_right() -> None:
    rng = np.random.default_rng(42)
    sure = []
    for _ in range(300):
        truth, trace = held_out_case(rng, 30.0, 0.06)
        reading = read(trace.last(float(rng.uniform(0.3, 2.5))))
        if reading.confidence >= 0.9:
            sure.append(right(reading, truth))
    assert len(sure) > 30
    assert np.mean(sure) >= 0.97


# --- each mode ----------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", COLOURS)
def test_solid(colour: str) -> None:
    times_s = times(2.5)
    reading = read(light(times_s, np.ones(len(times_s)), colour))
    assert (reading.mode, reading.colours, reading.hz, reading.duty) == ("solid", (colour,), 0, 1)
    assert reading.confidence > 0.9


def test_off_in_a_room_that_is_not_dark() -> None:
    times_s = times(2.5)
    reading = read(noisy(times_s, np.tile([0.1, 0.09, 0.07], (len(times_s), 1))))
    assert (reading.mode, reading.colours, reading.hz, reading.duty) == ("off", (), 0, 0)
    assert reading.confidence > 0.9


@pytest.mark.parametrize(
    ("on_s", "off_s"), [(0.1, 0.1), (0.25, 0.25), (0.5, 0.5), (1.5, 1.5), (0.1, 1.9), (1.9, 0.1)]
)
def test_blink(on_s: float, off_s: float) -> None:
    times_s = times(2.3 * (on_s + off_s) + 1)
    reading = read(light(times_s, square(times_s, on_s, off_s, 0.07), "amber"))
    assert (reading.mode, reading.colours) == ("blink", ("amber",))
    assert reading.hz == pytest.approx(1 / (on_s + off_s), rel=0.03)
    assert reading.duty == pytest.approx(on_s / (on_s + off_s), abs=0.06)
    assert reading.confidence > 0.9


def test_five_hertz_seen_thirty_times_a_second_by_a_slow_sensor() -> None:
    times_s = times(3, 30)
    fine_s = times(3, 1000)
    kernel = np.exp(-np.arange(0, 0.2, 0.001) / 0.03)
    share = np.convolve(square(fine_s, 0.1, 0.1), kernel / kernel.sum())[: len(fine_s)]
    trace = light(times_s, np.interp(times_s, fine_s, share), "white", bright=0.5)
    reading = read(trace)
    assert (reading.mode, reading.colours) == ("blink", ("white",))
    assert reading.hz == pytest.approx(5, rel=0.05)


@pytest.mark.parametrize("pair", [("red", "blue"), ("red", "green"), ("blue", "amber")])
@pytest.mark.parametrize("period_s", [0.5, 3.0])
@pytest.mark.parametrize("dim", [0.4, 1.0])
def test_alternate(pair: tuple[str, str], period_s: float, dim: float) -> None:
    times_s = times(max(2.5, 2.3 * period_s))
    first = square(times_s, 0.4 * period_s, 0.6 * period_s)[:, None]
    rgb = 0.8 * first * np.array(RGB[pair[0]]) + dim * 0.8 * (1 - first) * np.array(RGB[pair[1]])
    reading = read(noisy(times_s, rgb))
    order = tuple(sorted(pair, key=COLOURS.index))
    assert (reading.mode, reading.colours) == ("alternate", order)
    assert reading.hz == pytest.approx(1 / period_s, rel=0.03)
    assert reading.duty == pytest.approx(0.4 if order == pair else 0.6, abs=0.03)
    assert reading.confidence > 0.9


@pytest.mark.parametrize("hz", [0.2, 0.5, 1.0])
def test_breathe(hz: float) -> None:
    times_s = times(2.4 / hz)
    reading = read(light(times_s, 0.5 - 0.5 * np.cos(2 * np.pi * hz * times_s + 1), "green"))
    assert (reading.mode, reading.colours) == ("breathe", ("green",))
    assert reading.hz == pytest.approx(hz, rel=0.03)
    assert reading.confidence > 0.9


def test_a_light_of_two_that_stays_coloured_is_not_dark() -> None:
    times_s = times(3)
    share = square(times_s, 0.5, 0.5)[:, None]
    rgb = 0.9 * np.array(RGB["red"]) * (1 - share) + 0.5 * share * np.ones(3)
    assert read(noisy(times_s, rgb)).colours == ("red", "white")


@pytest.mark.parametrize(("hz", "mode"), [(2.0, "blink"), (0.5, "breathe")])
def test_a_thousand_samples_a_second(hz: float, mode: str) -> None:
    times_s = times(5, 1000)
    wave = np.cos(2 * np.pi * hz * times_s)
    share = (wave > 0).astype(np.float64) if mode == "blink" else 0.5 + 0.5 * wave
    trace = LedTrace(times_s, light(times_s, share, "green").rgb)
    reading = read(noisy(trace.times_s, trace.rgb, 0.1))
    assert (reading.mode, reading.colours) == (mode, ("green",))
    assert reading.hz == pytest.approx(hz, rel=0.03)
    assert reading.confidence > 0.9


# --- honesty ------------------------------------------------------------------------------------


def test_not_sure_of_stillness_seen_in_pieces() -> None:
    """A flash every two seconds fits into the gap between them."""
    piece_s = times(1.2)
    for gap_s, sure in ((0.02, True), (0.15, False), (60.8, False)):
        times_s = np.concatenate((piece_s, piece_s + 1.2 + gap_s))
        reading = read(light(times_s, np.ones(len(times_s))))
        assert reading.mode == "solid"
        assert (reading.confidence > 0.9) == sure


def test_not_sure_of_a_rhythm_with_half_of_it_in_a_gap() -> None:
    times_s = times(7.3)
    share = square(times_s, 1.5, 1.5)
    seen = (times_s < 1) | (times_s > 4.3)
    assert read(light(times_s, share)).confidence > 0.9
    assert read(light(times_s[seen], share[seen])).confidence < 0.3


def test_not_sure_of_stillness_that_flickers_wildly() -> None:
    times_s = times(4)
    wild = np.random.default_rng(3).random((len(times_s), 3))
    assert read(LedTrace(times_s, wild)).confidence < 0.1


@pytest.mark.parametrize("rate_hz", [30, 100])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("red", ""), ("green", "")),
        (("red", ""), ("red", "blue")),
        (("red", "blue"), ("red", "")),
        (("red", "blue"), ("green", "")),
        (("amber", ""), ("blue", "")),
    ],
)
def test_not_sure_of_a_rhythm_whose_colours_change(
    rate_hz: int, first: tuple[str, str], then: tuple[str, str]
) -> None:
    """Two lights that blink in step, one after the other, are neither of them, nor a third one."""
    lights = {"": np.zeros(3), **{name: 0.8 * np.array(rgb) for name, rgb in RGB.items()}}
    times_s = times(4, rate_hz)
    lit = square(times_s, 0.25, 0.25)[:, None] > 0.5
    before, after = (np.where(lit, lights[one], lights[two]) for one, two in (first, then))
    rgb = np.where(times_s[:, None] < 2, before, after)
    assert read(noisy(times_s, rgb)).confidence < 0.5
    for colours, steady in ((first, before), (then, after)):
        reading = read(noisy(times_s, steady))
        assert set(reading.colours) == set(colours) - {""}
        assert reading.confidence > 0.9


@pytest.mark.parametrize("trace", [EMPTY, LedTrace(times(0.1), np.ones((5, 3)))])
def test_next_to_nothing_says_nothing(trace: LedTrace) -> None:
    assert read(trace).confidence == 0.0


def test_samples_that_all_come_at_once_say_nothing() -> None:
    assert read(LedTrace(np.zeros(50), np.ones((50, 3)))).confidence == 0.0


@pytest.mark.parametrize("span_s", [0.5, 1.0, 1.4, 1.8])
@pytest.mark.parametrize("lit", [0.0, 1.0])
def test_stillness_takes_time(span_s: float, lit: float) -> None:
    times_s = times(span_s)
    assert read(light(times_s, np.full(len(times_s), lit))).confidence < 0.9


def test_a_gap_is_no_time_watched() -> None:
    times_s = times(3)
    kept = (times_s < 1.0) | (times_s > 2.2)
    assert read(light(times_s[kept], np.ones(int(kept.sum())))).confidence < 0.9


@pytest.mark.parametrize("span_s", [1.0, 2.0, 3.0])
def test_a_slow_rhythm_has_to_repeat(span_s: float) -> None:
    times_s = times(span_s)
    assert read(light(times_s, square(times_s, 1.5, 1.5, 0.8))).confidence < 0.9


def test_one_change_of_light_is_no_rhythm() -> None:
    times_s = times(5)
    before = (times_s < 2.2)[:, None]
    rgb = np.where(before, np.array(RGB["red"]), np.array(RGB["blue"])) * 0.8
    assert read(noisy(times_s, rgb)).confidence < 0.5


@pytest.mark.parametrize("still", ["before", "after"])
def test_blinking_that_starts_or_ends_is_not_believed(still: str) -> None:
    times_s = times(5)
    moves = times_s > 2.5 if still == "before" else times_s < 2.5
    share = np.where(moves, square(times_s, 0.25, 0.25), 1.0)
    assert read(light(times_s, share)).confidence < 0.5


def test_part_of_a_slow_breath_is_not_solid() -> None:
    times_s = times(2.3)
    share = 0.65 + 0.35 * np.cos(2 * np.pi * 0.2 * (times_s - 0.3))
    assert read(light(times_s, share)).confidence < 0.9


def test_flashes_at_random_are_no_rhythm() -> None:
    times_s = times(6)
    edges = [0.2, 0.4, 1.5, 1.6, 2.2, 3.4, 3.5, 4.8, 5.0]
    share = (np.searchsorted(edges, times_s, side="right") % 2).astype(np.float64)
    assert read(light(times_s, share)).confidence < 0.5


def test_a_sensor_that_is_driven_to_full_scale_does_not_hide_blinking() -> None:
    times_s = times(3)
    reading = read(light(times_s, square(times_s, 0.25, 0.25), "white", bright=3.0))
    assert (reading.mode, reading.colours) == ("blink", ("white",))


@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.sampled_from((1e-7, 0.01, 0.5, 5.0, 1e4)))
def test_anything_is_read_as_something(seed: int, count: int, span_s: float) -> None:
    rng = np.random.default_rng(seed)
    times_s = np.sort(np.round(rng.random(count), int(rng.integers(1, 9)))) * span_s
    scale, steps = (0.0, 1.0, 1e9)[rng.integers(3)], (1, 2, 1000)[rng.integers(3)]
    values = rng.random((count, 1)) if rng.random() < 0.3 else rng.random((count, 3))
    rgb = np.round(values * steps) / steps * scale * np.ones(3)
    reading = read(LedTrace(times_s, rgb))
    assert 0 <= reading.confidence <= 1
    assert 0 <= reading.duty <= 1
    assert 0 <= reading.hz < 1e6


def test_values_that_are_no_numbers_are_left_out() -> None:
    times_s = times(3)
    trace = light(times_s, square(times_s, 0.25, 0.25), "blue")
    trace.rgb[::9] = np.nan
    reading: Reading = read(trace)
    assert (reading.mode, reading.colours) == ("blink", ("blue",))


def test_of_a_very_long_trace_the_end_is_read() -> None:
    times_s = np.arange(0, 2 * LONGEST_S, 0.02)
    rgb = np.zeros((len(times_s), 3))
    rgb[:, 0] = times_s < LONGEST_S / 2
    rgb[:, 1] = (times_s >= LONGEST_S / 2) & (times_s % 0.5 < 0.25)
    reading = read(LedTrace(times_s, rgb))
    assert (reading.mode, reading.colours) == ("blink", ("green",))
