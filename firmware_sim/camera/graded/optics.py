"""What lens, light, sensor and codec make of a scene."""

import io
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from firmware_sim.camera.frame import noise_field
from firmware_sim.camera.graded import codec
from firmware_sim.camera.graded.table import Recipe
from firmware_sim.camera.symbol import Luma
from firmware_sim.rng import Rng

Light = NDArray[np.float32]
"""Rows of grey levels that may still leave 0 .. 255."""

_MIDDLE = np.float32(125)
"""Between black and white of the screen: what contrast shrinks to."""
_NOISE_UNIT = 16
_NOISE_BITS = 22
_GLARE_SHARE = 0.25
"""Radius of the spot of a lamp, by the width of the code."""
_CODE_MODULES = 41
_POINTS_PER_PX = 4


def expose(scene: Luma, recipe: Recipe, lamp_px: tuple[float, float], rng: Rng) -> Luma:
    """Return the picture that is made of a scene: blurred, smeared, lit, noisy, compressed.

    `lamp_px` is where a lamp is reflected, if there is one.
    """
    light = _smeared(_out_of_focus(scene, recipe), recipe.motion_px, rng.between(0, 2 * math.pi))
    light = _MIDDLE + (light - _MIDDLE) * np.float32(recipe.contrast_pct / 100)
    _shine(light, recipe, lamp_px, rng)
    light *= np.float32(recipe.gain_pct / 100)
    light += np.float32(recipe.offset_levels)
    _add_noise(light, recipe.noise_levels, rng)
    luma: Luma = np.clip(light + np.float32(0.5), 0, 255).astype(np.uint8)
    return _compressed(luma, recipe, rng)


def _out_of_focus(scene: Luma, recipe: Recipe) -> Luma:
    picture = Image.fromarray(scene)
    if recipe.defocus_px:
        picture = Image.fromarray(_disc_mean(scene, recipe.defocus_px))
    if recipe.blur_px:
        picture = picture.filter(ImageFilter.GaussianBlur(recipe.blur_px))
    return np.asarray(picture)


def _disc_mean(scene: Luma, radius_px: float) -> Luma:
    """Return the mean over a disc; pixels at its rim count by about the share that is inside."""
    reach = math.ceil(radius_px)
    wide = np.pad(scene, reach, mode="edge").astype(np.float32)
    total, weights = np.zeros(scene.shape, np.float32), 0.0
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            weight = min(1.0, max(0.0, radius_px + 0.5 - math.hypot(x, y)))
            if weight:
                weights += weight
                part = wide[reach + y :, reach + x :][: scene.shape[0], : scene.shape[1]]
                total += np.float32(weight) * part
    mean: Luma = (total / np.float32(weights) + np.float32(0.5)).astype(np.uint8)
    return mean


def _smeared(scene: Luma, length_px: float, angle: float) -> Light:
    """Return the mean along a straight path that covers so many pixels."""
    light = scene.astype(np.float32)
    if length_px <= 1:
        return light
    points = round(length_px * _POINTS_PER_PX)
    along = [(point - (points - 1) / 2) / _POINTS_PER_PX for point in range(points)]
    passed = Counter((round(d * math.cos(angle)), round(d * math.sin(angle))) for d in along)
    reach = math.ceil(length_px / 2)
    wide = np.pad(light, reach, mode="edge")
    height, width = scene.shape
    total = np.zeros_like(light)
    for (x, y), count in passed.items():
        part = wide[reach + y : reach + y + height, reach + x : reach + x + width]
        total += part * np.float32(count / points)
    return total


def _shine(light: Light, recipe: Recipe, lamp_px: tuple[float, float], rng: Rng) -> None:
    """Add the reflection of a lamp: a soft spot, or the band of a tube."""
    if not recipe.glare_pct:
        return
    radius = _GLARE_SHARE * _CODE_MODULES * recipe.module_px
    x0, y0 = lamp_px
    y, x = np.ogrid[: light.shape[0], : light.shape[1]]
    if recipe.glare == "band":
        angle = rng.between(0, math.pi)
        far = ((x - x0) * math.cos(angle) + (y - y0) * math.sin(angle)) ** 2
    else:
        far = (x - x0) ** 2 + (y - y0) ** 2
    light += (2.55 * recipe.glare_pct * np.exp(-far / radius**2)).astype(np.float32)


def moire(recipe: Recipe, rng: Rng) -> Callable[[Luma], Luma]:
    """Return what adds the wave that the grids of a screen and a sensor make together."""
    if not recipe.moire_levels:
        return lambda luma: luma
    pitch = 2 * math.pi / rng.between(2.5, 7)
    angle, phase = rng.between(0, math.pi), rng.between(0, 2 * math.pi)

    def rippled(luma: Luma) -> Luma:
        y, x = np.ogrid[: luma.shape[0], : luma.shape[1]]
        along = (x * math.cos(angle) + y * math.sin(angle)) * pitch + phase
        return np.clip(luma + recipe.moire_levels * np.sin(along), 0, 255).astype(np.uint8)

    return rippled


def _add_noise(light: Light, levels: float, rng: Rng) -> None:
    field = noise_field(_NOISE_BITS)
    start = rng.below(field.size - light.size)
    part = field[start : start + light.size].reshape(light.shape)
    light += part * np.float32(levels / _NOISE_UNIT)


def _compressed(luma: Luma, recipe: Recipe, rng: Rng) -> Luma:
    if recipe.jpeg_quality is not None:
        file = io.BytesIO()
        Image.fromarray(luma).save(file, "JPEG", quality=recipe.jpeg_quality)
        return np.asarray(Image.open(file))
    if recipe.video_qp is not None:
        return codec.degraded(luma, recipe.video_qp, rng)
    return luma
