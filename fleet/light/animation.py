"""Moving pictures of lights, as GIF and APNG, that loop over whole periods.

APNG counts in milliseconds and is exact. GIF counts in hundredths of a second, and browsers show
what is shorter than two of them for ten; so no frame is, and edges between steps go to the nearest.
Pictures are drawn once per combination of colours.
"""

import io
from collections.abc import Sequence

import msgspec
from PIL import Image, ImageChops

from firmware_sim.device.indicator import Pattern
from firmware_sim.errors import UsageError
from fleet.light.beat import Loop, loop, moves
from fleet.light.card import Bulb, Card
from fleet.light.colours import PAPER, SHADES, lit_of, rgb
from fleet.light.raster import disc, picture
from fleet.light.shapes import BODY

GIF_STEPS_MS = (10, 20)  # the finest that leaves no frame shorter than GIF_FRAME_MS_MIN
GIF_FRAME_MS_MIN = 20
_TWIN = 7  # how near two colours of a palette are one
_EXACT = (PAPER, BODY, lit_of(""), *(shade.lit for shade in SHADES.values()))
_RIM, _SPARK, _DULL = "#0b0f14", "#ffffff", "#5b6672"
_SAMPLES = 16  # pictures from which a palette is chosen
_GLOW = 5.0  # radius of the shine, in radii of the lamp


class Moving(msgspec.Struct, frozen=True):
    """A file's bytes, and the loop in it."""

    data: bytes
    loop: Loop


def apng(card: Card, patterns: Sequence[Pattern]) -> Moving:
    """Return a card whose lamps show `patterns`, as APNG: exact to the millisecond.

    Raises `UsageError` when the patterns make no loop of bearable length.
    """
    shown = loop(patterns)
    return Moving(_file("PNG", _pictures(card, shown), shown), shown)


def gif(card: Card, patterns: Sequence[Pattern]) -> Moving:
    """Return a card whose lamps show `patterns`, as GIF; `loop.error_ms` says how exact it is.

    Raises `UsageError` when they make no loop of bearable length, or are too quick for GIF.
    """
    shown = _gif_loop(patterns)
    pictures = _pictures(card, shown)
    distinct = list({id(each): each for each in pictures}.values())
    palette = _palette(distinct)
    flat = {id(each): each.quantize(palette=palette, dither=Image.Dither.NONE) for each in distinct}
    return Moving(_file("GIF", [flat[id(each)] for each in pictures], shown), shown)


def _gif_loop(patterns: Sequence[Pattern]) -> Loop:
    quickest_ms = min((min(p.on_ms, p.off_ms) for p in patterns if moves(p)), default=1000)
    if quickest_ms < GIF_FRAME_MS_MIN:
        raise UsageError(
            f"GIF shows nothing shorter than {GIF_FRAME_MS_MIN} ms, "
            f"this light changes after {quickest_ms} ms: take --apng"
        )
    loops = (loop(patterns, step_ms) for step_ms in GIF_STEPS_MS)
    return next(
        each
        for each in loops
        if min(frame.duration_ms for frame in each.frames) >= GIF_FRAME_MS_MIN
    )


def _palette(pictures: list[Image.Image]) -> Image.Image:
    """Return one palette for all, lest colours change from frame to frame; lights keep theirs."""
    samples = pictures[:: -(-len(pictures) // _SAMPLES)]
    width, height = samples[0].size
    wall = Image.new("RGB", (width, height * len(samples)))
    for number, each in enumerate(samples):
        wall.paste(each, (0, height * number))
    exact = [rgb(code) for code in _EXACT]
    found = wall.quantize(256 - len(exact), dither=Image.Dither.NONE).getpalette() or []
    others = list(zip(found[::3], found[1::3], found[2::3], strict=True))
    # Pillow looks colours up by their upper six bits: what is as near would be taken instead.
    apart = [one for one in others if all(_distance(one, each) > _TWIN for each in exact)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in (*exact, *apart) for part in colour])
    return palette


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _pictures(card: Card, shown: Loop) -> list[Image.Image]:
    """Return an image for each frame; frames that look the same share one."""
    still = picture(card.drawing)
    drawn: dict[tuple[str, ...], Image.Image] = {}
    for frame in shown.frames:
        if frame.colours not in drawn:
            image = still.copy()
            shown_by = [(b, b.lamp.shows(frame.colours[b.index])) for b in card.bulbs]
            for bulb, colour in shown_by:
                _shine(image, bulb, colour)
            for bulb, colour in shown_by:  # after all shine, which falls on the case and on no lamp
                _cap(image, bulb, colour)
            drawn[frame.colours] = image
    return [drawn[frame.colours] for frame in shown.frames]


def _file(kind: str, pictures: list[Image.Image], shown: Loop) -> bytes:
    file = io.BytesIO()
    first, *others = pictures
    moving = {
        "save_all": True,
        "append_images": others,
        "duration": [frame.duration_ms for frame in shown.frames],
        "loop": 0,
    }
    first.save(file, kind, optimize=True, **(moving if others else {}))
    return file.getvalue()


def _shine(image: Image.Image, bulb: Bulb, colour: str) -> None:
    """Let one lamp shine on what is around it; "" is dark."""
    if not colour:
        return
    reach = round(_GLOW * bulb.radius)
    corner = (round(bulb.x) - reach, round(bulb.y) - reach)
    area = (*corner, corner[0] + 2 * reach, corner[1] + 2 * reach)
    light = Image.new("RGB", (2 * reach, 2 * reach))
    light.paste(lit_of(colour), mask=_halo(2 * reach))
    image.paste(ImageChops.screen(image.crop(area), light), corner)


def _cap(image: Image.Image, bulb: Bulb, colour: str) -> None:
    """Draw one lamp itself."""
    x, y, radius = bulb.x, bulb.y, bulb.radius
    disc(image, x, y, radius + 2, _RIM)
    disc(image, x, y, radius, lit_of(colour))
    spark = _SPARK if colour else _DULL
    disc(image, x - radius * 0.35, y - radius * 0.4, radius * 0.22, spark)


def _halo(size: int) -> Image.Image:
    """Return how bright the shine is: most in the middle, nothing at the rim."""
    far = Image.radial_gradient("L").resize((size, size))
    # The gradient reaches 255 in the corners; the rim of the circle is nearer.
    return far.point([round(150 * max(0.0, 1 - step / 180) ** 2) for step in range(256)])
