"""Waiting until an LED does what a test expects, and saying what it did instead.

Light is sampled in short pieces and their end is read again and again, so what went before the
awaited light does not disturb. A light that only resembles it is told apart by watching: a light
that keeps still counts once it was watched for `WATCH_S`, longer than any blinking light of a known
model keeps still; one that moves once its rhythm has repeated.
"""

import math
from collections.abc import Callable

import msgspec

from firmware_sim.bench.capabilities import Clock, Light, Mode, NotSeen, Reading
from firmware_sim.bench.reader.classify import STILL_S, read
from firmware_sim.bench.reader.colours import COLOURS
from firmware_sim.bench.trace import EMPTY, LedTrace
from firmware_sim.errors import UsageError

ENOUGH = 0.9
"""The confidence from which a reading is believed."""

ENOUGH_EXPECTED = 0.75
"""The same for a rhythm whose frequency was known before. Some states of a device last no longer
than one and a half periods of their light, in which it has repeated once."""

TOLD = 0.5
"""The confidence below which people are told that it cannot be told."""

PIECE_S = 0.25
"""How much light is sampled at a time, in seconds of the bench."""

WATCH_S = round(1.15 * STILL_S, 3)
"""How long a light has to keep still to be called solid or off: 2.185 s."""

KEPT_S = 30.0
"""How much light is remembered, and handed out when it was not the awaited one."""

_PERIODS = (1.55, 2.2, 3.5)
_WINDOW_MIN_S = 1.1
_WINDOWS_S = (_WINDOW_MIN_S, WATCH_S, 3.3, 4.7, 6.6, 11.0)
_STILL_WINDOWS_S = (WATCH_S, 2 * WATCH_S)
_HZ_TOLERANCE, _DUTY_TOLERANCE = 0.15, 0.12
_LIGHTS = {"off": 0, "solid": 1, "blink": 1, "alternate": 2, "breathe": 1}


class Wanted(msgspec.Struct, frozen=True):
    """What a test expects: as `Light`, but any frequency or duty where there is None."""

    mode: Mode
    colours: tuple[str, ...]
    hz: float | None = None
    duty: float | None = None


class LightNotSeen(NotSeen):
    """The awaited light has not come; `trace` is the light there was, `reading` what it did."""

    def __init__(self, message: str, trace: LedTrace, reading: Reading) -> None:
        """Keep what a report needs."""
        super().__init__(message)
        self.trace = trace
        self.reading = reading


def wanted(colour: str, mode: Mode, hz: float | None = None, duty: float | None = None) -> Wanted:
    """Return what to wait for; two colours are written `red+blue`, none is "".

    Raises UsageError for a colour or mode that does not exist, colours that do not go with the
    mode, and frequencies or duties that cannot be.
    """
    colours = tuple(colour.split("+")) if colour else ()
    if mode not in _LIGHTS:
        raise UsageError(f"no light can {mode!r}; modes are: {', '.join(_LIGHTS)}")
    unknown = [name for name in colours if name not in COLOURS]
    if unknown:
        raise UsageError(f"no colour {unknown[0]!r}; colours are: {', '.join(COLOURS)}")
    if len(set(colours)) != _LIGHTS[mode]:
        raise UsageError(f"mode {mode} takes {_LIGHTS[mode]} colours, got {colour!r}")
    if hz is not None and not 0 <= hz <= 100:
        raise UsageError(f"a light blinks 0 to 100 times a second, not {hz}")
    if duty is not None and not 0 <= duty <= 1:
        raise UsageError(f"a duty is a share from 0 to 1, not {duty}")
    return Wanted(mode, colours, hz or None, duty)


def matches(reading: Reading, wanted: Wanted | Light) -> bool:
    """Say whether a reading is what is wanted, however sure it is.

    A frequency may differ by 15 %, a duty by 0.12; two colours may come in either order.
    """
    if reading.mode != wanted.mode or set(reading.colours) != set(wanted.colours):
        return False
    if reading.mode in ("off", "solid"):
        return True
    if wanted.hz and abs(reading.hz / wanted.hz - 1) > _HZ_TOLERANCE:
        return False
    same_order = reading.colours == wanted.colours
    duty = reading.duty if same_order else 1 - reading.duty
    return wanted.duty is None or not wanted.hz or abs(duty - wanted.duty) <= _DUTY_TOLERANCE


