"""How a light and a state read in a terminal."""

import pytest

from firmware_sim.device.indicator import Mode, Pattern
from firmware_sim.effects import Noted, StateShown
from fleet.commands.light import clock, lamp, large_lamp, note_line, state_line
from fleet.light.colours import SHADES, lit_of
from fleet.light.meaning import Lamp

DARK = Pattern(Mode.OFF, "x")
SOLID = Pattern(Mode.SOLID, "x", ("amber",))
BLINK = Pattern(Mode.BLINK, "x", ("red",), 250, 500)
BOTH = Pattern(Mode.ALTERNATE, "x", ("red", "green"), 250, 250)


ONE = (Lamp("", ("red", "green", "amber")),)
TWO = (Lamp("main", ("green",)), Lamp("second", ("red",)))


@pytest.mark.parametrize(
    ("pattern", "elapsed_ms", "one", "two"),
    [
        (DARK, 0, "○ dark", "○ ○ dark"),
        (SOLID, 9999, "● amber", "○ ○ amber"),
        (BLINK, 249, "● red", "○ ● red"),
        (BLINK, 250, "○ dark", "○ ○ dark"),
        (BLINK, 750, "● red", "○ ● red"),
        (BOTH, 250, "● green", "● ○ green"),
    ],
)
def test_the_lamp_moves_with_time(pattern: Pattern, elapsed_ms: int, one: str, two: str) -> None:
    assert lamp(ONE, pattern, elapsed_ms).plain == one
    assert lamp(TWO, pattern, elapsed_ms).plain == two


def test_only_the_sign_is_coloured_so_that_the_word_is_legible() -> None:
    spans = lamp(ONE, BOTH, 0).spans
    assert [(span.start, span.end, span.style) for span in spans] == [(0, 2, SHADES["red"].ink)]


@pytest.mark.parametrize(("elapsed_ms", "lit"), [(0, "red"), (250, "green")])
def test_a_large_lamp_has_the_colour_in_its_middle(elapsed_ms: int, lit: str) -> None:
    text = large_lamp(TWO, BOTH, elapsed_ms)
    lines = text.plain.splitlines()
    assert len({len(line) for line in lines}) == 1
    side = len(lines[0]) // 2
    start = len(lines) // 2 * (len(lines[0]) + 1)
    middles = [start + side // 2, start + side + side // 2]
    styles = [next(str(s.style) for s in text.spans if s.start <= at < s.end) for at in middles]
    of_main, of_second = (lit_of(lit if lit == of else "") for of in ("green", "red"))
    assert styles == [f"{of_main} on {of_main}", f"{of_second} on {of_second}"]


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
