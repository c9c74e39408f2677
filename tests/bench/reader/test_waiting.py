"""Waiting for a light: as soon as it is sure, and never for one that only resembles it."""

from collections.abc import Callable

import numpy as np
import pytest

from firmware_sim.bench.capabilities import Light, Mode, NotSeen, Reading
from firmware_sim.bench.reader.classify import STILL_S
from firmware_sim.bench.reader.colours import RGB
from firmware_sim.bench.reader.waiting import (
    ENOUGH_EXPECTED,
    KEPT_S,
    PIECE_S,
    WATCH_S,
    LightNotSeen,
    Wanted,
    best_reading,
    in_words,
    matches,
    wait_for,
    wanted,
)
from firmware_sim.bench.trace import EMPTY, LedTrace
from firmware_sim.errors import UsageError
from hw_profiles.catalog import load, names

Shown = Callable[[float], str]
"""The colour that is lit at a time in seconds; "" is none."""


class Desk:
    """A light, a sensor and a clock."""

    rate = float("inf")

    def __init__(
        self, shown: Shown, rate_hz: float = 50.0, noise: float = 0.04, lost_s: float = 0.0
    ) -> None:
        self.shown, self.rate_hz, self.noise, self.lost_s = shown, rate_hz, noise, lost_s
        self.at_s = 100.0
        self.rng = np.random.default_rng(6)

    def now_s(self) -> float:
        return self.at_s

    def sleep(self, duration_s: float) -> None:
        self.at_s += duration_s

    def sample(self, duration_s: float) -> LedTrace:
        times_s = self.at_s + np.arange(0, duration_s, 1 / self.rate_hz)
        self.sleep(duration_s + self.lost_s)
        lit = [RGB[colour] if colour else (0, 0, 0) for colour in map(self._seen, times_s)]
        rgb = 0.03 + 0.8 * np.array(lit, dtype=np.float64).reshape(-1, 3)
        return LedTrace(times_s, np.clip(rgb + self.rng.normal(0, self.noise, rgb.shape), 0, 1))

    def _seen(self, time_s: float) -> str:
        return self.shown(time_s - 100.0)

    def wait(self, expected: Wanted | Light, timeout_s: float = 15.0) -> Reading:
        return wait_for(self.sample, expected, timeout_s, self)

    @property
    def waited_s(self) -> float:
        return self.at_s - 100.0


def blinking(colour: str, on_s: float, off_s: float, other: str = "") -> Shown:
    return lambda at_s: colour if at_s % (on_s + off_s) < on_s else other


def solid(colour: str) -> Shown:
    return lambda _: colour


def then(first: Shown, at_s: float, second: Shown) -> Shown:
    return lambda now_s: first(now_s) if now_s < at_s else second(now_s - at_s)


# --- as soon as it is sure ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "expected", "soon_s"),
    [
        (solid("red"), wanted("red", "solid"), 2.5),
        (solid(""), wanted("", "off"), 2.5),
        (blinking("red", 0.25, 0.25), wanted("red", "blink", 2.0), 1.5),
        (blinking("red", 0.25, 0.25), wanted("red", "blink"), 1.5),
        (blinking("white", 0.1, 0.1), wanted("white", "blink", 5.0, 0.5), 1.5),
        (blinking("white", 0.1, 1.9), wanted("white", "blink", 0.5, 0.05), 7.0),
        (blinking("blue", 1.5, 1.5), wanted("blue", "blink", 1 / 3), 7.0),
        (blinking("red", 1.5, 1.5, "blue"), wanted("blue+red", "alternate"), 7.0),
        (blinking("red", 0.25, 0.25, "green"), wanted("red+green", "alternate", 2.0), 1.5),
    ],
)
def test_a_light_that_is_there_is_seen(shown: Shown, expected: Wanted, soon_s: float) -> None:
    desk = Desk(shown)
    assert matches(desk.wait(expected), expected)
    assert desk.waited_s <= soon_s


class Breathing(Desk):
    """A light that swells and fades."""

    def __init__(self, hz: float) -> None:
        super().__init__(solid("green"), noise=0.06)
        self.hz = hz

    def sample(self, duration_s: float) -> LedTrace:
        times_s, rgb = super().sample(duration_s)
        share = 0.5 - 0.5 * np.cos(2 * np.pi * self.hz * times_s)
        return LedTrace(times_s, rgb * share[:, None])


