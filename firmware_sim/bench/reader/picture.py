"""A trace as a picture for a report, and as a table for other programs.

The font is the one that Pillow carries, so a picture is the same on every machine.
"""

import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from firmware_sim.bench.capabilities import Reading
from firmware_sim.bench.reader.waiting import TOLD, in_words
from firmware_sim.bench.trace import LedTrace, led_trace
from firmware_sim.errors import UsageError

CSV_HEADER = "time_s,red,green,blue"
ROWS_MAX = 1_000_000

_WIDTH, _HEIGHT = 960, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 84, 936, 344
_STRIP_HEIGHT = 12
_PAPER, _INK, _GREY, _LINE = "#ffffff", "#1b2129", "#5b6672", "#dde2e7"
_CURVES = (("red", "#d3222a"), ("green", "#16853f"), ("blue", "#1f5fd6"))
_POINTS_MAX = 5000
_TICKS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 300.0, 1800.0)


def trace_csv(trace: LedTrace) -> str:
    """Return a trace as CSV: `time_s,red,green,blue`, 0 is dark and 1 full scale."""
    table = np.column_stack((trace.times_s, trace.rgb))
    rows = (f"{t:.6f},{r:.5f},{g:.5f},{b:.5f}" for t, r, g, b in table.tolist())
    return "\n".join((CSV_HEADER, *rows)) + "\n"


def parse_csv(text: str) -> LedTrace:
    """Return the trace of such a table. UsageError names the line that is none."""
    header, *lines = text.strip().splitlines() or [""]
    if header.strip() != CSV_HEADER:
        raise UsageError(f"an LED trace begins with the line {CSV_HEADER}, not {header[:60]!r}")
    if len(lines) > ROWS_MAX:
        raise UsageError(f"an LED trace of {len(lines)} rows: at most {ROWS_MAX} are read")
    return led_trace([_row(line, number) for number, line in enumerate(lines, 2)])


def trace_png(trace: LedTrace, reading: Reading) -> bytes:
    """Return a PNG of the three curves over time, and what was read from them."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    _title(draw, trace, reading)
    _axes(draw, trace.span_s)
    if len(trace.times_s):
        _curves(draw, trace)
        _strip(draw, trace)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _row(line: str, number: int) -> tuple[float, float, float, float]:
    """Return four numbers of one line."""
    try:
        time_s, red, green, blue = map(float, line.split(","))
    except ValueError:
        raise UsageError(
            f"line {number} of an LED trace has no four numbers: {line[:60]!r}"
        ) from None
    return time_s, red, green, blue


def _words(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, fill: str, anchor: str
) -> None:
    """Write a line; `anchor` says which point of it `at` is, as Pillow has it."""
    draw.text(at, text, font=ImageFont.load_default(size), fill=fill, anchor=anchor)


def _title(draw: ImageDraw.ImageDraw, trace: LedTrace, reading: Reading) -> None:
    """Write what was read, how sure that is, and from what."""
    said = in_words(reading) if reading.confidence >= TOLD else "no light that can be told"
    _words(draw, (_LEFT, 30), said, 22, _INK, "ls")
    rate_hz = (len(trace.times_s) - 1) / trace.span_s if trace.span_s else 0.0
    facts = [f"confidence {reading.confidence:.2f}"]
    if reading.confidence < TOLD:
        facts = [f"at best {in_words(reading)}, with a confidence of {reading.confidence:.2f}"]
    elif reading.hz:
        facts.append(
            f"period {1000 / reading.hz:.0f} ms, {reading.colours[0]} {reading.duty:.0%} of it"
        )
    facts.append(f"{len(trace.times_s)} samples in {trace.span_s:.2f} s ({rate_hz:.0f} Hz)")
    _words(draw, (_LEFT, 54), "   ".join(facts), 14, _GREY, "ls")
    for number, (name, ink) in enumerate(_CURVES):
        x = _RIGHT - 210 + 72 * number
        draw.line((x, 24, x + 20, 24), fill=ink, width=3)
        _words(draw, (x + 26, 24), name, 14, ink, "lm")


def _axes(draw: ImageDraw.ImageDraw, span_s: float) -> None:
    """Draw shares of full scale and seconds since the first sample."""
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        draw.line((_LEFT, y, _RIGHT, y), fill=_LINE)
        _words(draw, (_LEFT - 8, y), f"{share:.2f}", 12, _GREY, "rm")
    step_s = next((step for step in _TICKS_S if span_s / step <= 12), max(span_s / 10, 1e-3))
    for tick in range(math.floor(span_s / step_s + 1e-9) + 1):
        x = _LEFT + (_RIGHT - _LEFT) * tick * step_s / max(span_s, 1e-9) if tick else _LEFT
        draw.line((x, _TOP, x, _BOTTOM + 4), fill=_LINE)
        _words(draw, (x, _BOTTOM + 26), f"{tick * step_s:g}", 12, _GREY, "mt")
    draw.line((_LEFT, _BOTTOM, _RIGHT, _BOTTOM), fill=_GREY)
    _words(draw, (_RIGHT, _HEIGHT - 8), "seconds", 12, _GREY, "rs")
    _words(draw, (_LEFT, _TOP - 8), "share of full scale", 12, _GREY, "ls")


def _curves(draw: ImageDraw.ImageDraw, trace: LedTrace) -> None:
    """Draw the three channels."""
    xs, values = _points(trace)
    for channel, (_, ink) in enumerate(_CURVES):
        points = [(x, _y(value)) for x, value in zip(xs, values[:, channel].tolist(), strict=True)]
        if len(points) > 1:
            draw.line(points, fill=ink, width=2, joint="curve")
        else:
            draw.ellipse(
                (points[0][0] - 2, points[0][1] - 2, points[0][0] + 2, points[0][1] + 2), ink
            )


def _strip(draw: ImageDraw.ImageDraw, trace: LedTrace) -> None:
    """Draw the light itself below the curves, as the sensor saw it."""
    xs, values = _points(trace)
    colours = (np.nan_to_num(values).clip(0, 1) ** 0.6 * 255).astype(int).tolist()
    ends = [*xs[1:], float(_RIGHT)]
    for x, end, (red, green, blue) in zip(xs, ends, colours, strict=True):
        box = (x, _BOTTOM + 6, max(end, x + 1), _BOTTOM + 6 + _STRIP_HEIGHT)
        draw.rectangle(box, fill=(red, green, blue))


def _points(
    trace: LedTrace,
) -> tuple[list[float], np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Return where samples lie in pixels from the left, and their values (m, 3); not too many."""
    every = math.ceil(len(trace.times_s) / _POINTS_MAX)
    since_s = trace.times_s[::every] - trace.times_s[0]
    xs = _LEFT + (_RIGHT - _LEFT) * since_s / max(trace.span_s, 1e-9)
    return xs.tolist(), trace.rgb[::every]


def _y(share: float) -> float:
    """Return a height in pixels; what is not on the scale lies on its edge."""
    level = min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    return _BOTTOM - (_BOTTOM - _TOP) * level
