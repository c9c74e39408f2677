"""Timing diagrams: what the light of a model shows in some or all states, over a time axis.

A row is one state. What is lit is a bar upon a dark strip, with the first letter of its colour
where there is room for it, the first time; a model with two lights has a strip for each.
"""

import textwrap
from collections.abc import Iterator, Sequence

from firmware_sim.device.indicator import Pattern
from firmware_sim.device.profile import Profile
from fleet.light.beat import moves, period_ms, stretches
from fleet.light.colours import PAPER, SHADES, between, lit_of
from fleet.light.meaning import Lamp, Light, lamps
from fleet.light.shapes import BODY, FAINT, INK, RULE, Box, Drawing, Shape, Words, clipped, pill

PLOT_X, PLOT_WIDTH = 352, 480
WIDTH = PLOT_X + PLOT_WIDTH + 28
HEAD, ROW, FOOT = 72, 68, 36
_LEFT = 20
_STILL_WINDOW_MS = 2000
_LETTER_ROOM = 14
_SOURCE_LENGTH, _MEANING_LENGTH = 50, 48


def diagram(profile: Profile, lights: Sequence[Light]) -> Drawing:
    """Return the timing diagram of these states of one model."""
    window_ms, step_ms = time_axis([light.pattern for light in lights])
    height = HEAD + ROW * len(lights) + FOOT
    shapes: list[Shape] = [*_head(profile, window_ms), *_axis(window_ms, step_ms, height)]
    for number, light in enumerate(lights):
        shapes += _row(light, lamps(profile), HEAD + ROW * number, window_ms)
    return Drawing(
        name=f"light-{profile.name}",
        title=f"Light patterns of {profile.name}: {profile.title}",
        description=" ".join(_sentence(light) for light in lights),
        width=WIDTH,
        height=height,
        ground=PAPER,
        shapes=tuple(shapes),
    )


def time_axis(patterns: Sequence[Pattern]) -> tuple[int, int]:
    """Return the length of the axis, at least two periods of each pattern, and the ticks' distance."""
    periods_ms = [period_ms(pattern) for pattern in patterns if moves(pattern)]
    least_ms = 2 * max(periods_ms, default=_STILL_WINDOW_MS // 2)
    step_ms = next(
        step
        for digits in range(6)
        for step in (10**digits, 2 * 10**digits, 5 * 10**digits)
        if least_ms <= 6 * step
    )
    return -(-least_ms // step_ms) * step_ms, step_ms


def _sentence(light: Light) -> str:
    reading = f" (operator reads: {light.reading})" if light.reading else ""
    return f"{light.state}{reading}: {light.words}; {light.origin}."


def _head(profile: Profile, window_ms: int) -> Iterator[Shape]:
    over = f"{profile.name}: the light over {_time(window_ms)}, dark where it is off"
    about = f"{over}; in grey what the operator reads"
    yield Words(_LEFT, 32, clipped(profile.title, 72), 18, INK, bold=True)
    yield Words(_LEFT, 53, clipped(about, 110), 13, FAINT)


def _axis(window_ms: int, step_ms: int, height: int) -> Iterator[Shape]:
    bottom = height - FOOT
    yield Box(PLOT_X, bottom, PLOT_WIDTH, 1, FAINT)
    for at_ms in range(0, window_ms + 1, step_ms):
        x = PLOT_X + PLOT_WIDTH * at_ms / window_ms
        for top in range(HEAD, bottom, ROW):
            yield Box(x - 0.5, top + 4, 1, 36, RULE)
        yield Box(x - 0.5, bottom, 1, 6, FAINT)
        yield Words(x, bottom + 21, _time(at_ms), 12, FAINT, "middle")


def _time(at_ms: int) -> str:
    if at_ms == 0:
        return "0"
    return f"{at_ms / 1000:g} s" if at_ms >= 1000 else f"{at_ms} ms"


def _row(light: Light, on_case: tuple[Lamp, ...], top: int, window_ms: int) -> Iterator[Shape]:
    yield Box(_LEFT, top, WIDTH - 2 * _LEFT, 1, RULE)
    yield Words(_LEFT, top + 24, light.state, 14, INK, bold=True)
    if light.reading:
        yield from pill(_LEFT + 142, top + 24, light.reading, 11)
    lines = textwrap.wrap(light.meaning, _MEANING_LENGTH)
    for number, line in enumerate(lines[:2]):
        yield Words(_LEFT, top + 43 + 15 * number, line, 12, FAINT)
    height = 24 if len(on_case) == 1 else 14
    for number, lamp in enumerate(on_case):
        y = top + 10 + number * (height + 2) - 3 * (len(on_case) - 1)
        yield Words(PLOT_X - 8, y + height - 3, lamp.title, 11, FAINT, "end")
        yield from _strip(light, lamp, y, height, window_ms)
    yield Words(PLOT_X, top + 55, light.words, 12, INK)
    origin = clipped(light.origin, _SOURCE_LENGTH)
    yield Words(PLOT_X + PLOT_WIDTH, top + 55, origin, 12, FAINT, "end")


def _strip(light: Light, lamp: Lamp, y: float, height: float, window_ms: int) -> Iterator[Shape]:
    yield Box(PLOT_X, y, PLOT_WIDTH, height, BODY)
    pattern, px_per_ms = light.pattern, PLOT_WIDTH / window_ms
    if moves(pattern) and min(pattern.on_ms, pattern.off_ms) * px_per_ms < 1:
        yield Box(PLOT_X, y, PLOT_WIDTH, height, _blur(pattern, lamp), name=light.state)
        return
    for stretch in stretches(pattern, window_ms):
        colour = lamp.shows(stretch.colour)
        if not colour:
            continue
        x = PLOT_X + stretch.start_ms * px_per_ms
        width = (stretch.end_ms - stretch.start_ms) * px_per_ms
        yield Box(x, y, width, height, lit_of(colour), name=light.state)
        if width >= _LETTER_ROOM and stretch.start_ms < period_ms(pattern):
            letter = SHADES[colour].letter
            yield Words(x + width / 2, y + height / 2 + 4, letter, 11, INK, "middle", bold=True)


def _blur(pattern: Pattern, lamp: Lamp) -> str:
    """Return how a light looks that changes faster than can be drawn."""
    first, second = (lamp.shows(pattern.colour_at(at_ms)) for at_ms in (0, pattern.on_ms))
    return between(lit_of(first) if first else BODY, lit_of(second) if second else BODY)
