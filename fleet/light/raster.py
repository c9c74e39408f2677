"""A drawing as pixels, by Pillow: boxes on whole pixels, discs and round corners smoothed.

The font is the one that Pillow carries, so a picture is the same on every machine; letters that it
lacks lose their accents.
"""

import io
import unicodedata
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from fleet.light.shapes import Box, Disc, Drawing, Shape, Words

_SMOOTH = 4  # sub-pixels per pixel and direction
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_IN_FONT = {*map(chr, range(0x20, 0x7F)), "…", "·"}


def png(drawing: Drawing, scale: int = 2) -> bytes:
    """Return a drawing as a PNG file; at scale 2 it is sharp on a page and large enough to show."""
    file = io.BytesIO()
    about = {"Title": drawing.title, "Description": drawing.description}
    picture(drawing, scale).save(file, "PNG", optimize=True, pnginfo=_notes(about))
    return file.getvalue()


def picture(drawing: Drawing, scale: int = 1) -> Image.Image:
    """Return a drawing as an image of `scale` pixels per length."""
    image = Image.new("RGB", (drawing.width * scale, drawing.height * scale), drawing.ground)
    for shape in drawing.shapes:
        _draw(image, shape, scale)
    return image


def disc(image: Image.Image, x: float, y: float, radius: float, fill: str) -> None:
    """Draw a smooth circle; lengths in pixels."""
    _stencil(image, (x - radius, y - radius, x + radius, y + radius), fill, _ellipse)


def _notes(texts: dict[str, str]) -> PngInfo:
    notes = PngInfo()
    for key, text in texts.items():
        notes.add_itxt(key, text)
    return notes


def _draw(image: Image.Image, shape: Shape, scale: int) -> None:
    match shape:
        case Box():
            left, top = shape.x * scale, shape.y * scale
            area = (left, top, left + shape.width * scale, top + shape.height * scale)
            _box(image, area, shape.radius * scale, shape.fill)
        case Disc():
            disc(image, shape.x * scale, shape.y * scale, shape.radius * scale, shape.fill)
        case Words():
            ImageDraw.Draw(image).text(
                (shape.x * scale, shape.y * scale),
                _spelled(shape.text),
                fill=shape.colour,
                font=_font(shape.size * scale),
                anchor=_ANCHORS[shape.anchor],
                stroke_width=0.02 * shape.size * scale if shape.bold else 0,
            )


_Area = tuple[float, float, float, float]


def _box(image: Image.Image, area: _Area, radius: float, fill: str) -> None:
    if radius:
        _stencil(image, area, fill, lambda draw, box: _rounded(draw, box, radius * _SMOOTH))
        return
    left, top, right, bottom = map(round, area)
    # What is thinner than a pixel is one.
    last = (max(left, right - 1), max(top, bottom - 1))
    ImageDraw.Draw(image).rectangle(((left, top), last), fill)


def _stencil(
    image: Image.Image,
    area: _Area,
    fill: str,
    draw: Callable[[ImageDraw.ImageDraw, _Area], None],
) -> None:
    """Paint through a mask that is drawn larger, for smooth edges."""
    left, top = int(area[0]) - 1, int(area[1]) - 1
    size = (int(area[2]) + 2 - left, int(area[3]) + 2 - top)
    mask = Image.new("L", (size[0] * _SMOOTH, size[1] * _SMOOTH))
    x, y, right, bottom = (
        (edge - origin) * _SMOOTH for edge, origin in zip(area, (left, top) * 2, strict=True)
    )
    draw(ImageDraw.Draw(mask), (x, y, right - 1, bottom - 1))  # Pillow draws the last one as well
    image.paste(fill, (left, top), mask.resize(size, Image.Resampling.BOX))


def _ellipse(draw: ImageDraw.ImageDraw, area: _Area) -> None:
    draw.ellipse(area, 255)


def _rounded(draw: ImageDraw.ImageDraw, area: _Area, radius: float) -> None:
    draw.rounded_rectangle(area, radius, 255)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _spelled(text: str) -> str:
    """Return a text in letters that the font has."""
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c in _IN_FONT else "?" for c in bare)
