"""Which pictures there are: axes of levels, as data, and what one picture is made of.

`levels.toml` is the graded set: 172 levels, 20 frames each, 3,440 pictures. `extra.toml` holds
further ones and codes that mean harm; they belong to no total.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from firmware_sim.errors import UsageError

FRAMES_PER_LEVEL = 20
_FOLDER = Path(__file__).parent

Kind = Literal["phone", "none", "version", "binary", "append", "finders", "chaos"]


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One picture. The defaults are the base of the graded set; an axis changes one of them.

    "grey" is a level of 0 .. 255. `roll_deg` None means that each frame draws its own.
    """

    kind: Kind = "phone"
    """Whose code is shown: a phone's; a hostile one; or no code at all."""
    height_px: int = 480
    """Of the picture, which is four thirds as wide."""
    module_px: float = 4.0
    roll_deg: float | None = None
    tilt_deg: float = 0.0
    blur_px: float = 0.5
    """Standard deviation of a Gaussian."""
    defocus_px: float = 0.0
    """Radius of a disc."""
    motion_px: float = 1.0
    """How many pixels a point passes; one is a hand that keeps still."""
    noise_levels: float = 3.0
    """Standard deviation, in grey."""
    contrast_pct: float = 100.0
    """100 is a black of 15 and a white of 235; less lies around the middle between them."""
    gain_pct: float = 100.0
    """Exposure: all light, before the noise."""
    offset_levels: float = 0.0
    glare: Literal["spot", "band"] = "spot"
    glare_pct: float = 0.0
    """Light of a lamp on the screen, in percent of white."""
    hidden: Literal["centre", "corner", "edge"] = "centre"
    hidden_pct: float = 0.0
    """Area of what lies on the symbol, by the symbol's. A quarter of it lies there with "corner",
    where its own centre is."""
    moire_levels: float = 0.0
    inverted: int = 0
    """1: light modules on a dark screen."""
    error: Literal["m", "h"] = "m"
    more_bytes: int = 0
    """Longer than the 61 bytes of the base by so many."""
    jpeg_quality: int | None = None
    video_qp: int | None = None
    """Quantiser of a video codec, 20 fine .. 51 coarse."""
    codes: int = 1
    """How many different codes are in view."""
    flipped_pct: float = 0.0
    """Share of modules that are the other colour."""
    version: int = 40
    """Of codes of the kinds "version" and "binary"."""
    parts: int = 2
    """Codes over which a text of the kind "append" is spread."""


class Axis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Levels that differ in one field of `Recipe`, the easiest first."""

    name: str
    field: str
    unit: str
    levels: tuple[float, ...]
    reads: dict[str, float] = {}
    """By decoder: the last level up to which nine frames of ten are to be read."""
    also: dict[str, object] = {}
    """What else differs from the base, in all levels."""

    def recipe_at(self, level: float) -> Recipe:
        """Return what a picture of this level is made of."""
        return msgspec.convert({**self.also, self.field: level}, Recipe, strict=False)

    def limit(self, decoder: str) -> tuple[float, ...]:
        """Return the levels that `decoder` is to read, the easiest first."""
        if decoder not in self.reads:
            return ()
        return self.levels[: self.levels.index(self.reads[decoder]) + 1]


class Level(msgspec.Struct, frozen=True):
    """One level of a set: its axis, its value, and the branch of the seed that is its own."""

    axis: Axis
    value: float
    branch: int

    @property
    def recipe(self) -> Recipe:
        """Return what its pictures are made of."""
        return self.axis.recipe_at(self.value)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    axes: tuple[Axis, ...]


@cache
def graded() -> tuple[Level, ...]:
    """Return the 172 levels of the graded set."""
    return _levels("levels.toml", 0)


@cache
def further() -> tuple[Level, ...]:
    """Return the levels beside the graded set."""
    return _levels("extra.toml", 10_000)


def choose(levels: tuple[Level, ...], names: tuple[str, ...]) -> tuple[Level, ...]:
    """Return the levels whose axis has one of these names, or a name that begins so.

    Without names all of them. Raises UsageError for a name that no axis has.
    """
    if not names:
        return levels
    for name in names:
        if not any(level.axis.name.startswith(name) for level in levels):
            known = ", ".join(dict.fromkeys(repr(level.axis.name) for level in levels))
            raise UsageError(f"axis {name!r} is unknown: use one of {known}")
    return tuple(level for level in levels if level.axis.name.startswith(names))


def _levels(file: str, first: int) -> tuple[Level, ...]:
    text = (_FOLDER / file).read_text(encoding="utf-8")
    axes = msgspec.convert(tomllib.loads(text), _Table).axes
    pairs = [(axis, value) for axis in axes for value in axis.levels]
    return tuple(Level(axis, value, first + i) for i, (axis, value) in enumerate(pairs))
