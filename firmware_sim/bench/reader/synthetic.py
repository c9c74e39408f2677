"""Traces of lights whose truth is known, from two families of parts that share as little as they can.

The reader was tuned on `tuning_case`: one table of colours, Gaussian noise, a lag of first order,
breaths that are sines and triangles. It is judged on `held_out_case`: LEDs of other hues behind a
sensor with crosstalk, gains, offset, clipping and 8 or 10 bits, straight or uneven edges, dimming by
pulse width that beats with the sampling, tinted ambient light that drifts, noise that is partly shot
noise and partly Laplace's, phases that last 10 % longer or shorter, times that are wrong, samples
that are missing singly or in bursts, other shapes of breath. Only what lights do is the same in
both: colours and rhythms of the device models, and breaths.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from firmware_sim.bench.capabilities import Light, Reading
from firmware_sim.bench.reader.colours import COLOURS, RGB
from firmware_sim.bench.trace import Floats, LedTrace

BLINKS_MS = ((1500, 1500), (250, 250), (100, 100), (100, 1900), (1900, 100), (500, 500))
ALTERNATIONS_MS = ((250, 250), (1500, 1500), (500, 500))
PAIRS = (
    ("red", "blue"),
    ("red", "green"),
    ("blue", "amber"),
    ("green", "blue"),
    ("green", "amber"),
    ("red", "white"),
    ("green", "yellow"),
    ("blue", "white"),
)
BREATH_HZ = (0.2, 1.0)
SPAN_S = (2.0, 6.0)
PERIODS_MIN = 2.2

_MODES = ("off", "solid", "blink", "alternate", "breathe")
_MODE_SHARES = (0.08, 0.2, 0.38, 0.2, 0.14)
_GRID_S = 0.002
_LEAD_S = 0.4

Wave = Callable[[Floats], Floats]


class Case(NamedTuple):
    """A trace, and what the light really did."""

    truth: Light
    trace: LedTrace


Family = Callable[[np.random.Generator, float, float], Case]
"""Draws a light and a trace of it, sampled at a rate in Hz and with noise (share of full scale)."""


class Seen(NamedTuple):
    """A trace before the sensor: times on a fine grid (n,), share of the first and second light."""

    times_s: Floats
    first: Floats
    second: Floats


def right(reading: Reading, truth: Light) -> bool:
    """Say whether mode and colours are right, and the frequency within 10 % where there is one."""
    if reading.mode != truth.mode or set(reading.colours) != set(truth.colours):
        return False
    return truth.hz == 0 or abs(reading.hz / truth.hz - 1) <= 0.1


def fault(reading: Reading, truth: Light) -> str:
    """Name the first thing that is wrong: `mode`, `colour`, `hz`; empty if nothing is."""
    if reading.mode != truth.mode:
        return "mode"
    if set(reading.colours) != set(truth.colours):
        return "colour"
    return "" if right(reading, truth) else "hz"


def any_light(rng: np.random.Generator) -> Light:
    """Draw what a light does, from all that device models do, and breaths."""
    mode = _MODES[rng.choice(len(_MODES), p=_MODE_SHARES)]
    colour = COLOURS[rng.integers(len(COLOURS))]
    if mode == "off":
        return Light("off", (), 0.0, 0.0)
    if mode == "solid":
        return Light("solid", (colour,), 0.0, 1.0)
    if mode == "breathe":
        return Light("breathe", (colour,), float(rng.uniform(*BREATH_HZ)), 0.5)
    choices = BLINKS_MS if mode == "blink" else ALTERNATIONS_MS
    on_ms, off_ms = choices[rng.integers(len(choices))]
    colours = (colour,) if mode == "blink" else PAIRS[rng.integers(len(PAIRS))]
    period_ms = on_ms + off_ms
    return Light(
        "blink" if mode == "blink" else "alternate", colours, 1000 / period_ms, on_ms / period_ms
    )


def span_of(light: Light, rng: np.random.Generator) -> float:
    """Draw how long a light is watched: 2 to 6 s, and 2.2 periods at least."""
    return max(float(rng.uniform(*SPAN_S)), PERIODS_MIN / light.hz if light.hz else 0.0)


def tuning_case(rng: np.random.Generator, rate_hz: float, noise: float) -> Case:
    """Draw a light and a trace of the family that the reader was tuned on.

    `rate_hz` is samples per second, `noise` a standard deviation, full scale 1.
    """
    light = any_light(rng)
    span_s = span_of(light, rng)
    grid_s = np.arange(-_LEAD_S, span_s, _GRID_S)
    breath = _triangle if rng.random() < 0.5 else _sine
    shares = _shares(light, grid_s, rng, breath, jitter=0.0)
    lag_s = float(rng.uniform(0.0, 0.025))
    seen = Seen(grid_s, _lag(shares[0], lag_s), _lag(shares[1], lag_s))
    step_s = 1 / rate_hz
    times_s = np.arange(0.0, span_s, step_s)
    times_s = np.sort(times_s + rng.uniform(-0.1, 0.1, len(times_s)) * step_s)
    colours = [np.array(RGB[name]) * rng.uniform(0.45, 1.0) for name in light.colours]
    ambient = np.full(3, rng.uniform(0.0, 0.06))
    rgb = _mix(seen, times_s, colours, ambient) * rng.uniform(0.96, 1.04, 3)
    rgb = np.clip(rgb + rng.normal(0.0, noise, rgb.shape), 0.0, 1.0)
    return Case(light, LedTrace(times_s, rgb))


# --- the other family ---------------------------------------------------------------------------


def held_out_case(rng: np.random.Generator, rate_hz: float, noise: float) -> Case:
    """Draw a light and a trace of the family that the reader is judged on; units as above."""
    light = any_light(rng)
    span_s = span_of(light, rng)
    tempo = float(rng.uniform(0.97, 1.03))
    if light.hz:
        light = Light(light.mode, light.colours, light.hz * tempo, light.duty)
    grid_s = np.arange(-_LEAD_S, span_s + 0.1, _GRID_S)
    breath = (_swell, _gamma, _trapezoid)[rng.integers(3)]
    shares = _shares(light, grid_s, rng, breath, jitter=0.1)
    shares = (_edges(shares[0], rng), _edges(shares[1], rng))
    if rng.random() < 0.3:
        shares = _dimmed(shares, grid_s, rng)
    stamps_s, taken_s = _sampling(rng, rate_hz, span_s)
    colours = [_led(name, rng) * rng.uniform(0.45, 1.1) for name in light.colours]
    ambient = rng.uniform(0.0, 0.1) * rng.uniform(0.75, 1.0, 3)
    rgb = _mix(Seen(grid_s, *shares), taken_s, colours, ambient)
    drift = 0.03 * np.sin(2 * np.pi * (taken_s / span_s * rng.uniform(0.2, 1.5) + rng.random()))
    rgb = (rgb + ambient * drift[:, None] * 10) * rng.uniform(0.92, 1.08, 3) + rng.uniform(
        -0.02, 0.02
    )
    rgb = np.clip(_noisy(rgb, noise, rng), 0.0, 1.0)
    steps = (255, 1023)[rng.integers(2)]
    return Case(light, LedTrace(stamps_s, np.round(rgb * steps) / steps))


def _led(name: str, rng: np.random.Generator) -> Floats:
    """Return an LED as this sensor reads it: a hue near the colour's own, and crosstalk; (3,)."""
    warm = rng.uniform(-1, 1)
    base = {
        "red": (1.0, 0.03 + 0.03 * warm, 0.02),
        "green": (0.12 + 0.1 * warm, 1.0, 0.2 - 0.1 * warm),
        "blue": (0.06, 0.22 + 0.1 * warm, 1.0),
        "amber": (1.0, 0.49 + 0.07 * warm, 0.03),
        "yellow": (1.0, 0.92 + 0.05 * warm, 0.1),
        "white": (1.0, 0.95, 0.92 - 0.14 * warm),
    }[name]
    crosstalk = rng.uniform(0.0, 0.05)
    light = np.array(base) + crosstalk * sum(base) / 3
    whole: Floats = light / light.max()
    return whole


