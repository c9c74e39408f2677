"""The light: every state has one, patterns are checked, colours follow time."""

from typing import Any

import pytest

from firmware_sim.device.indicator import LIGHTS, Mode, Pattern, shown
from firmware_sim.device.states import Lifecycle, Outcome, Session

OURS = "our choice"


def test_every_state_shows_a_known_light_and_every_light_is_shown() -> None:
    seen = {
        shown(lifecycle, session, outcome).light
        for lifecycle in Lifecycle
        for session in Session
        for outcome in Outcome
    }
    assert seen == set(LIGHTS)


def test_the_operator_reads_four_states() -> None:
    def read(lifecycle: Lifecycle, outcome: Outcome = Outcome.NONE) -> str:
        return shown(lifecycle, Session.DOWN, outcome).operator

    assert read(Lifecycle.WAITING) == "waiting"
    assert read(Lifecycle.JOINING) == read(Lifecycle.ACTIVATING) == "unbinding"
    assert read(Lifecycle.RESETTING, Outcome.UNBOUND) == "unbinding"
    assert read(Lifecycle.WAITING, Outcome.UNBOUND) == "unbound"
    assert read(Lifecycle.FAILED, Outcome.JOIN_FAILED) == "failed"
    assert read(Lifecycle.RESETTING) == read(Lifecycle.ONLINE) == read(Lifecycle.OFF) == ""
    assert read(Lifecycle.UPDATING) == ""


@pytest.mark.parametrize("session", Session)
def test_new_firmware_shows_whatever_becomes_of_the_session(session: Session) -> None:
    assert shown(Lifecycle.UPDATING, session, Outcome.NONE).light == "ota"


def test_colours_follow_time() -> None:
    solid = Pattern(Mode.SOLID, OURS, ("green",))
    blink = Pattern(Mode.BLINK, OURS, ("red",), 250, 750)
    alternate = Pattern(Mode.ALTERNATE, OURS, ("red", "green"), 100, 200)
    assert solid.colour_at(0) == solid.colour_at(99_999) == "green"
    assert [blink.colour_at(t) for t in (0, 249, 250, 999, 1000)] == ["red", "red", "", "", "red"]
    assert [alternate.colour_at(t) for t in (0, 100, 299, 300)] == ["red", "green", "green", "red"]
    assert Pattern(Mode.OFF, OURS).colour_at(5) == ""


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (Pattern(Mode.OFF, OURS), "dark"),
        (Pattern(Mode.SOLID, OURS, ("amber",)), "amber"),
        (Pattern(Mode.BLINK, OURS, ("red",), 250, 500), "red blinks 250/500 ms"),
        (
            Pattern(Mode.ALTERNATE, OURS, ("red", "green"), 250, 250),
            "red and green alternate 250/250 ms",
        ),
    ],
)
def test_a_pattern_in_words(pattern: Pattern, text: str) -> None:
    assert pattern.in_words() == text


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((Mode.SOLID, OURS, ()), "takes 1 colours, got 0"),
        ((Mode.ALTERNATE, OURS, ("red",), 1, 1), "takes 2 colours, got 1"),
        ((Mode.BLINK, OURS, ("red",)), "on_ms and off_ms are for blink"),
        ((Mode.SOLID, OURS, ("red",), 5, 5), "on_ms and off_ms are for blink"),
        ((Mode.SOLID, OURS, ("red",), 5, 0), "on_ms and off_ms are for blink"),
        ((Mode.ALTERNATE, OURS, ("red", "green"), 0, 5), "on_ms and off_ms are for blink"),
    ],
)
def test_a_pattern_that_no_light_can_show_is_refused(
    arguments: tuple[Any, ...], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        Pattern(*arguments)