def wait_for(
    sample: Callable[[float], LedTrace], wanted: Wanted | Light, timeout_s: float, clock: Clock
) -> Reading:
    """Sample until the light is as wanted, and return its reading.

    `sample` takes a duration in seconds of the bench and returns the light during it. Raises
    LightNotSeen after `timeout_s`, UsageError for a time that is none.
    """
    if not 0 <= timeout_s < math.inf:
        raise UsageError(f"a test waits 0 seconds or more, and not for ever; got {timeout_s}")
    windows_s = _windows(wanted)
    enough = ENOUGH_EXPECTED if wanted.hz else ENOUGH
    deadline_s = clock.now_s() + timeout_s
    trace = EMPTY
    for _ in range(math.ceil(timeout_s / PIECE_S) + 1):
        left_s = deadline_s - clock.now_s()
        if left_s <= 1e-6:
            break
        trace = _continued(trace, sample(min(PIECE_S, left_s)))
        for reading in _readings(trace, windows_s):
            if reading.confidence >= enough and matches(reading, wanted):
                return reading
    seen = best_reading(trace)
    raise LightNotSeen(_instead(wanted, timeout_s, trace, seen), trace, seen)


def best_reading(trace: LedTrace) -> Reading:
    """Return the surest reading of the end of a trace: of its last second or of more."""
    readings = [*_readings(trace, _WINDOWS_S), read(trace.last(_WINDOWS_S[-1]))]
    return max(readings, key=lambda reading: reading.confidence)


def in_words(light: Reading | Wanted | Light) -> str:
    """Return what a light does as people say it: `red, blinking at 2.00 Hz`."""
    if light.mode == "off":
        return "dark"
    does = {"solid": "", "blink": "blinking", "alternate": "alternating", "breathe": "breathing"}
    colours, verb = " and ".join(light.colours), does[light.mode]
    if not verb:
        return f"{colours}, solid"
    return f"{colours}, {verb}" + (f" at {light.hz:.2f} Hz" if light.hz else "")


def _windows(wanted: Wanted | Light) -> tuple[float, ...]:
    """Return how much of the end is read, in seconds, from short to long."""
    if wanted.mode in ("off", "solid"):
        return _STILL_WINDOWS_S
    if not wanted.hz:
        return _WINDOWS_S
    return tuple(max(periods / wanted.hz, _WINDOW_MIN_S) for periods in _PERIODS)


def _readings(trace: LedTrace, windows_s: tuple[float, ...]) -> list[Reading]:
    """Return what is read in each window that is full."""
    slack_s = PIECE_S / 5  # a window's first sample lies somewhat after its begin
    return [read(trace.last(w)) for w in windows_s if trace.span_s >= w - slack_s]


def _continued(trace: LedTrace, piece: LedTrace) -> LedTrace:
    """Return the light remembered; an instrument whose time starts anew starts the trace anew."""
    if not len(piece.times_s):
        return trace
    if len(trace.times_s) and piece.times_s[0] < trace.times_s[-1]:
        return piece
    return trace.then(piece).last(KEPT_S)


def _instead(wanted: Wanted | Light, timeout_s: float, trace: LedTrace, seen: Reading) -> str:
    """Return one sentence: what was expected, and what there was."""
    expected = f"the light was not {in_words(wanted)} within {timeout_s:g} s"
    if not len(trace.times_s):
        return f"{expected}: its sensor has sent no samples"
    sure = f"confidence {seen.confidence:.2f}"
    if matches(seen, wanted):
        return f"{expected}: it looked like it, but not long enough or not clearly ({sure})"
    if seen.confidence < TOLD:
        return f"{expected}: what it did cannot be told, at best {in_words(seen)} ({sure})"
    duty = f", lit {seen.duty:.0%} of the time" if seen.mode == "blink" else ""
    return f"{expected}: it was {in_words(seen)}{duty} ({sure})"
