"""How a light and a state read in a terminal."""

import pytest

from firmware_sim.device.indicator import Mode, Pattern
from firmware_sim.effects import Noted, StateShown
from fleet.commands.light import clock, lamp, note_line, state_line

DARK = Pattern(Mode.OFF, "x")
SOLID = Pattern(Mode.SOLID, "x", ("amber",))
BLINK = Pattern(Mode.BLINK, "x", ("red",), 250, 500)
BOTH = Pattern(Mode.ALTERNATE, "x", ("red", "green"), 250, 250)


@pytest.mark.parametrize(
    ("pattern", "elapsed_ms", "text"),
    [
        (DARK, 0, "○ dark"),
        (SOLID, 9999, "● amber"),
        (BLINK, 249, "● red"),
        (BLINK, 250, "○ dark"),
        (BLINK, 750, "● red"),
        (BOTH, 250, "● green"),
    ],
)
def test_the_lamp_moves_with_time(pattern: Pattern, elapsed_ms: int, text: str) -> None:
    assert lamp(pattern, elapsed_ms).plain == text


def test_a_state_is_one_line() -> None:
    state = StateShown("WAITING", "DOWN", "waiting", "waiting", "BootElapsed")
    line = "WAITING/DOWN [waiting] light waiting (red blinks 250/500 ms) <- BootElapsed"
    assert state_line(state, BLINK) == line
    online = StateShown("ONLINE", "UP", "online", "", "Subscribed")
    assert state_line(online, SOLID) == "ONLINE/UP light online (amber) <- Subscribed"


def test_a_note_is_one_line() -> None:
    assert note_line(Noted("tone", "1")) == "tone: 1"
    assert note_line(Noted("quiet", "")) == "quiet"


def test_the_clock_shows_milliseconds() -> None:
    assert clock(1_700_000_000_007).endswith(":20.007")
