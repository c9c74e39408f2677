"""How a device's light and states read in a terminal. Pure: patterns and times in, text out."""

from datetime import datetime

from rich.text import Text

from firmware_sim.device.indicator import Pattern
from firmware_sim.effects import Noted, StateShown

# The terminal's own palette has no amber, and its yellow is often brown.
RICH_COLOURS = {"amber": "dark_orange", "yellow": "bright_yellow", "white": "bright_white"}


def lamp(pattern: Pattern, elapsed_ms: int) -> Text:
    """Return the light as it is `elapsed_ms` after its pattern began."""
    colour = pattern.colour_at(elapsed_ms)
    if not colour:
        return Text("○ dark", style="dim")
    return Text(f"● {colour}", style=RICH_COLOURS.get(colour, colour))


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
