"""SVG: well-formed, told to the ear, with exact bars, and the same bytes each time."""

from xml.etree import ElementTree

import pytest

from fleet.light.beat import stretches
from fleet.light.colours import lit_of
from fleet.light.diagram import PLOT_WIDTH, diagram, time_axis
from fleet.light.meaning import lights
from fleet.light.shapes import Disc, Drawing, Words
from fleet.light.svg import svg
from tests.light.patterns import MODELS

NS = "{http://www.w3.org/2000/svg}"
SIZE_MAX = 30_000  # bytes


@pytest.mark.parametrize("name", MODELS)
def test_bars_are_exact(name: str) -> None:
    rows = lights(MODELS[name])
    text = svg(diagram(MODELS[name], rows))
    assert text == svg(diagram(MODELS[name], rows))
    assert len(text) < SIZE_MAX
    root = ElementTree.fromstring(text)
    window_ms, _ = time_axis([row.pattern for row in rows])
    for row in rows:
        found = sorted(
            (float(bar.attrib["x"]), float(bar.attrib["width"]), bar.attrib["fill"])
            for bar in root.iter(f"{NS}rect")
            if bar.get("data-state") == row.state
        )
        lit = [s for s in stretches(row.pattern, window_ms) if s.colour]
        assert [fill for _, _, fill in found] == [lit_of(s.colour) for s in lit]
        widths_ms = [width * window_ms / PLOT_WIDTH for _, width, _ in found]
        assert widths_ms == pytest.approx([s.end_ms - s.start_ms for s in lit], abs=1e-3)


def test_it_is_told_to_the_ear() -> None:
    root = ElementTree.fromstring(svg(diagram(MODELS["nvr"], lights(MODELS["nvr"]))))
    title, description = root.find(f"{NS}title"), root.find(f"{NS}desc")
    assert title is not None
    assert description is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "Light patterns of nvr: Network video recorder"
    assert "unbound (operator reads: unbound): amber blinks 1500/1500 ms" in str(description.text)


def test_texts_from_a_file_of_somebodys_own_break_nothing() -> None:
    rude = "</title> & <script>\x00\ud800é"
    shapes = (Words(1, 2, rude, bold=True), Disc(3.123456, 4, 5, "#000000"))
    root = ElementTree.fromstring(svg(Drawing('a "b', rude, rude, 10, 20, "#ffffff", shapes)))
    assert [child.tag for child in root] == [
        NS + tag for tag in ("title", "desc", "rect", "text", "circle")
    ]
    assert root[0].text == root[3].text == "</title> & <script>\ufffd\ufffdé"
    assert root[0].get("id") == "a--b-title"
    assert root[4].get("cx") == "3.1235"
