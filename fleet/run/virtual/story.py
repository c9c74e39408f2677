"""What has happened in a virtual run, in prose: one line per thing, for people.

A line says when (since the run began), who, what, and on the right which line of which file took
it, where that is known: entries of a `Trace` know what happened, those of a `Witness` also which
rows of the firmware's tables and which functions of the cloud answered. No line has a secret in it.
"""

from collections.abc import Iterable, Iterator

from firmware_sim.device.device import ROUTES
from firmware_sim.device.indicator import Pattern
from firmware_sim.events import Event, PowerApplied
from firmware_sim.runtime.virtual.trace import Entry
from fleet.run.virtual.command import START_MS
from fleet.run.virtual.telling.cloud_witness import PERSON
from fleet.run.virtual.telling.device_words import EVENTS
from fleet.run.virtual.telling.line import Line, device_name, place_of
from fleet.run.virtual.telling.wire_words import path_shown

CELL_MS, CELLS = 125, 16
_WHO, _TEXT = 16, 90  # columns
_TO_THE_TABLES = ROUTES[PowerApplied]  # what only hands an event on to the tables


def tell(entries: Iterable[Entry], start_ms: int = START_MS) -> Iterator[str]:
    """Tell entries one by one, in their order; `start_ms` is when the run began."""
    for at_ms, line in lines(entries):
        yield in_columns(at_ms - start_ms, line)


def lines(entries: Iterable[Entry]) -> Iterator[tuple[int, Line]]:
    """Return the lines of entries, each with its time."""
    for at_ms, who, number, what in entries:
        if isinstance(what, tuple):
            for line in what:
                yield at_ms, line
        else:
            yield at_ms, _line(who, number, what)


def in_columns(since_ms: int, line: Line) -> str:
    """Return a line as text: time since the start, who, what, and where that was decided."""
    text = line.text
    if line.pattern is not None:
        text = f"{''.join(cell[:1].upper() or '.' for cell in cells(line.pattern))} {text}"
    return f"{since_ms / 1000:9.3f} s  {line.who:<{_WHO}} {text:<{_TEXT}} {line.place}".rstrip()


def cells(pattern: Pattern) -> list[str]:
    """Return two seconds of a light: its colour at each eighth of a second, "" while it is dark."""
    return [pattern.colour_at(CELL_MS * cell) for cell in range(CELLS)]


def _line(who: str, number: int, what: object) -> Line:
    """Return the line of an entry of a `Trace`, which has no words of its own."""
    if isinstance(what, Event):
        route = ROUTES[type(what)]
        place = "" if route is _TO_THE_TABLES else place_of(route)
        return Line(device_name(number), EVENTS[type(what)](what), place)
    if who == PERSON:
        method, _, target = str(what).partition(" ")
        return Line(who, f"{method} {path_shown(target)}")
    return Line(who, str(what))