@pytest.mark.no_cover
@pytest.mark.parametrize("hz", [0.2, 0.5, 1.0])
def test_breathing_is_seen_and_taken_for_nothing_else(hz: float) -> None:
    desk = Breathing(hz)
    assert desk.wait(wanted("green", "breathe", hz)).hz == pytest.approx(hz, rel=0.1)
    assert desk.waited_s < 3 / hz
    assert Breathing(hz).wait(wanted("green", "breathe"), 20.0).mode == "breathe"
    for other in (wanted("green", "solid"), wanted("green", "blink"), wanted("", "off")):
        with pytest.raises(NotSeen):
            Breathing(hz).wait(other, 12.0)


def test_a_rhythm_that_is_expected_need_not_last_two_periods() -> None:
    desk = Desk(then(blinking("red", 1.5, 1.5, "blue"), 4.8, solid("blue")))
    assert desk.wait(wanted("red+blue", "alternate", 1 / 3)).confidence >= ENOUGH_EXPECTED


def test_blinking_that_has_ended_is_not_taken() -> None:
    desk = Desk(then(blinking("red", 0.25, 0.25), 3.0, solid("red")))
    desk.sample(4.2)
    with pytest.raises(NotSeen):
        desk.wait(wanted("red", "blink"), 4.0)


def test_what_went_before_does_not_disturb() -> None:
    desk = Desk(then(solid("red"), 3.1, blinking("blue", 0.25, 0.25)))
    assert desk.wait(wanted("blue", "blink", 2.0)).confidence >= 0.9
    assert 3.1 < desk.waited_s < 5.0


def test_every_light_of_every_model_is_seen() -> None:
    for name in names():
        for pattern in load(name).indicator.values():
            period_s = (pattern.on_ms + pattern.off_ms) / 1000
            hz = 1 / period_s if period_s else 0.0
            duty = pattern.on_ms / 1000 * hz if hz else float(pattern.mode == "solid")
            mode: Mode = pattern.mode.value
            light = Light(mode, pattern.colours, hz, duty)

            def shown(at_s: float, pattern: object = pattern) -> str:
                return pattern.colour_at(int(at_s * 1000))  # type: ignore[attr-defined, no-any-return]

            assert matches(Desk(shown, 40.0).wait(light), light)


# --- never for one that resembles it ------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (blinking("red", 1.5, 1.5), wanted("red", "solid")),
        (blinking("red", 1.5, 1.5), wanted("", "off")),
        (blinking("white", 1.9, 0.1), wanted("white", "solid")),
        (blinking("white", 0.1, 1.9), wanted("", "off")),
        (blinking("red", 1.5, 1.5, "blue"), wanted("red", "solid")),
        (blinking("red", 1.5, 1.5, "blue"), wanted("red", "blink")),
        (blinking("red", 0.25, 0.25), wanted("red", "blink", 3.0)),
        (blinking("red", 0.25, 0.25), wanted("red", "blink", 2.0, 0.8)),
        (blinking("red", 0.5, 0.5), wanted("red", "breathe")),
        (blinking("amber", 0.5, 0.5), wanted("yellow", "blink")),
        (solid("red"), wanted("red", "blink")),
    ],
)
@pytest.mark.parametrize("rate_hz", [30.0, 100.0])
def test_a_light_that_resembles_it_is_not_taken(
    shown: Shown, expected: Wanted, rate_hz: float
) -> None:
    with pytest.raises(NotSeen):
        Desk(shown, rate_hz, noise=0.08).wait(expected, 12.0)


def test_stillness_is_watched_longer_than_any_model_keeps_still_while_it_moves() -> None:
    phases = [
        phase
        for name in names()
        for pattern in load(name).indicator.values()
        for phase in (pattern.on_ms, pattern.off_ms)
    ]
    assert max(phases) / 1000 <= STILL_S < WATCH_S


# --- what was there instead ---------------------------------------------------------------------


def missed(desk: Desk, expected: Wanted, timeout_s: float = 4.0) -> LightNotSeen:
    with pytest.raises(LightNotSeen) as info:
        desk.wait(expected, timeout_s)
    return info.value


def test_not_seen_says_what_was_there_and_keeps_it() -> None:
    error = missed(Desk(blinking("blue", 0.25, 0.25)), wanted("red", "solid"))
    assert str(error).startswith(
        "the light was not red, solid within 4 s: it was blue, blinking at 2.0"
    )
    assert "lit 50%" in str(error) or "lit 49%" in str(error) or "lit 51%" in str(error)
    assert (error.reading.mode, error.reading.colours) == ("blink", ("blue",))
    assert error.trace.span_s == pytest.approx(4.0, abs=0.1)


def test_not_seen_in_a_time_that_was_too_short() -> None:
    error = missed(Desk(solid("red")), wanted("red", "solid"), 1.5)
    assert "it looked like it, but not long enough or not clearly" in str(error)


