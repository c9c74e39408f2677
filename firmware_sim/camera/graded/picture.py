"""Level and number -> a whole picture, as a camera would deliver it, and what it shows.

A phone with a white screen in a dark bezel lies before a room; screen and room are drawn at twice
the size and averaged. Everything follows from the branch of the level and the number of the frame:
nothing is stored, and any one can be made anew.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firmware_sim.camera.graded import optics, rooms
from firmware_sim.camera.graded.codes import code_for, with_quiet_zone
from firmware_sim.camera.graded.table import Level, Recipe
from firmware_sim.camera.symbol import QUIET_MODULES, Luma
from firmware_sim.rng import Rng, derive

SEED = 3440
_MARGIN_MODULES, _BEZEL_MODULES = 2, 3
_BLACK, _WHITE, _BEZEL, _COVER = 15, 235, 20, 140
"""Grey levels of the screen, of the phone around it, and of what hides a part of it."""
_FOCAL_SHARE = 1.6
"""Focal length by the height of a picture: it is 35 degrees high."""


class Sample(NamedTuple):
    """A picture, and the texts of the codes in it; none when nothing in it is to be read."""

    luma: Luma
    texts: frozenset[bytes]


class _Phone(NamedTuple):
    """A drawn screen with its bezel, flat, and where it lies: modules around its centre -> px."""

    flat: Image.Image
    scale: int
    """Pixels of `flat` per module."""
    to_picture: NDArray[np.float64]
    corners: NDArray[np.float64]


def frame(level: Level, number: int) -> Sample:
    """Return frame `number`, from 0, of a level. The same in every process."""
    recipe, rng = level.recipe, Rng(derive(SEED, level.branch, number))
    width_px, height_px = recipe.height_px * 4 // 3, recipe.height_px
    behind = rooms.room(number % len(rooms.KINDS), rng.below(rooms.VARIANTS), width_px, height_px)
    scene = behind.copy()
    texts = set()
    lamp_px = (width_px / 2, height_px / 2)
    for place in _places(recipe, rng):
        text, lamp_px = _show_phone(scene, recipe, place, rng)
        if text is not None:
            texts.add(text)
    return Sample(optics.expose(scene, recipe, lamp_px, rng), frozenset(texts))


def _places(recipe: Recipe, rng: Rng) -> list[tuple[float, float]]:
    """Return where phones are, as shares of what is free beside them: 0 .. 1 in both directions."""
    if recipe.kind == "none":
        return []
    if recipe.codes == 1:
        return [(rng.between(0.2, 0.8), rng.between(0.2, 0.8))]
    columns = -(-recipe.codes // 2)
    return [(i % columns / max(1, columns - 1), float(i // columns)) for i in range(recipe.codes)]


def _show_phone(
    scene: Luma, recipe: Recipe, place: tuple[float, float], rng: Rng
) -> tuple[bytes | None, tuple[float, float]]:
    """Draw a phone into the scene; return what its code says, and where its centre is."""
    code = code_for(recipe, rng)
    code_modules = len(code.dark) + 2 * QUIET_MODULES
    phone = _phone(_screen(code.dark, recipe), code_modules, recipe, rng)
    low, high = phone.corners.min(axis=1), phone.corners.max(axis=1)
    free = (scene.shape[1], scene.shape[0]) - (high - low)
    shift = np.where(free > 0, np.multiply(free, place), free / 2) - low
    _draw(scene, phone, shift, optics.moire(recipe, rng))
    return code.text, (float(shift[0]), float(shift[1]))


def _screen(dark: Luma, recipe: Recipe) -> Luma:
    """Return grey levels, one per module: code, quiet zone, rest of the screen, bezel."""
    shown = 1 - with_quiet_zone(dark) if not recipe.inverted else with_quiet_zone(dark)
    shown = np.pad(shown, _MARGIN_MODULES, mode="edge")
    lit = (_BLACK + (_WHITE - _BLACK) * shown).astype(np.uint8)
    return np.pad(lit, _BEZEL_MODULES, constant_values=_BEZEL)


def _phone(modules: Luma, code_modules: int, recipe: Recipe, rng: Rng) -> _Phone:
    """Return the screen and how a pinhole camera sees it, tilted about an axis in its plane."""
    scale = max(2, math.ceil(2 * recipe.module_px))
    lit = modules.repeat(scale, axis=0).repeat(scale, axis=1)
    _hide(lit, code_modules * scale, scale, recipe)
    roll_deg = rng.between(0, 360) if recipe.roll_deg is None else recipe.roll_deg
    turned = _turn(math.radians(recipe.tilt_deg), rng.between(0, 2 * math.pi)) @ _roll(roll_deg)
    to_picture = np.column_stack((turned[:, 0], turned[:, 1], (0.0, 0.0, 1.0)))
    to_picture[:2] *= recipe.module_px
    to_picture[2, :2] *= recipe.module_px / (_FOCAL_SHARE * recipe.height_px)
    half = len(modules) / 2
    edges = to_picture @ ((half, half, -half, -half), (half, -half, half, -half), (1, 1, 1, 1))
    return _Phone(Image.fromarray(lit), scale, to_picture, edges[:2] / edges[2])


def _hide(lit: Luma, code_px: int, scale: int, recipe: Recipe) -> None:
    """Lay a square on the symbol's centre or on its last corner, or a finger over its edge."""
    if not recipe.hidden_pct:
        return
    symbol_px = code_px - 2 * QUIET_MODULES * scale
    middle, end = len(lit) // 2, (len(lit) + symbol_px) // 2
    # Whole modules, so that as few as possible are hidden in part.
    half_px = int(math.sqrt(recipe.hidden_pct / 100) * symbol_px / scale) * scale // 2
    if recipe.hidden == "edge":
        lit[end - 2 * half_px :, middle - half_px // 2 : middle + half_px // 2] = _COVER
    else:
        at = middle if recipe.hidden == "centre" else end
        lit[at - half_px : at + half_px, at - half_px : at + half_px] = _COVER


def _draw(
    scene: Luma, phone: _Phone, shift: NDArray[np.float64], ripple: Callable[[Luma], Luma]
) -> None:
    """Project a phone into the part of the scene that it covers, at twice the size, and average."""
    corners = phone.corners + shift[:, None]
    low = np.floor(np.maximum(corners.min(axis=1) - 1, 0)).astype(int)
    high = np.ceil(np.minimum(corners.max(axis=1) + 1, scene.shape[::-1])).astype(int)
    width_px, height_px = (int(2 * side) for side in high - low)
    # Half pixels of the part -> pixels of the picture -> modules -> pixels of the flat screen.
    left, top = low - shift
    from_part = np.array([[0.5, 0, left], [0, 0.5, top], [0, 0, 1]])
    half_px = phone.flat.height / 2
    to_flat = np.array([[phone.scale, 0, half_px], [0, phone.scale, half_px], [0, 0, 1]])
    back = to_flat @ np.linalg.inv(phone.to_picture) @ from_part
    numbers = tuple((back / back[2, 2]).ravel()[:8].tolist())
    seen, cover = (
        flat.transform(
            (width_px, height_px), Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR
        ).reduce(2)
        for flat in (phone.flat, Image.new("L", phone.flat.size, 255))
    )
    part = slice(low[1], high[1]), slice(low[0], high[0])
    seen = Image.fromarray(ripple(np.asarray(seen)))
    scene[part] = np.asarray(Image.composite(seen, Image.fromarray(scene[part]), cover))


def _turn(angle: float, axis: float) -> NDArray[np.float64]:
    """Return the rotation by an angle about an axis in the plane of the picture (Rodrigues)."""
    x, y, sin, bend = math.cos(axis), math.sin(axis), math.sin(angle), 1 - math.cos(angle)
    return np.array(
        [
            [1 - bend * y * y, bend * x * y, y * sin],
            [bend * x * y, 1 - bend * x * x, -x * sin],
            [-y * sin, x * sin, 1 - bend],
        ]
    )


def _roll(angle_deg: float) -> NDArray[np.float64]:
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
