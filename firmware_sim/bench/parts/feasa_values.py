"""What a Feasa LED Analyser makes of light: colour numbers, intensity, and how they are written.

Public (Feasa, "LED Analyser User Manual Functional Version", section "Get Data Commands"): the
columns and their digits; how under range, over range and a blinking light are reported; that
intensity is logarithmic ex factory and 23K, 50K, 64K and 72K for exposure factors 1, 5, 10 and
15; that RGB is normalised. Inferred: that it is normalised to a sum of 255 (as the manual's example
adds up), hue and saturation as in HSV, primaries as in sRGB, absolute intensity by scale. The
columns of xy, cct, wavelength and absint are where published clients cut answers.
"""

import colorsys
import math
from collections.abc import Callable
from enum import Enum
from itertools import pairwise

import msgspec

Rgb = tuple[float, float, float]

SLOPE = 48_000  # intensity per decade; with it the manual's four figures come out within 500
SIGNAL_PER_MS = 1.26  # of a fully lit light in the middle range: it reads about 70,000
INTENSITY_MAX = 99_999
UNDER_RANGE = 1_000  # an intensity below this is none
ABSOLUTE_FULL = 1_000.0  # what a fully lit light is in the unit of the calibration
_CROSSED = str.maketrans("09", "XX")  # a blinking light has an X for each digit
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WAVES = ((0.0, 625), (32.0, 605), (60.0, 575), (120.0, 530), (180.0, 495), (240.0, 467))
"""Dominant wavelength (nm) by hue; beyond blue there is none, and 467 is as near as it gets."""


class Range(Enum):
    """Whether a captured light could be measured."""

    GOOD = "good"
    UNDER = "under"
    OVER = "over"
    BLINKS = "blinks"


class Captured(msgspec.Struct, frozen=True):
    """One fibre's light after a capture: linear RGB from 0 to 1, and its intensity."""

    rgb: Rgb = (0.0, 0.0, 0.0)
    intensity: int = 0
    range: Range = Range.UNDER


def captured(rgb: Rgb, exposure_ms: float, *, linear: bool, blinks: bool = False) -> Captured:
    """Return what a capture of mean light `rgb` stores, exposed for so long (by its factor)."""
    signal = max(rgb) * SIGNAL_PER_MS * exposure_ms
    reading = signal * SLOPE / 20 if linear else SLOPE * math.log10(1 + signal)
    intensity = min(INTENSITY_MAX, round(reading))
    if blinks:
        return Captured(rgb, intensity, Range.BLINKS)
    if intensity < UNDER_RANGE:
        return Captured()
    full = Range.OVER if intensity == INTENSITY_MAX else Range.GOOD
    return Captured(rgb, intensity, full)


def _hsv(rgb: Rgb) -> tuple[float, int]:
    hue, saturation, _ = colorsys.rgb_to_hsv(*rgb)
    return hue * 360, round(saturation * 100)


def _xyz(rgb: Rgb) -> Rgb:
    x, y, z = (sum(a * b for a, b in zip(row, rgb, strict=True)) for row in _XYZ)
    return x, y, z


def _xy(rgb: Rgb) -> tuple[float, float]:
    x, y, z = _xyz(rgb)
    return x / (x + y + z), y / (x + y + z)


def _unless(light: Captured, under: str, over: str) -> str:
    """Return what is written for a light that could not be measured, "" if it could be."""
    blinks = under.translate(_CROSSED)
    return {Range.GOOD: "", Range.UNDER: under, Range.OVER: over, Range.BLINKS: blinks}[light.range]


def _intensity(light: Captured) -> str:
    return _unless(light, "00000", "99999") or f"{light.intensity:05d}"


def _rgb(light: Captured) -> str:
    if no_colour := _unless(light, "000 000 000", "255 255 255"):
        return no_colour
    total = sum(light.rgb)
    return " ".join(f"{round(255 * part / total):03d}" for part in light.rgb)


def _hue(light: Captured) -> str:
    if no_colour := _unless(light, "999.99 999", "999.99 999"):
        return no_colour
    hue, saturation = _hsv(light.rgb)
    return f"{hue:06.2f} {saturation:03d}"


def _pair(light: Captured, values: Callable[[Rgb], tuple[float, float]]) -> str:
    if no_colour := _unless(light, "0.0000 0.0000", "0.0000 0.0000"):
        return no_colour
    one, other = values(light.rgb)
    return f"{one:.4f} {other:.4f}"


def _uv(rgb: Rgb) -> tuple[float, float]:
    x, y = _xy(rgb)
    scale = -2 * x + 12 * y + 3
    return 4 * x / scale, 9 * y / scale


def _wave(light: Captured) -> str:
    if no_colour := _unless(light, "000", "000"):
        return no_colour
    hue, _ = _hsv(light.rgb)
    for (low, before), (high, after) in pairwise(_WAVES):
        if hue <= high:
            return f"{round(before + (after - before) * (hue - low) / (high - low)):03d}"
    return f"{_WAVES[-1][1] if hue < 300 else _WAVES[0][1]:03d}"


def _cct(light: Captured) -> str:
    """Return the colour temperature by McCamy's formula (Color Research & Application, 1992)."""
    if no_colour := _unless(light, "00000", "00000"):
        return no_colour
    x, y = _xy(light.rgb)
    n = (x - 0.3320) / (0.1858 - y) if y != 0.1858 else 0.0
    kelvin = 449 * n**3 + 3525 * n**2 + 6823.3 * n + 5520.33
    return f"{min(INTENSITY_MAX, max(0, round(kelvin))):05d}"


def _absolute(light: Captured) -> str:
    level = max(light.rgb) * ABSOLUTE_FULL if light.range is Range.GOOD else 0.0
    return f"{level:.4e}"


def _ciexyz(light: Captured) -> str:
    rgb = light.rgb if light.range is Range.GOOD else (0.0, 0.0, 0.0)
    return " ".join(f"{part * ABSOLUTE_FULL:.4e}" for part in _xyz(rgb))


COLUMNS: dict[str, Callable[[Captured], str]] = {
    "rgbi": lambda light: f"{_rgb(light)} {_intensity(light)}",
    "hsi": lambda light: f"{_hue(light)} {_intensity(light)}",
    "intensity": _intensity,
    "absint": _absolute,
    "xy": lambda light: _pair(light, _xy),
    "xyi": lambda light: f"{_pair(light, _xy)} {_intensity(light)}",
    "uv": lambda light: _pair(light, _uv),
    "ciexyz": _ciexyz,
    "cct": _cct,
    "wavelength": _wave,
    "wsi": lambda light: f"{_wave(light)} {_hue(light)[-3:]} {_intensity(light)}",
}
"""What follows `get` in a command, and how one fibre's light is answered."""
