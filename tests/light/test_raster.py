"""PNG: bars on their pixels, texts in letters that the font has."""

import io
from itertools import groupby

import pytest
from PIL import Image

from fleet.light.beat import stretches
from fleet.light.colours import lit_of, rgb
from fleet.light.diagram import HEAD, PLOT_WIDTH, PLOT_X, diagram, time_axis
from fleet.light.meaning import lamps, light
from fleet.light.raster import picture, png
from fleet.light.shapes import BODY, Box, Disc, Drawing, Words
from tests.light.patterns import LOOKS, MODELS

SCALE = 2


def blank(*shapes: Box | Disc | Words) -> Drawing:
    return Drawing("n", "a title", "ein Überblick", 40, 20, "#ffffff", shapes)


@pytest.mark.parametrize(("name", "state"), LOOKS)
def test_bars_are_where_they_belong(name: str, state: str) -> None:
    model = MODELS[name]
    image = picture(diagram(model, [light(model, state)]), SCALE)
    window_ms, _ = time_axis([model.indicator[state]])
    for number, lamp in enumerate(lamps(model)):
        # Just below the upper edge of a strip, above the letters.
        y = (HEAD + (12 if len(lamps(model)) == 1 else 9 + 16 * number)) * SCALE
        pixels = [image.getpixel((PLOT_X * SCALE + x, y)) for x in range(PLOT_WIDTH * SCALE)]
        runs = [(colour, len(list(run))) for colour, run in groupby(pixels)]
        shown = [
            (rgb(lit_of(lamp.shows(s.colour)) if lamp.shows(s.colour) else BODY), s)
            for s in stretches(model.indicator[state], window_ms)
        ]
        wanted = [
            (colour, sum(s.end_ms - s.start_ms for _, s in group))
            for colour, group in ((key, list(g)) for key, g in groupby(shown, lambda one: one[0]))
        ]
        assert [colour for colour, _ in runs] == [colour for colour, _ in wanted]
        for (_, pixels_wide), (_, lasting_ms) in zip(runs, wanted, strict=True):
            assert abs(pixels_wide - lasting_ms * SCALE * PLOT_WIDTH / window_ms) <= 1


def test_a_file_holds_every_pixel() -> None:
    drawing = diagram(MODELS["nvr"], [light(MODELS["nvr"], "waiting")])
    with Image.open(io.BytesIO(png(drawing, SCALE))) as image:
        assert image.tobytes() == picture(drawing, SCALE).tobytes()


def test_a_picture_says_what_it_is() -> None:
    with Image.open(io.BytesIO(png(blank()))) as image:
        assert image.size == (80, 40)
        assert image.info["Title"] == "a title"
        assert image.info["Description"] == "ein Überblick"


def test_what_is_thinner_than_a_pixel_is_one() -> None:
    image = picture(blank(Box(10, 5, 0.2, 1, "#000000")))
    dark = [(x, y) for x in range(40) for y in range(20) if image.getpixel((x, y)) == (0, 0, 0)]
    assert dark == [(10, 5)]


@pytest.mark.parametrize(
    "shape", [Disc(20, 10, 6, "#000000"), Box(14, 4, 12, 12, "#000000", radius=6)]
)
def test_round_shapes_are_smooth(shape: Disc | Box) -> None:
    image = picture(blank(shape)).convert("L")
    assert image.getpixel((20, 10)) == 0
    assert image.getpixel((14, 4)) == 255
    area = sum((255 - value) * count for value, count in enumerate(image.histogram())) / 255
    assert area == pytest.approx(3.1416 * 36, rel=0.03)
    assert any(image.histogram()[1:255])


def test_letters_that_the_font_lacks() -> None:
    def drawn(text: str) -> bytes:
        return picture(blank(Words(2, 14, text))).tobytes()

    assert drawn("Café") == drawn("Cafe")
    assert drawn("門") == drawn("?")
    assert drawn("a…") != drawn("a?")
    assert drawn("bold") != picture(blank(Words(2, 14, "bold", bold=True))).tobytes()
