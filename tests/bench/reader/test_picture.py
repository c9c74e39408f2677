"""Traces as pictures and tables."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from firmware_sim.bench.capabilities import Reading
from firmware_sim.bench.reader.picture import CSV_HEADER, parse_csv, trace_csv, trace_png
from firmware_sim.bench.trace import EMPTY, LedTrace
from firmware_sim.errors import UsageError

BLINK = Reading("blink", ("red",), 2.0, 0.5, 0.97)


def blink(count: int = 200) -> LedTrace:
    times_s = 1700.0 + np.arange(count) / 50
    lit = (times_s % 0.5 < 0.25)[:, None]
    return LedTrace(times_s, np.where(lit, [0.9, 0.1, 0.05], [0.02, 0.03, 0.02]))


def pixels(trace: LedTrace, reading: Reading = BLINK) -> Image.Image:
    image = Image.open(io.BytesIO(trace_png(trace, reading)))
    assert image.format == "PNG"
    return image.convert("RGB")


def count_of(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return int((np.asarray(image) == colour).all(axis=2).sum())


def test_a_picture_shows_three_curves() -> None:
    image = pixels(blink())
    assert image.size == (960, 400)
    for ink in ((0xD3, 0x22, 0x2A), (0x16, 0x85, 0x3F), (0x1F, 0x5F, 0xD6)):
        assert count_of(image, ink) > 500


def test_the_red_curve_is_high_while_red_is_lit() -> None:
    red = (np.asarray(pixels(blink())) == (0xD3, 0x22, 0x2A)).all(axis=2)
    assert red[105:115, 70:930].sum() > 300  # 0.9 of full scale
    blue = (np.asarray(pixels(blink())) == (0x1F, 0x5F, 0xD6)).all(axis=2)
    assert blue[335:342, 70:930].sum() > 300  # 0.02
    assert blue[90:320, 70:930].sum() == 0


def test_the_words_belong_to_the_reading() -> None:
    other = Reading("solid", ("blue",), 0.0, 1.0, 0.2)
    assert (
        np.asarray(pixels(blink()))[:60].tolist()
        != np.asarray(pixels(blink(), other))[:60].tolist()
    )


@pytest.mark.parametrize(
    "trace",
    [
        EMPTY,
        LedTrace(np.array([5.0]), np.array([[0.5, 0.4, 0.3]])),
        LedTrace(np.array([5.0, 5.0]), np.full((2, 3), 0.5)),
        LedTrace(np.array([0.0, 90_000.0]), np.full((2, 3), 0.5)),
        LedTrace(np.array([0.0, 1.0]), np.array([[7.0, -3.0, np.nan], [0.1, 0.2, 0.3]])),
        blink(40_000),
    ],
    ids=["empty", "one", "at once", "a day", "off the scale", "many"],
)
def test_any_trace_can_be_drawn(trace: LedTrace) -> None:
    assert pixels(trace).size == (960, 400)


def test_a_picture_is_the_same_each_time() -> None:
    assert trace_png(blink(), BLINK) == trace_png(blink(), BLINK)


# --- tables -------------------------------------------------------------------------------------


def test_a_table_has_a_header_and_a_line_for_each_sample() -> None:
    lines = trace_csv(blink(3)).splitlines()
    assert lines[0] == CSV_HEADER == "time_s,red,green,blue"
    assert lines[1] == "1700.000000,0.90000,0.10000,0.05000"
    assert len(lines) == 4


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), max_size=20
    )
)
def test_a_table_is_read_back(rows: list[tuple[float, float, float, float]]) -> None:
    table = np.array(sorted(rows)).reshape(-1, 4)
    again = parse_csv(trace_csv(LedTrace(table[:, 0], table[:, 1:])))
    assert again.times_s == pytest.approx(table[:, 0], abs=1e-6)
    assert again.rgb.shape == (len(rows), 3)
    assert np.abs(again.rgb - table[:, 1:]).max(initial=0) <= 1e-5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with the line time_s,red,green,blue"),
        ("<html>", "begins with the line"),
        (f"{CSV_HEADER}\n1,2,3\n", "line 2 of an LED trace has no four numbers: '1,2,3'"),
        (f"{CSV_HEADER}\n0,1,1,1\n1,x,3,4\n", "line 3 of an LED trace"),
        (f"{CSV_HEADER}\n0,1,1,1\n1,2,3,4,5\n", "line 3 of an LED trace"),
        (f"{CSV_HEADER}\n0,1,1,nan\n", "needs numbers"),
        (f"{CSV_HEADER}\n1,1,1,1\n0,1,1,1\n", "do not run backwards"),
    ],
)
def test_what_is_no_table_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_csv(text)


def test_a_table_may_be_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.bench.reader.picture.ROWS_MAX", 2)
    with pytest.raises(UsageError, match="3 rows: at most 2"):
        parse_csv(trace_csv(blink(3)))


def test_an_empty_table_is_an_empty_trace() -> None:
    assert len(parse_csv(trace_csv(EMPTY)).times_s) == 0
