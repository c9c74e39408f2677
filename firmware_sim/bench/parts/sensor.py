"""A colour sensor above the lights of a device: from what is lit to what is sampled.

Three photodiodes behind red, green and blue filters, each followed by a low-pass and a converter.
All figures are our choice, near those of small sensor boards; a bench with other parts has others.
"""

from collections.abc import Iterable

import msgspec
import numpy as np

from firmware_sim.bench.parts import chance
from firmware_sim.bench.parts.light import Glow
from firmware_sim.bench.trace import Floats, LedTrace
from firmware_sim.errors import UsageError
from firmware_sim.rng import derive

Rgb = tuple[float, float, float]

DARK: Rgb = (0.0, 0.0, 0.0)
COLOURS: dict[str, Rgb] = {
    "": DARK,
    "red": (0.92, 0.05, 0.02),
    "green": (0.07, 0.86, 0.12),
    "blue": (0.03, 0.14, 0.93),
    "amber": (0.93, 0.38, 0.03),  # the red die, and the green one at less than half
    "yellow": (0.90, 0.78, 0.08),
    "white": (0.88, 0.90, 0.86),
}
"""Linear light of each colour as the three filters let it through, before the sensor's gain."""

SAMPLES_MAX = 100_000
_SETTLED = 20  # time constants after which nothing is left of what was before


class Optics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the sensor sees. Levels are shares of full scale, durations ms.

    `gain` is how much of a fully lit light reaches the sensor, `ambient` what a room adds to each
    channel. `led_ms` and `sensor_ms` are the time constants of the light and of the low-pass.
    `noise` is a standard deviation, `bits` the converter's resolution, and a sample may come
    `jitter` of a sampling period too early or too late (below one half: they keep their order).
    """

    gain: float = 0.85
    ambient: Rgb = (0.020, 0.022, 0.018)
    led_ms: float = 0.5
    sensor_ms: float = 2.0
    noise: float = 0.006
    bits: int = 12
    jitter: float = 0.02

    def __post_init__(self) -> None:
        """Raise UsageError for what no sensor can be."""
        if not 0 < self.led_ms < self.sensor_ms:
            raise UsageError("a light is quicker than the sensor: 0 < led_ms < sensor_ms")
        if not (0 <= self.jitter < 0.5 and 1 <= self.bits <= 24 and self.noise >= 0):
            raise UsageError("a sensor takes 0 <= jitter < 0.5, 1 to 24 bits, noise >= 0")


DEFAULT = Optics()


def lead_ms(optics: Optics) -> int:
    """Return how long before a window its light has to be known."""
    return int(_SETTLED * (optics.led_ms + optics.sensor_ms)) + 1


def times_ms(start_ms: int, end_ms: int, rate_hz: float) -> Floats:
    """Return the instants at which an instrument samples a window.

    Raises UsageError for a window that runs backwards, a rate that is none, and too many samples.
    """
    if end_ms < start_ms or not 0 < rate_hz <= 1_000_000:
        raise UsageError("a window ends after it starts, and is sampled at 0 to 1,000,000 Hz")
    count = int((end_ms - start_ms) * rate_hz / 1000)
    if count > SAMPLES_MAX:
        raise UsageError(f"{count} samples are too many: at most {SAMPLES_MAX} at once")
    return np.asarray(start_ms + np.arange(count) * (1000 / rate_hz), dtype=np.float64)


def sample(
    glows: Iterable[Glow], start_ms: int, end_ms: int, rate_hz: float, seed: int, optics: Optics
) -> LedTrace:
    """Return a window as the sensor sees it. `glows` begin `lead_ms` before it. UsageError."""
    nominal = times_ms(start_ms, end_ms, rate_hz)
    count = len(nominal)
    own = derive(seed, start_ms, int(rate_hz * 1000))
    late = (2 * chance.uniform(derive(own, 0), np.arange(count)) - 1) * optics.jitter
    taken_ms = np.clip(nominal + late * (1000 / rate_hz), start_ms, end_ms)
    level = optics.gain * _filtered(glows, taken_ms, optics) + np.array(optics.ambient)
    level += optics.noise * chance.noise(derive(own, 1), (count, 3))
    steps = (1 << optics.bits) - 1
    return LedTrace(taken_ms / 1000, np.round(np.clip(level, 0.0, 1.0) * steps) / steps)


def _filtered(glows: Iterable[Glow], taken_ms: Floats, optics: Optics) -> Floats:
    """Return light of shape (n, 3) behind two low-passes in series, solved from edge to edge."""
    slow, quick = optics.sensor_ms, optics.led_ms
    seen = np.zeros((len(taken_ms), 3))
    light, signal = np.zeros(3), np.zeros(3)
    for glow in glows:
        target = np.array(COLOURS[glow.colour])
        share = (light - target) * quick / (quick - slow)
        rest = signal - target - share
        first, last = np.searchsorted(taken_ms, (glow.start_ms, glow.end_ms))
        since = (taken_ms[first:last] - glow.start_ms)[:, None]
        seen[first:last] = target + share * np.exp(-since / quick) + rest * np.exp(-since / slow)
        whole = glow.end_ms - glow.start_ms
        light = target + (light - target) * np.exp(-whole / quick)
        signal = target + share * np.exp(-whole / quick) + rest * np.exp(-whole / slow)
    return seen
