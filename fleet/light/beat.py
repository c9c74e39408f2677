"""When a light changes: one period of a pattern, stretches of time, loops of pictures. Pure.

A loop is cut where patterns change and nowhere else. A format that counts in coarser steps than a
millisecond gets every edge on its nearest step, so errors never add up, and as many periods as it
takes for the whole to come out even.
"""

import math
from collections.abc import Iterator, Sequence

import msgspec

from firmware_sim.device.indicator import Pattern
from firmware_sim.errors import UsageError

STILL_MS = 1000  # how long a light that does not move is shown
LOOP_MS_MAX = 2_400_000  # enough for any pattern alone, in steps of 20 ms
FRAMES_MAX = 600


class Span(msgspec.Struct, frozen=True):
    """A light of one colour, "" if it is dark, for some time."""

    colour: str
    duration_ms: int


class Stretch(msgspec.Struct, frozen=True):
    """A light of one colour from one instant to the next, counted from the pattern's start."""

    colour: str
    start_ms: int
    end_ms: int


class Frame(msgspec.Struct, frozen=True):
    """What several lights show at once, in their order, for some time."""

    colours: tuple[str, ...]
    duration_ms: int


class Loop(msgspec.Struct, frozen=True):
    """Frames that may be repeated for ever. No edge is more than `error_ms` from its place."""

    frames: tuple[Frame, ...]
    error_ms: int

    @property
    def duration_ms(self) -> int:
        """Return how long it takes."""
        return sum(frame.duration_ms for frame in self.frames)


def moves(pattern: Pattern) -> bool:
    """Say whether a light changes while its pattern lasts."""
    return pattern.on_ms > 0


def spans(pattern: Pattern) -> tuple[Span, ...]:
    """Return one period; of a light that does not move one span of `STILL_MS`."""
    if not moves(pattern):
        return (Span(pattern.colour_at(0), STILL_MS),)
    return (
        Span(pattern.colour_at(0), pattern.on_ms),
        Span(pattern.colour_at(pattern.on_ms), pattern.off_ms),
    )


def period_ms(pattern: Pattern) -> int:
    """Return the length of a period; `STILL_MS` for a light that does not move."""
    return sum(span.duration_ms for span in spans(pattern))


def stretches(pattern: Pattern, until_ms: int) -> Iterator[Stretch]:
    """Yield what a light shows from its start until `until_ms`, dark stretches as well."""
    if not moves(pattern):
        yield Stretch(pattern.colour_at(0), 0, until_ms)
        return
    at_ms = 0
    while at_ms < until_ms:
        next_ms = at_ms + until_next_edge_ms(pattern, at_ms)
        yield Stretch(pattern.colour_at(at_ms), at_ms, min(next_ms, until_ms))
        at_ms = next_ms


def until_next_edge_ms(pattern: Pattern, elapsed_ms: int) -> int:
    """Return how long the light stays as it is; `STILL_MS` if it does not move."""
    if not moves(pattern):
        return STILL_MS
    into_ms = elapsed_ms % period_ms(pattern)
    return (pattern.on_ms if into_ms < pattern.on_ms else period_ms(pattern)) - into_ms


def loop(patterns: Sequence[Pattern], step_ms: int = 1) -> Loop:
    """Return whole periods of all patterns together, in frames of whole steps.

    Raises `UsageError` if that takes too long or too many frames, or a step is too coarse.
    """
    moving = [pattern for pattern in patterns if moves(pattern)]
    if not moving:
        return Loop((Frame(_colours(patterns, 0), STILL_MS),), 0)
    shortest_ms = min(min(pattern.on_ms, pattern.off_ms) for pattern in moving)
    if shortest_ms < step_ms:
        raise UsageError(f"{shortest_ms} ms is too short for steps of {step_ms} ms")
    length_ms = math.lcm(step_ms, *(period_ms(pattern) for pattern in moving))
    count = sum(2 * length_ms // period_ms(pattern) for pattern in moving)
    if length_ms > LOOP_MS_MAX or count > FRAMES_MAX:
        raise UsageError("these lights come together too seldom for one loop: choose one state")
    edges = sorted({s.start_ms for pattern in moving for s in stretches(pattern, length_ms)})
    # What begins within the same step is shown from there as it is after the last of its edges.
    placed = {_nearest(edge, step_ms): edge for edge in edges}
    placed.pop(length_ms, None)
    starts = [*placed, length_ms]
    frames = (
        Frame(_colours(patterns, edge), end - start)
        for (start, edge), end in zip(placed.items(), starts[1:], strict=True)
    )
    error_ms = max(abs(edge - _nearest(edge, step_ms)) for edge in edges)
    return Loop(tuple(frames), error_ms)


def _nearest(edge_ms: int, step_ms: int) -> int:
    return (edge_ms + step_ms // 2) // step_ms * step_ms


def _colours(patterns: Sequence[Pattern], elapsed_ms: int) -> tuple[str, ...]:
    return tuple(pattern.colour_at(elapsed_ms) for pattern in patterns)