def _sampling(rng: np.random.Generator, rate_hz: float, span_s: float) -> tuple[Floats, Floats]:
    """Return the times that the trace tells and those when light was really taken; both (n,)."""
    step_s = 1 / rate_hz
    nominal_s = np.arange(0.0, span_s, step_s)
    if rng.random() < 0.5:
        shift_s = rng.normal(0.0, 0.1, len(nominal_s)) * step_s
    else:
        shift_s = (
            rng.exponential(0.1, len(nominal_s)) + (rng.random(len(nominal_s)) < 0.02)
        ) * step_s
    taken_s = np.maximum.accumulate(np.maximum(nominal_s + shift_s, 0.0))
    stamps_s = taken_s if rng.random() < 0.5 else nominal_s
    kept = rng.random(len(nominal_s)) > rng.choice((0.0, 0.02, 0.05))
    if rng.random() < 0.3:
        first = int(rng.integers(1, len(kept)))
        kept[first : first + max(round(0.06 * rate_hz), 1)] = False
    kept[[0, -1]] = True
    return stamps_s[kept], taken_s[kept]


def _edges(share: Floats, rng: np.random.Generator) -> Floats:
    """Return a light whose rise is straight, and whose fall may be slower."""
    width = max(int(rng.uniform(0.0, 0.03) / _GRID_S), 1)
    rising = np.convolve(share, np.full(width, 1 / width))[: len(share)]
    if rng.random() < 0.5:
        return rising
    return np.maximum(rising, _lag(share, float(rng.uniform(0.005, 0.025))))


