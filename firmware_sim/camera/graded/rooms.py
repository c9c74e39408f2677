"""What is behind the phone: a flat wall, a furnished room, a busy shelf; drawn, four of each."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from firmware_sim.camera.symbol import Luma
from firmware_sim.rng import Rng, derive

KINDS = ("flat", "room", "busy")
VARIANTS = 4
_SEED = 72


@lru_cache(maxsize=2 * len(KINDS) * VARIANTS)
def room(kind: int, variant: int, width_px: int, height_px: int) -> Luma:
    """Return the picture without a phone: KINDS[kind], one of VARIANTS. Read only."""
    rng = Rng(derive(_SEED, kind, variant))
    wall = round(rng.between(60, 190))
    picture = Image.new("L", (width_px, height_px), wall)
    if KINDS[kind] == "room":
        _furnish(picture, rng)
    elif KINDS[kind] == "busy":
        _clutter(picture, rng)
    luma = np.asarray(picture).copy()
    luma.flags.writeable = False
    return luma


def _furnish(picture: Image.Image, rng: Rng) -> None:
    light = Image.linear_gradient("L").resize(picture.size).rotate(rng.below(4) * 90)
    picture.paste(Image.blend(picture, light, 0.4))
    _boxes(picture, rng, 14, (0.08, 0.5))
    picture.paste(picture.filter(ImageFilter.GaussianBlur(1.5)))


def _clutter(picture: Image.Image, rng: Rng) -> None:
    _boxes(picture, rng, 60, (0.05, 0.3))
    _boxes(picture, rng, 400, (0.004, 0.05))
    _labels(picture, rng, 40)


def _boxes(picture: Image.Image, rng: Rng, count: int, sides: tuple[float, float]) -> None:
    """Draw rectangles and ellipses; sides as shares of the picture's height."""
    draw = ImageDraw.Draw(picture)
    for _ in range(count):
        left, top = rng.below(picture.width), rng.below(picture.height)
        width, height = (max(1, round(rng.between(*sides) * picture.height)) for _ in "wh")
        shape = draw.ellipse if rng.below(3) == 0 else draw.rectangle
        shape((left, top, left + width, top + height), fill=20 + rng.below(215))


def _labels(picture: Image.Image, rng: Rng, count: int) -> None:
    """Draw what has bars and steps as codes do: print on boxes."""
    draw = ImageDraw.Draw(picture)
    for _ in range(count):
        left, top = rng.below(picture.width), rng.below(picture.height)
        step = 2 + rng.below(4)
        for bar in range(6 + rng.below(14)):
            if rng.below(2):
                x = left + bar * step
                draw.rectangle((x, top, x + step - 1, top + 6 + rng.below(12)), fill=rng.below(60))
