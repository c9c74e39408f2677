"""Watches one light: what it does, and at once when it does that no longer.

A rhythm is known once it has repeated, which takes seconds; that it is over shows earlier, by a
colour that it does not have, or by a phase that is too long or too short. What was seen before that
counts no more, so two lights are never read as one. A reading counts when two looks in a row agree.
"""

import math
from itertools import pairwise
from typing import Final, NamedTuple, Self

import numpy as np

from firmware_sim.bench.capabilities import Light, Reading
from firmware_sim.bench.reader.classify import read
from firmware_sim.bench.reader.levels import find_levels
from firmware_sim.bench.reader.waiting import matches
from firmware_sim.bench.trace import EMPTY, Floats, LedTrace

LOOK_S: Final = 0.25
SURE: Final = 0.75
WINDOWS_S: Final = (0.75, 1.5, 2.0, 3.3, 4.5)  # and as long as the slowest light takes
_SAMPLES_MIN = 3  # in a row, before a colour is believed to be another
_APART, _APART_DARK = 0.3, 0.15  # of how bright the light is; of full scale where it is dark
_NOISES = 6.0
_LONG, _LONG_S, _SHORT = 1.5, 0.1, 0.5
_UP, _DOWN = 0.65, 0.35

Sight = Reading | None
"""What the light does; None: it has stopped doing what it did, and what it does now is not known."""


class Eyes:
    """The eyes of one bench. What is seen has to go in without gaps, piece by piece."""

    def __init__(self, slowest_s: float) -> None:
        """Begin without memory; `slowest_s` is two periods of the slowest light of the model."""
        self._windows_s = (*(w for w in WINDOWS_S if w < slowest_s), slowest_s)
        self.forget()

    def forget(self) -> None:
        """Take nothing that was seen into account any more."""
        self._trace = EMPTY
        self._before: Reading | None = None
        self._known: _Known | None = None

    def see(self, piece: LedTrace) -> list[Sight]:
        """Return what can be told now; the same again and again as long as the light goes on."""
        sights: list[Sight] = []
        self._trace = self._trace.then(piece).last(self._windows_s[-1] + LOOK_S)
        left_s = self._known.left_s(self._trace) if self._known is not None else None
        if left_s is not None:
            self.forget_until(left_s)
            sights.append(None)
        reading, end = self._sure()
        if reading is not None and self._before is not None and _alike(reading, self._before):
            sights.append(reading)
            self._known = _Known.of(reading, end)
        self._before = reading
        return sights

    def forget_until(self, time_s: float) -> None:
        """Keep only what was seen from a time on."""
        later = self._trace.last(self._trace.times_s[-1] - time_s)
        self.forget()
        self._trace = later

    def _sure(self) -> tuple[Reading | None, LedTrace]:
        """Return what the shortest stretch shows that is sure, and the stretch."""
        for window_s in self._windows_s:
            if self._trace.span_s < window_s - LOOK_S / 2:
                break
            end = self._trace.last(window_s)
            reading = read(end)
            if reading.confidence >= SURE:
                return reading, end
        return None, EMPTY


class _Known(NamedTuple):
    """A light that was read: its levels (3,), where it was read, and how long a phase can be."""

    low: Floats
    high: Floats
    apart: float
    since_s: float
    longest_s: float
    shortest_s: float

    @classmethod
    def of(cls, reading: Reading, end: LedTrace) -> Self:
        """Return the light that a trace shows."""
        since_s = float(end.times_s[0])
        if reading.mode in ("off", "solid"):
            mean = end.rgb.mean(axis=0)
            apart = _APART_DARK
            if reading.mode == "solid":
                apart = max(_APART * _size(mean), _NOISES * _size(end.rgb.std(axis=0)))
            return cls(mean, mean, apart, since_s, math.inf, 0.0)
        levels = find_levels(end.times_s, end.rgb)
        phases_s = reading.duty / reading.hz, (1 - reading.duty) / reading.hz
        apart = max(_APART * _size(levels.high - levels.low), _NOISES * levels.noise)
        return cls(levels.low, levels.high, apart, since_s, max(phases_s), min(phases_s))

    def left_s(self, trace: LedTrace) -> float | None:
        """Return since when a trace shows something else; None if it does not."""
        trace = trace.last(trace.times_s[-1] - self.since_s)
        axis = self.high - self.low
        size = float(axis @ axis)
        place = np.clip((trace.rgb - self.low) @ axis / size, 0, 1) if size else 0 * trace.times_s
        away = np.linalg.norm(trace.rgb - self.low - np.outer(place, axis), axis=1) > self.apart
        for start in np.flatnonzero(away):
            if away[start : start + _SAMPLES_MIN].sum() == _SAMPLES_MIN:
                return float(trace.times_s[start])
        return self._off_beat_s(trace.times_s, place) if size else None

    def _off_beat_s(self, times_s: Floats, place: Floats) -> float | None:
        """Return since when the light keeps another time; `place` (n,) is 0 at low and 1 at high."""
        edges, lit = [0], bool(place[0] > (_UP + _DOWN) / 2)
        for at, share in enumerate(place.tolist()):
            if (share > _UP and not lit) or (share < _DOWN and lit):
                lit = not lit
                edges.append(at)
        inner = list(pairwise(edges))[1:]
        for start, end in inner:
            if times_s[end] - times_s[start] < _SHORT * self.shortest_s:
                return float(times_s[start])
        for start, end in (*inner, (edges[-1], len(place) - 1)):
            if times_s[end] - times_s[start] > _LONG * self.longest_s + _LONG_S:
                return float(times_s[start]) + self.longest_s
        return None


def _size(light: Floats) -> float:
    return float(np.linalg.norm(light))


def _alike(one: Reading, other: Reading) -> bool:
    return matches(one, Light(other.mode, other.colours, other.hz, other.duty))