def _dimmed(
    shares: tuple[Floats, Floats], grid_s: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return lights dimmed by pulse width, as a sensor with a short exposure sees their pulses beat.

    What is left of the ripple after the exposure is a slow wave of some depth, aliased or not.
    """
    depth, beat_hz = rng.uniform(0.03, 0.15), rng.uniform(0.2, 12.0)
    ripple = 1 + depth * np.sin(2 * np.pi * (grid_s * beat_hz + rng.random()))
    return shares[0] * ripple, shares[1] * ripple


def _noisy(rgb: Floats, noise: float, rng: np.random.Generator) -> Floats:
    """Return samples with noise of the same strength at full scale, divided among its kinds."""
    shot, wild = rng.uniform(0.0, 0.7), rng.random() < 0.4
    steady = noise * math.sqrt(1 - shot)
    flat = (
        rng.laplace(0.0, steady / math.sqrt(2), rgb.shape)
        if wild
        else rng.normal(0.0, steady, rgb.shape)
    )
    return (
        rgb
        + flat
        + rng.normal(0.0, 1.0, rgb.shape) * noise * np.sqrt(shot * np.clip(rgb, 0.0, 1.0))
    )


# --- lights -------------------------------------------------------------------------------------


def _shares(
    light: Light, grid_s: Floats, rng: np.random.Generator, breath: Wave, jitter: float
) -> tuple[Floats, Floats]:
    """Return how much of the first and the second light is on at each time; both (n,), 0 to 1."""
    none = np.zeros(len(grid_s))
    if light.mode in ("off", "solid"):
        return (none, none) if light.mode == "off" else (none + 1, none)
    if light.mode == "breathe":
        floor = rng.uniform(0.0, 0.15)
        return floor + (1 - floor) * breath((grid_s * light.hz + rng.random()) % 1.0), none
    lit = _square(light, grid_s, rng, jitter)
    return lit, (1 - lit if light.mode == "alternate" else none)


def _square(light: Light, grid_s: Floats, rng: np.random.Generator, jitter: float) -> Floats:
    """Return 1 and 0 in turn, from any point of the period on; phases vary by a share `jitter`."""
    period_s = 1 / light.hz
    periods = math.ceil((grid_s[-1] - grid_s[0]) / period_s * 1.2) + 3
    phases = np.tile((light.duty * period_s, (1 - light.duty) * period_s), periods)
    phases = phases * rng.uniform(1 - jitter, 1 + jitter, len(phases))
    borders = grid_s[0] - rng.uniform(0.0, period_s) + np.concatenate(([0.0], np.cumsum(phases)))
    return (np.searchsorted(borders, grid_s, side="right") % 2).astype(np.float64)


def _mix(seen: Seen, at_s: Floats, colours: list[Floats], ambient: Floats) -> Floats:
    """Return the light of all lamps and of the room at given times; (m, 3)."""
    rgb = np.tile(ambient, (len(at_s), 1))
    for colour, share in zip(colours, (seen.first, seen.second), strict=False):
        rgb = rgb + np.interp(at_s, seen.times_s, share)[:, None] * colour
    return rgb


def _lag(share: Floats, lag_s: float) -> Floats:
    """Return a share (n,) behind a lag of first order."""
    if lag_s < _GRID_S:
        return share
    kernel = np.exp(-np.arange(0.0, 6 * lag_s, _GRID_S) / lag_s)
    padded = np.concatenate((np.full(len(kernel), share[0]), share))
    lagging: Floats = np.convolve(padded, kernel / kernel.sum())[len(kernel) : len(padded)]
    return lagging


def _sine(turn: Floats) -> Floats:
    return 0.5 - 0.5 * np.cos(2 * np.pi * turn)


def _triangle(turn: Floats) -> Floats:
    return 1 - np.abs(2 * turn - 1)


def _swell(turn: Floats) -> Floats:
    swollen: Floats = np.exp(-np.cos(2 * np.pi * turn))
    return (swollen - math.exp(-1)) / (math.e - math.exp(-1))


def _gamma(turn: Floats) -> Floats:
    return _triangle(turn) ** 1.6


def _trapezoid(turn: Floats) -> Floats:
    return np.clip(1.25 * _triangle(turn) - 0.125, 0.0, 1.0)
