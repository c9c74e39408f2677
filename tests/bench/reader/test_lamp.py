"""What a script asks of a light, with light that is made up."""

import numpy as np
import pytest

from firmware_sim.bench.capabilities import Light, NotSeen
from firmware_sim.bench.reader.lamp import SampledLed
from firmware_sim.bench.trace import LedTrace


class Hand:
    """A clock that is moved on by whoever samples."""

    rate = 1.0

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s


class Blinking(SampledLed):
    """Red, twice a second, at 100 Hz."""

    def __init__(self) -> None:
        self.hand = Hand()
        super().__init__(self.hand)

    def sample(self, duration_s: float) -> LedTrace:
        times_s = self.hand.time_s + np.arange(round(100 * duration_s)) / 100
        self.hand.sleep(duration_s)
        lit = (times_s % 0.5 < 0.25)[:, None]
        return LedTrace(times_s, lit * np.array([0.8, 0.02, 0.02]))


def test_it_is_read() -> None:
    reading = Blinking().read()
    assert (reading.mode, reading.colours, round(reading.hz, 1)) == ("blink", ("red",), 2.0)


def test_it_is_waited_for_by_words_or_as_a_light() -> None:
    assert Blinking().wait_for("red", "blink", hz=2).mode == "blink"
    assert Blinking().wait_for_light(Light("blink", ("red",), 2.0, 0.5)).colours == ("red",)


def test_what_does_not_come_is_not_seen_when_its_time_is_over() -> None:
    led = Blinking()
    with pytest.raises(NotSeen, match=r"red, blinking at 2\.00 Hz"):
        led.wait_for("green", "solid", timeout_s=4)
    assert led.hand.time_s == pytest.approx(4)
