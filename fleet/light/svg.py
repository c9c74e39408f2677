"""A drawing as SVG: small, the same bytes each time, with a title and a description for the ear."""

import re
from xml.sax.saxutils import escape, quoteattr

from fleet.light.shapes import Box, Disc, Drawing, Shape, Words

_FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_ID = re.compile(r"[^A-Za-z0-9_-]")


def svg(drawing: Drawing) -> str:
    """Return a drawing as the text of an SVG file."""
    key = _NOT_ID.sub("-", drawing.name)
    size = f'width="{drawing.width}" height="{drawing.height}"'
    view = f'viewBox="0 0 {drawing.width} {drawing.height}"'
    labels = f'role="img" aria-labelledby="{key}-title {key}-desc"'
    fonts = f'font-family="{_FONTS}" font-size="12"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} {labels} {fonts}>',
        f'<title id="{key}-title">{_text(drawing.title)}</title>',
        f'<desc id="{key}-desc">{_text(drawing.description)}</desc>',
        f'<rect width="100%" height="100%" rx="8" fill="{drawing.ground}"/>',
        *(_element(shape) for shape in drawing.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _element(shape: Shape) -> str:
    match shape:
        case Box():
            place = f'x="{_n(shape.x)}" y="{_n(shape.y)}"'
            size = f'width="{_n(shape.width)}" height="{_n(shape.height)}"'
            radius = f' rx="{_n(shape.radius)}"' if shape.radius else ""
            name = f" data-state={quoteattr(shape.name)}" if shape.name else ""
            return f'<rect {place} {size}{radius} fill="{shape.fill}"{name}/>'
        case Disc():
            place = f'cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}"'
            return f'<circle {place} fill="{shape.fill}"/>'
        case Words():
            anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
            size = f' font-size="{shape.size}"' if shape.size != 12 else ""
            bold = ' font-weight="600"' if shape.bold else ""
            place = f'x="{_n(shape.x)}" y="{_n(shape.y)}"'
            how = f'fill="{shape.colour}"{size}{anchor}{bold}'
            return f"<text {place} {how}>{_text(shape.text)}</text>"


def _n(number: float) -> str:
    """Return a number with at most four decimals, and none that say nothing."""
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
