"""Names for light: from a colour sensor's red, green and blue to one of six colours.

Hue decides, because grey ambient light does not move it; what has hardly any hue is white. The
borders lie between what sensors read of real parts: an amber LED has 0.3 to 0.6 of its red in
green, a yellow one 0.75 and more.
"""

import math

from firmware_sim.bench.trace import Floats

RGB: dict[str, tuple[float, float, float]] = {
    "red": (1.0, 0.08, 0.05),
    "green": (0.10, 1.0, 0.15),
    "blue": (0.05, 0.25, 1.0),
    "amber": (1.0, 0.54, 0.05),
    "yellow": (1.0, 0.90, 0.12),
    "white": (1.0, 1.0, 1.0),
}
"""What a white-balanced sensor reads of each colour at full scale, in the order of this project."""

COLOURS = tuple(RGB)

_HUES = ((16.0, "red"), (42.0, "amber"), (82.0, "yellow"), (178.0, "green"), (288.0, "blue"))
"""Upper end of each colour's hues in degrees; what is above the last is red again."""

_WHITE_BELOW = 0.42
"""Saturation below which light is white: tinted by a lens or a bad balance, but white."""

_HUE_SPREAD_DEG, _SATURATION_SPREAD = 2.5, 0.045
"""How far parts and sensors of one kind differ: standard deviations."""


def hue_deg(light: Floats) -> float:
    """Return the hue of an RGB triple, 0 to 360 degrees; 0 for grey."""
    red, green, blue = (float(value) for value in light)
    return math.degrees(math.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360


def saturation(light: Floats) -> float:
    """Return how much of an RGB triple is not grey, 0 to 1; 0 for darkness."""
    top = float(light.max())
    return (top - max(float(light.min()), 0.0)) / top if top > 0 else 0.0


def name_of(light: Floats, error: float = 0.0) -> tuple[str, float]:
    """Return the colour of an RGB triple (shape (3,), any scale) and how sure that is, 0 to 1.

    `error` is the standard error of each of the three values.
    """
    top = float(light.max())
    if top <= 0:
        return "white", 0.0
    noise = error / top
    share = saturation(light)
    spread = math.hypot(_SATURATION_SPREAD, 1.4 * noise)
    chromatic = _below(_WHITE_BELOW - share, spread)
    if share < _WHITE_BELOW:
        return "white", 1 - chromatic
    name, margin_deg = _nearest(hue_deg(light))
    blur_deg = math.hypot(_HUE_SPREAD_DEG, 60 * 1.4 * noise / max(share, 0.1))
    return name, chromatic * _below(-margin_deg, blur_deg)


def _nearest(hue: float) -> tuple[str, float]:
    """Return the colour of a hue, and the distance to the nearest border in degrees."""
    name = next((name for end, name in _HUES if hue < end), _HUES[0][1])
    return name, min(abs((hue - end + 180) % 360 - 180) for end, _ in _HUES)


def _below(value: float, spread: float) -> float:
    """Return how likely a value with a normal error is below zero."""
    return 0.5 * math.erfc(value / spread / math.sqrt(2))
