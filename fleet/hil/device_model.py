"""What is known of the device on a bench, from the profile of its model: nothing of it is measured.

A pattern of the profile is said as the LED reader says it: periods per second, and the share of a
period in which the first colour is lit.
"""

from typing import Final

from firmware_sim.bench.capabilities import Light
from firmware_sim.device.indicator import LIGHTS, Mode, Pattern
from firmware_sim.errors import UsageError
from hw_profiles import catalog

HAND_SLACK_S: Final = 0.2  # people let go a little late


class Model:
    """The model of the device under test, by the name of its profile or the path of one."""

    def __init__(self, profile: str) -> None:
        """Read the profile. Raises UsageError, in one line, where there is none or it is wrong."""
        self._name = profile
        self._profile = catalog.load(profile)

    @property
    def profile(self) -> str:
        """Return the name under which it was read."""
        return self._name

    @property
    def wired(self) -> bool:
        """Say whether it has an Ethernet socket, and no lens."""
        return self._profile.wired

    @property
    def hold_s(self) -> float:
        """Return how long a hand holds its button for a reset, in seconds."""
        return self._profile.timings.reset_hold_ms / 1000 + HAND_SLACK_S

    def light(self, state: str) -> Light:
        """Return what its light does in a state. Raises UsageError for one that there is not."""
        if state not in LIGHTS:
            raise UsageError(f"no state {state!r} of a light; allowed: {', '.join(LIGHTS)}")
        return light_of(self._profile.indicator[state])


def light_of(pattern: Pattern) -> Light:
    """Return a pattern as a colour sensor sees it."""
    period_ms = pattern.on_ms + pattern.off_ms
    if period_ms:
        hz, duty = 1000 / period_ms, pattern.on_ms / period_ms
    else:
        hz, duty = 0.0, float(pattern.mode is not Mode.OFF)
    return Light(pattern.mode.value, pattern.colours, hz, duty)
