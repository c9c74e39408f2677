"""What a drawing is made of, before anybody decides whether it becomes SVG or pixels.

Lengths are pixels at scale 1, y grows downwards, `Words` stand on their baseline. Colours are
#rrggbb.
"""

from typing import Literal, TypeAlias

import msgspec

INK, FAINT, RULE = "#1b2129", "#5b6672", "#e3e7eb"
BODY = "#1b2129"  # what a light is set into, and what a dark stretch of time looks like


class Box(msgspec.Struct, frozen=True):
    """A filled rectangle. `name` says of which state it is a lit stretch, if it is one."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0
    name: str = ""


class Disc(msgspec.Struct, frozen=True):
    """A filled circle around its centre."""

    x: float
    y: float
    radius: float
    fill: str


class Words(msgspec.Struct, frozen=True):
    """One line of text; `anchor` is the point of it that is at `x`."""

    x: float
    y: float
    text: str
    size: int = 12
    colour: str = INK
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


Shape: TypeAlias = Box | Disc | Words


class Drawing(msgspec.Struct, frozen=True):
    """Shapes on a ground, the later over the earlier; title and description are for the ear."""

    name: str
    title: str
    description: str
    width: int
    height: int
    ground: str
    shapes: tuple[Shape, ...]


def width_of(text: str, size: int) -> float:
    """Return about how wide a text is; no renderer is asked, so it errs on the wide side."""
    return 0.56 * size * len(text)


def clipped(text: str, characters: int) -> str:
    """Return a text cut to so many characters, with dots where it was cut."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def pill(x: float, y: float, text: str, size: int) -> tuple[Box, Words]:
    """Return a text on a rounded ground; `x` is its left end, `y` the baseline."""
    pad = size * 0.6
    box = Box(x, y - size * 1.1, width_of(text, size) + 2 * pad, size * 1.55, RULE, size * 0.75)
    return box, Words(x + box.width / 2, y, text, size, INK, "middle")
