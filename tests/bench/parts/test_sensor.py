"""From what is lit to what a colour sensor samples."""

from typing import get_args

import numpy as np
import pytest

from firmware_sim.bench.parts import sensor
from firmware_sim.bench.parts.light import Glow
from firmware_sim.bench.parts.sensor import COLOURS, DEFAULT, Optics, sample, times_ms
from firmware_sim.device.indicator import Colour
from firmware_sim.errors import UsageError

CLEAN = Optics(gain=1.0, ambient=(0.0, 0.0, 0.0), noise=0.0, bits=24, jitter=0.0)
STEP = [Glow(-100, 0, ""), Glow(0, 100, "white"), Glow(100, 200, "")]


def test_every_colour_of_a_profile_can_be_seen() -> None:
    assert set(COLOURS) == {"", *get_args(Colour)}
    assert all(0 <= level <= 1 for rgb in COLOURS.values() for level in rgb)


def test_a_light_that_stays_is_seen_as_it_is() -> None:
    for colour, rgb in COLOURS.items():
        trace = sample([Glow(-1000, 100, colour)], -10, 100, 1000, 1, CLEAN)
        assert np.allclose(trace.rgb[-1], rgb, atol=1e-6)


def test_light_comes_and_goes_with_the_sensor() -> None:
    trace = sample(STEP, 0, 200, 10_000, 1, CLEAN)
    white = COLOURS["white"][1]
    level = trace.rgb[:, 1] / white
    assert level[0] == 0
    rise_ms = float(np.argmax(level > 1 - 1 / np.e)) / 10
    assert CLEAN.sensor_ms < rise_ms < CLEAN.sensor_ms + 2 * CLEAN.led_ms
    assert level[999] == pytest.approx(1, abs=1e-6)
    assert level[1000 + round(rise_ms * 10)] == pytest.approx(1 / np.e, abs=0.03)


def test_a_window_may_begin_anywhere() -> None:
    whole = sample(STEP, 0, 200, 1000, 1, CLEAN)
    late = sample(STEP, 103, 110, 1000, 1, CLEAN)
    assert np.allclose(late.rgb, whole.rgb[103:110], atol=1e-6)


def test_a_room_adds_light_and_a_real_sensor_noise() -> None:
    trace = sample([Glow(-100, 2000, "")], 0, 2000, 1000, 1, DEFAULT)
    assert np.allclose(trace.rgb.mean(axis=0), DEFAULT.ambient, atol=0.002)
    assert 0.5 * DEFAULT.noise < trace.rgb[:, 0].std() < 1.5 * DEFAULT.noise


def test_levels_are_steps_of_the_converter() -> None:
    trace = sample(STEP, 0, 200, 1000, 1, Optics(bits=4))
    assert np.allclose(trace.rgb * 15, np.round(trace.rgb * 15))
    assert ((trace.rgb >= 0) & (trace.rgb <= 1)).all()


def test_samples_come_a_little_uneven_and_in_order() -> None:
    trace = sample(STEP, 0, 200, 1000, 1, Optics(jitter=0.4))
    gaps_s = np.diff(trace.times_s)
    assert (gaps_s > 0).all()
    assert gaps_s.std() > 0.0001
    assert trace.times_s[0] >= 0
    assert trace.times_s[-1] < 0.2


def test_the_seed_decides() -> None:
    one, same, other = (sample(STEP, 0, 200, 100, seed, DEFAULT) for seed in (1, 1, 2))
    assert one.rgb.tolist() == same.rgb.tolist()
    assert one.rgb.tolist() != other.rgb.tolist()


@pytest.mark.parametrize(
    ("window", "rate_hz", "words"),
    [
        ((10, 0), 100.0, "after it starts"),
        ((0, 10), 0.0, "sampled at"),
        ((0, 10), float("nan"), "sampled at"),
        ((0, 10), 1e7, "sampled at"),
        ((0, 60_000_000), 100.0, "too many"),
    ],
)
def test_windows_that_cannot_be(window: tuple[int, int], rate_hz: float, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        times_ms(*window, rate_hz)


def test_no_time_gives_no_samples() -> None:
    assert sample(STEP, 5, 5, 100, 1, DEFAULT).rgb.shape == (0, 3)


@pytest.mark.parametrize(
    "wrong", [{"led_ms": 0.0}, {"sensor_ms": 0.1}, {"jitter": 0.5}, {"bits": 0}, {"noise": -0.1}]
)
def test_sensors_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Optics(**wrong)  # type: ignore[arg-type]


def test_what_was_before_is_gone_after_the_lead() -> None:
    lead_ms = sensor.lead_ms(DEFAULT)
    assert np.exp(-lead_ms / DEFAULT.sensor_ms) < 1e-8