def test_not_seen_by_a_sensor_that_is_silent() -> None:
    desk = Desk(solid("red"), rate_hz=1e-9)
    desk.sample = lambda duration_s: (desk.sleep(duration_s), EMPTY)[1]  # type: ignore[method-assign, func-returns-value]
    assert "its sensor has sent no samples" in str(missed(desk, wanted("red", "solid")))


def test_a_light_that_cannot_be_told() -> None:
    error = missed(Desk(blinking("red", 1.5, 1.5)), wanted("blue", "solid"), 2.0)
    assert "what it did cannot be told, at best red, blinking" in str(error)
    assert error.reading.confidence < 0.5


def test_no_time_to_look() -> None:
    error = missed(Desk(solid("red")), wanted("red", "solid"), 0.0)
    assert len(error.trace.times_s) == 0
    assert error.reading.confidence == 0.0


def test_only_the_end_of_a_long_wait_is_kept() -> None:
    error = missed(Desk(solid("red"), 20.0), wanted("blue", "solid"), 40.0)
    assert error.trace.span_s == pytest.approx(KEPT_S, abs=PIECE_S)


# --- instruments --------------------------------------------------------------------------------


def test_time_lost_between_pieces_is_not_time_watched() -> None:
    desk = Desk(solid("green"), lost_s=0.12)
    assert desk.wait(wanted("green", "solid")).mode == "solid"
    assert desk.waited_s > 2.8


def test_a_sensor_that_starts_anew_starts_the_trace_anew() -> None:
    desk = Desk(solid("green"))
    pieces = iter([LedTrace(np.array([500.0, 500.1]), np.ones((2, 3)))])
    sample = desk.sample
    desk.sample = lambda duration_s: next(pieces, None) or sample(duration_s)  # type: ignore[method-assign]
    assert desk.wait(wanted("green", "solid")).colours == ("green",)


def test_a_clock_that_stands_still_does_not_wait_for_ever() -> None:
    desk = Desk(solid("green"))
    standing = Desk(solid("green"))
    with pytest.raises(NotSeen):
        wait_for(desk.sample, wanted("red", "solid"), 3.0, standing)


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colour", "mode", "hz", "duty", "message"),
    [
        ("pink", "solid", None, None, "no colour 'pink'; colours are: red, green, blue"),
        ("red", "flash", None, None, "no light can 'flash'; modes are: off, solid"),
        ("red", "alternate", None, None, "mode alternate takes 2 colours, got 'red'"),
        ("red+red", "alternate", None, None, "takes 2 colours"),
        ("red", "off", None, None, "mode off takes 0 colours"),
        ("", "blink", None, None, "mode blink takes 1 colours"),
        ("red", "blink", -1.0, None, "a light blinks 0 to 100 times a second, not -1.0"),
        ("red", "blink", float("nan"), None, "not nan"),
        ("red", "blink", 2.0, 1.5, "a duty is a share from 0 to 1, not 1.5"),
    ],
)
def test_what_cannot_be_waited_for(
    colour: str, mode: Mode, hz: float | None, duty: float | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message.replace("+", r"\+")):
        wanted(colour, mode, hz, duty)


@pytest.mark.parametrize("timeout_s", [-1.0, float("inf"), float("nan")])
def test_times_that_cannot_be_waited(timeout_s: float) -> None:
    with pytest.raises(UsageError, match="a test waits 0 seconds or more"):
        Desk(solid("red")).wait(wanted("red", "solid"), timeout_s)


def test_matches_knows_the_order_of_two_colours() -> None:
    reading = Reading("alternate", ("red", "blue"), 2.0, 0.8, 1.0)
    assert matches(reading, wanted("red+blue", "alternate", 2.1, 0.8))
    assert matches(reading, wanted("blue+red", "alternate", 2.0, 0.2))
    assert not matches(reading, wanted("blue+red", "alternate", 2.0, 0.8))
    assert not matches(reading, wanted("blue+red", "alternate", 1.0))


def test_lights_in_words() -> None:
    assert in_words(wanted("", "off")) == "dark"
    assert in_words(wanted("red", "solid")) == "red, solid"
    assert in_words(Light("blink", ("red",), 2.0, 0.5)) == "red, blinking at 2.00 Hz"
    assert in_words(wanted("red+blue", "alternate")) == "red and blue, alternating"
    assert in_words(wanted("red", "breathe")) == "red, breathing"


def test_the_best_reading_of_nothing_is_unsure() -> None:
    assert best_reading(EMPTY).confidence == 0.0
