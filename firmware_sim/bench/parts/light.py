"""The lights of one device as they were: which colour was lit at each millisecond.

A pattern begins when the light takes another name of the profile's table and goes on unbroken
while the name stays, as it does in the rest of the simulator; without supply all is dark.
"""

from collections.abc import Iterator
from typing import NamedTuple

from firmware_sim.bench.parts.timeline import Timeline
from firmware_sim.device.indicator import Mode, Pattern
from firmware_sim.device.profile import Profile

MAIN, SECOND = 1, 2
_DARK = Pattern(Mode.OFF, "no power")


class Glow(NamedTuple):
    """A stretch of time in which one colour is lit; "" is none."""

    start_ms: int
    end_ms: int
    colour: str


class LightHistory:
    """What the lights of one device showed during the last ten minutes."""

    __slots__ = ("_light", "_patterns", "_profile")

    def __init__(self, profile: Profile) -> None:
        """Begin dark."""
        self._profile = profile
        self._patterns = Timeline(_DARK)
        self._light = ""

    def show(self, light: str, now_ms: int) -> None:
        """Take it that the light shows a state of the profile's table from now on."""
        if light != self._light:
            self._light = light
            self._patterns.change(self._profile.indicator[light], now_ms)

    def go_dark(self, now_ms: int) -> None:
        """Take it that the supply is gone."""
        self._light = ""
        self._patterns.change(_DARK, now_ms)

    def colour_at(self, at_ms: int) -> str:
        """Return which colour was lit, "" for none."""
        since_ms, pattern = self._patterns.at(at_ms)
        return pattern.colour_at(max(0, at_ms - since_ms))

    def lamp_of(self, colour: str) -> int:
        """Return which light a colour comes from: 1 the main one, 2 the second one."""
        return SECOND if colour in self._profile.second_light else MAIN

    def glows(self, start_ms: int, end_ms: int) -> Iterator[Glow]:
        """Yield what was lit in a window, dark stretches as well, without a gap."""
        for period in self._patterns.between(start_ms, end_ms):
            yield from _glows(period.value, period.since_ms, period.start_ms, period.end_ms)


def _glows(pattern: Pattern, since_ms: int, start_ms: int, end_ms: int) -> Iterator[Glow]:
    length_ms = pattern.on_ms + pattern.off_ms
    at_ms = start_ms
    while at_ms < end_ms:
        until_ms = end_ms
        if length_ms:
            into_ms = (at_ms - since_ms) % length_ms
            edge_ms = pattern.on_ms if into_ms < pattern.on_ms else length_ms
            until_ms = min(end_ms, at_ms + edge_ms - into_ms)
        yield Glow(at_ms, until_ms, pattern.colour_at(at_ms - since_ms))
        at_ms = until_ms
