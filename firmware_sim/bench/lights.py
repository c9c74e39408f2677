"""A pattern of a profile, as a colour sensor sees it."""

from firmware_sim.bench.capabilities import Light
from firmware_sim.device.indicator import Mode, Pattern


def light_of(pattern: Pattern) -> Light:
    """Return what an LED does that shows this pattern."""
    period_ms = pattern.on_ms + pattern.off_ms
    if period_ms:
        hz, duty = 1000 / period_ms, pattern.on_ms / period_ms
    else:
        hz, duty = 0.0, float(pattern.mode is not Mode.OFF)
    return Light(pattern.mode.value, pattern.colours, hz, duty)
