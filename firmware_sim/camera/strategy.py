"""Several glances at one picture, each prepared in another way: what a decoder alone does not read.

A decoder is asked about the picture as it is, then about it softened, sharpened, enlarged where a
code may be, with black and white exchanged, until it finds a code. Which, and in which order,
was chosen for each decoder by what they add on the graded set (`graded`) and by what they cost.

Work is bounded, whatever the size of a picture: at most seven glances, one of them at WHOLE_PX_MAX
pixels or fewer, the others at 0.7 million or fewer, 0.3 million as a rule.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from firmware_sim.camera.decoder import Decoder
from firmware_sim.camera.symbol import Luma

SMALL_PX = (640, 480)
"""About the size to which a larger picture is reduced: enough for a code that is held up to it."""
WHOLE_PX_MAX = 2_560_000
WINDOW_PX = 224
"""Side of the part that is enlarged: small codes need it, larger ones have no use for it."""
_CELL_PX = 4
_CODE_SHARE = 5 / 8
"""Part of the window that a code fills."""
_STEP_MAX = 60
"""Grey levels; a bright lamp is no better sign of a code than print on paper."""
_DARK_PCT, _BRIGHT_PCT = 1, 99

Part = Literal["small", "whole", "window"]


class Glance(NamedTuple):
    """One preparation: which part of the picture, and what is done to it, in this order.

    Radii are standard deviations in pixels (of the enlarged picture, when it is enlarged).
    """

    part: Part
    enlarge: int = 1
    soften_px: float = 0.0
    sharpen_px: float = 0.0
    sharpen_by: float = 0.0
    """What is added of the difference to the blurred picture."""
    stretch: bool = False
    """Darkest to black, brightest to white."""
    invert: bool = False


PLAIN = Glance("small")
_WHOLE = Glance("whole")
_SOFT = Glance("small", soften_px=1.0, stretch=True)
_SHARP = Glance("small", sharpen_px=3.0, sharpen_by=5.0)
_INVERTED = Glance("small", invert=True)
_FINE = Glance("window", enlarge=2, sharpen_px=2.0, sharpen_by=3.0)
_COARSE = Glance("window", enlarge=2, soften_px=1.2, sharpen_px=4.0, sharpen_by=4.0)

GLANCES: dict[str, tuple[Glance, ...]] = {
    "pyzbar": (PLAIN, _WHOLE, _SOFT, _COARSE, _FINE, _SHARP, _INVERTED),
    "zxing": (PLAIN, _WHOLE, _INVERTED, _SOFT, _FINE, _SHARP, _COARSE),
}
"""By decoder, what adds most for its cost first."""


class Strategy:
    """A decoder that does not give up after one glance; itself a decoder of the same name."""

    def __init__(self, decoder: Decoder) -> None:
        """Take one of the decoders that `decoder.make_decoder` makes."""
        self.name = decoder.name
        self._decoder = decoder

    def decode(self, luma: Luma) -> bytes | None:
        """Return the raw payload of a QR symbol in the picture, or None when none is legible."""
        if not luma.size:
            return None
        parts = _Parts(luma)
        for glance in GLANCES[self.name]:
            if parts.differs(glance):
                text = self._decoder.decode(parts.prepared(glance))
                if text is not None:
                    return text
        return None

    def decode_in_turn(self, luma: Luma, number: int) -> bytes | None:
        """Return the same after two glances: for pictures that follow each other, as of a camera.

        The first glance is at every picture. The second depends on the picture's number: at the
        whole of a large picture every other time, else one of the other preparations in turn.
        """
        if not luma.size:
            return None
        parts = _Parts(luma)
        text = self._decoder.decode(parts.prepared(PLAIN))
        return text if text is not None else self._decoder.decode(self._second(parts, number))

    def _second(self, parts: "_Parts", turn: int) -> Luma:
        if parts.differs(_WHOLE):
            turn, other = divmod(turn, 2)
            if not other:
                return parts.prepared(_WHOLE)
        others = [glance for glance in GLANCES[self.name] if glance not in (PLAIN, _WHOLE)]
        return parts.prepared(others[turn % len(others)])


class _Parts:
    """A picture, and what has been made of it so far."""

    def __init__(self, luma: Luma) -> None:
        height_px, width_px = luma.shape
        self._luma = luma
        self._factor = max(1, round(max(width_px / SMALL_PX[0], height_px / SMALL_PX[1])))
        self._made: dict[Part, Luma] = {}

    def differs(self, glance: Glance) -> bool:
        """Tell whether a glance shows what PLAIN does not: small pictures are whole already."""
        return glance.part != "whole" or self._factor > 1

    def prepared(self, glance: Glance) -> Luma:
        """Return what the decoder gets."""
        if glance.part not in self._made:
            self._made[glance.part] = self._part(glance.part)
        return prepared(self._made[glance.part], glance)

    def _part(self, part: Part) -> Luma:
        if part == "small":
            return _reduced(self._luma, self._factor)
        if part == "whole":
            return _reduced(self._luma, math.ceil(math.sqrt(self._luma.size / WHOLE_PX_MAX)))
        return busiest_part(_reduced(self._luma, max(1, self._factor // 2)), WINDOW_PX)


def prepared(luma: Luma, glance: Glance) -> Luma:
    """Return a picture as a glance wants it."""
    picture = Image.fromarray(luma)
    if glance.enlarge > 1:
        size_px = picture.width * glance.enlarge, picture.height * glance.enlarge
        picture = picture.resize(size_px, Image.Resampling.BICUBIC)
    if glance.soften_px:
        picture = picture.filter(ImageFilter.GaussianBlur(glance.soften_px))
    if glance.sharpen_px:
        by_pct = round(100 * glance.sharpen_by)
        picture = picture.filter(ImageFilter.UnsharpMask(glance.sharpen_px, by_pct, 0))
    if glance.stretch:
        picture = picture.point(_stretch(picture))
    if glance.invert:
        picture = picture.point(range(255, -1, -1))
    return np.asarray(picture)


def busiest_part(luma: Luma, side_px: int) -> Luma:
    """Return the square with most steps between dark and bright, as a code has; at most all.

    Steps are counted between cells of a few pixels in both directions: noise has few of them, and
    a shelf or a blind has them in one direction.
    """
    if max(luma.shape) <= side_px:
        return luma
    cells = np.asarray(Image.fromarray(luma).reduce(_CELL_PX), np.int16)
    down, across = np.abs(np.diff(cells, axis=0)), np.abs(np.diff(cells, axis=1))
    steps = np.minimum(down[:, :-1], _STEP_MAX) + np.minimum(across[:-1], _STEP_MAX)
    core = [min(round(side_px * _CODE_SHARE / _CELL_PX), length) for length in steps.shape]
    if not min(core):
        return luma[:side_px, :side_px]  # a line, in which there is no code
    sums = np.pad(steps.cumsum(0, dtype=np.int64).cumsum(1), ((1, 0), (1, 0)))
    high, wide = core
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    firsts = divmod(int(inside.argmax()), inside.shape[1])
    top, left = (
        max(0, min(round((first + size / 2) * _CELL_PX - side_px / 2), length_px - side_px))
        for first, size, length_px in zip(firsts, core, luma.shape, strict=True)
    )
    return luma[top : top + side_px, left : left + side_px]


def _reduced(luma: Luma, factor: int) -> Luma:
    return luma if factor <= 1 else np.asarray(Image.fromarray(luma).reduce(factor))


def _stretch(picture: Image.Image) -> list[int]:
    """Return for each grey level what it becomes; a hundredth at either end is not looked at."""
    dark, bright = np.percentile(np.asarray(picture)[::4, ::4], (_DARK_PCT, _BRIGHT_PCT))
    span = max(1.0, bright - dark)
    return [min(255, max(0, round((level - dark) * 255 / span))) for level in range(256)]
