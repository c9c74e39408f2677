"""Cards: a device, or all states of its light, drawn with places where lamps will shine.

What stands still is a drawing; lamps are told apart from it, so that a moving picture draws the
rest once.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence

import msgspec

from firmware_sim.device.profile import Kind, Profile
from fleet.light.colours import PAPER
from fleet.light.meaning import Lamp, Light, lamps
from fleet.light.shapes import (
    BODY,
    FAINT,
    INK,
    RULE,
    Box,
    Disc,
    Drawing,
    Shape,
    Words,
    clipped,
    pill,
)

_CASE, _EDGE, _GLASS, _SHEEN = "#2c3540", "#414c59", "#0b0f14", "#26405c"
_PANEL = 240


class Bulb(msgspec.Struct, frozen=True):
    """A lamp at its place. `index` is which of the card's lights it belongs to."""

    x: float
    y: float
    radius: float
    lamp: Lamp
    index: int


class Card(msgspec.Struct, frozen=True):
    """A drawing, and the lamps on it."""

    drawing: Drawing
    bulbs: tuple[Bulb, ...]


def portrait(profile: Profile, light: Light) -> Card:
    """Return one device and what its light says in one state."""
    width, height, left = 640, 320, _PANEL + 28
    shapes: list[Shape] = [
        Box(0, 0, _PANEL, height, BODY),
        *_DEVICES[profile.kind](_PANEL / 2, 150),
        Words(left, 42, clipped(profile.title, 46), 15, FAINT),
        Words(left, 104, light.state, 30, INK, bold=True),
    ]
    if light.reading:
        shapes += pill(left, 140, f"the operator reads: {light.reading}", 14)
    for number, line in enumerate(textwrap.wrap(light.meaning, 40)[:2]):
        shapes.append(Words(left, 182 + 24 * number, line, 18))
    shapes.append(Box(left, 238, width - left - 28, 1, RULE))
    shapes.append(Words(left, 264, light.words, 16, bold=True))
    shapes.append(Words(left, 288, clipped(light.origin, 50), 14, FAINT))
    name = f"{profile.name}: light {light.state}"
    drawing = Drawing(
        name, name, f"{light.meaning} {light.words}", width, height, PAPER, tuple(shapes)
    )
    return Card(drawing, tuple(_bulbs(profile, _PANEL / 2, 150 + _LAMP_Y[profile.kind], 11, 0)))


def sheet(profile: Profile, lights: Sequence[Light]) -> Card:
    """Return all these states of one model's light beside each other."""
    columns, cell_width, cell_height, top, margin = 3, 304, 88, 64, 16
    rows = -(-len(lights) // columns)
    shapes: list[Shape] = [
        Words(margin + 4, 30, clipped(profile.title, 70), 18, INK, bold=True),
        Words(margin + 4, 50, f"{profile.name}: what its light says", 13, FAINT),
    ]
    bulbs: list[Bulb] = []
    for index, light in enumerate(lights):
        x = margin + index % columns * cell_width
        y = top + index // columns * cell_height
        shapes += _cell(light, x, y)
        bulbs += _bulbs(profile, x + 38, y + 38, 9, index)
    size = (2 * margin + columns * cell_width, top + rows * cell_height + 8)
    name = f"{profile.name}: all lights"
    words = " ".join(f"{light.state}: {light.words}." for light in lights)
    return Card(Drawing(name, name, words, *size, PAPER, tuple(shapes)), tuple(bulbs))


def _cell(light: Light, x: float, y: float) -> Iterator[Shape]:
    yield Box(x + 4, y + 4, 68, 68, BODY, 14)
    yield Words(x + 84, y + 24, light.state, 15, INK, bold=True)
    yield Words(x + 84, y + 44, clipped(light.words, 36), 12)
    says = f"reads: {light.reading}" if light.reading else light.meaning
    for number, line in enumerate(textwrap.wrap(says, 36)[:2]):
        yield Words(x + 84, y + 62 + 14 * number, line, 12, FAINT)


def _bulbs(profile: Profile, x: float, y: float, radius: float, index: int) -> Iterator[Bulb]:
    on_case = lamps(profile)
    for number, lamp in enumerate(on_case):
        aside = (2 * number - len(on_case) + 1) * 1.6 * radius
        yield Bulb(x + aside, y, radius, lamp, index)


# --- devices, around their middle ---------------------------------------------------------------


def _camera(x: float, y: float) -> Iterator[Shape]:
    yield Box(x - 12, y + 70, 24, 40, _EDGE)
    yield Box(x - 48, y + 104, 96, 14, _EDGE, 7)
    yield Box(x - 60, y - 92, 120, 176, _CASE, 48)
    yield Disc(x, y - 34, 42, _EDGE)
    yield Disc(x, y - 34, 36, _GLASS)
    yield Disc(x, y - 34, 18, _SHEEN)
    yield Disc(x - 8, y - 43, 6, "#9fb8d1")


def _recorder(x: float, y: float) -> Iterator[Shape]:
    yield Box(x - 80, y + 34, 28, 12, _EDGE, 4)
    yield Box(x + 52, y + 34, 28, 12, _EDGE, 4)
    yield Box(x - 102, y - 36, 204, 76, _CASE, 10)
    yield Box(x - 102, y - 6, 204, 2, _EDGE)
    for number in range(6):
        yield Box(x - 86 + 30 * number, y - 26, 22, 6, _EDGE, 3)


def _station(x: float, y: float) -> Iterator[Shape]:
    yield Box(x - 52, y - 104, 8, 70, _EDGE, 4)
    yield Box(x + 44, y - 104, 8, 70, _EDGE, 4)
    yield Box(x - 66, y - 48, 132, 132, _CASE, 18)
    yield Box(x - 40, y - 28, 80, 6, _EDGE, 3)
    yield Box(x - 40, y - 14, 80, 6, _EDGE, 3)


def _gateway(x: float, y: float) -> Iterator[Shape]:
    yield Box(x - 76, y - 76, 152, 152, _EDGE, 38)
    yield Box(x - 71, y - 71, 142, 142, _CASE, 34)
    yield Disc(x, y - 14, 22, _EDGE)
    yield Disc(x, y - 14, 19, _CASE)


_DEVICES: dict[Kind, Callable[[float, float], Iterator[Shape]]] = {
    Kind.CAMERA: _camera,
    Kind.NVR: _recorder,
    Kind.DVR: _recorder,
    Kind.BASE_STATION: _station,
    Kind.GATEWAY: _gateway,
}
_LAMP_Y = {Kind.CAMERA: 46, Kind.NVR: 17, Kind.DVR: 17, Kind.BASE_STATION: 40, Kind.GATEWAY: 40}
