"""How a device's light and states read in a terminal. Pure: patterns and times in, text out."""

import math
from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from firmware_sim.device.indicator import Pattern
from firmware_sim.effects import Noted, StateShown
from fleet.light.colours import between, ink_of, lit_of
from fleet.light.meaning import Lamp
from fleet.light.shapes import BODY

_SIDE, _RADIUS, _SHINE = 18, 6.0, 1.2  # of a large lamp, in half lines
_HALF_LINES = "▀"


def lamp(on_case: Sequence[Lamp], pattern: Pattern, elapsed_ms: int) -> Text:
    """Return the lights on the case as they are `elapsed_ms` after the pattern began."""
    colour = pattern.colour_at(elapsed_ms)
    text = Text()
    for each in on_case:
        text.append("● " if each.shows(colour) else "○ ", ink_of(each.shows(colour)))
    return text.append(colour or "dark", "" if colour else "dim")


def large_lamp(on_case: Sequence[Lamp], pattern: Pattern, elapsed_ms: int) -> Text:
    """Return the same lights large enough to be seen across a room."""
    colour = pattern.colour_at(elapsed_ms)
    lines = Text()
    for row in range(0, _SIDE, 2):
        for each in on_case:
            for column in range(_SIDE):
                upper, lower = (_spot(each.shows(colour), column, row + half) for half in (0, 1))
                lines.append(_HALF_LINES, f"{upper} on {lower}")
        lines.append("\n")
    return lines


def _spot(colour: str, column: int, row: int) -> str:
    """Return the colour of one spot of a large lamp: the lamp, its shine, the body around it."""
    middle = (_SIDE - 1) / 2
    distance = math.hypot(column - middle, row - middle)
    if distance <= _RADIUS:
        return lit_of(colour)
    if colour and distance <= _RADIUS + _SHINE:
        return between(between(lit_of(colour), BODY), BODY)
    return BODY


def state_line(state: StateShown, pattern: Pattern) -> str:
    """Return a state as one line: lifecycle, session, what the operator reads, light, cause."""
    operator = f" [{state.operator}]" if state.operator else ""
    return (
        f"{state.lifecycle}/{state.session}{operator} "
        f"light {state.light} ({pattern.in_words()}) <- {state.cause}"
    )


def note_line(note: Noted) -> str:
    """Return what no state shows as one line."""
    return f"{note.kind}: {note.detail}" if note.detail else note.kind


def clock(now_ms: int) -> str:
    """Return an instant as local time of day, to the millisecond."""
    return datetime.fromtimestamp(now_ms / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3]
