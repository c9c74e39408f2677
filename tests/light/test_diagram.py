"""Timing diagrams: bars where the light is lit, axes with ticks, everything inside the frame."""

import msgspec
import pytest

from firmware_sim.device.indicator import Mode, Pattern
from fleet.light.beat import stretches
from fleet.light.colours import lit_of
from fleet.light.diagram import PLOT_WIDTH, PLOT_X, diagram, time_axis
from fleet.light.meaning import lamps, light, lights
from fleet.light.shapes import Box, Drawing, Words
from tests.light.patterns import BLINK, DARK, MODELS, SOLID, STATES


def bars(drawing: Drawing) -> list[Box]:
    return [shape for shape in drawing.shapes if isinstance(shape, Box) and shape.name]


def texts(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes if isinstance(shape, Words)]


@pytest.mark.parametrize(("name", "state"), STATES)
def test_bars_are_the_pattern(name: str, state: str) -> None:
    pattern = MODELS[name].indicator[state]
    window_ms, _ = time_axis([pattern])
    per_ms = PLOT_WIDTH / window_ms
    drawn = bars(diagram(MODELS[name], [light(MODELS[name], state)]))
    lit = [s for s in stretches(pattern, window_ms) if s.colour]
    found = sorted((bar.x, bar.width, bar.fill) for bar in drawn)
    assert found == [
        (PLOT_X + s.start_ms * per_ms, (s.end_ms - s.start_ms) * per_ms, lit_of(s.colour))
        for s in lit
    ]
    # What two lamps show is one above the other, and one lamp has one strip.
    heights = {bar.y for bar in drawn}
    assert len(heights) == min(len(lamps(MODELS[name])), len(pattern.colours))


@pytest.mark.parametrize(
    ("pattern", "axis"),
    [
        (DARK, (2000, 500)),
        (SOLID, (2000, 500)),
        (BLINK, (1500, 500)),
        (Pattern(Mode.BLINK, "x", ("red",), 1500, 1500), (6000, 1000)),
        (Pattern(Mode.BLINK, "x", ("red",), 255, 256), (1200, 200)),
        (Pattern(Mode.BLINK, "x", ("red",), 60_000, 60_000), (250_000, 50_000)),
        (Pattern(Mode.BLINK, "x", ("red",), 1, 1), (4, 1)),
    ],
)
def test_the_axis_holds_two_periods_and_a_few_ticks(
    pattern: Pattern, axis: tuple[int, int]
) -> None:
    assert time_axis([pattern]) == axis


def test_the_axis_says_its_unit() -> None:
    slow = texts(diagram(MODELS["nvr"], lights(MODELS["nvr"])))
    assert [text for text in slow if text.endswith(" s")] == [f"{n} s" for n in range(1, 7)]
    fast = texts(diagram(MODELS["ipc-new"], [light(MODELS["ipc-new"], "waiting")]))
    assert {"0", "200 ms", "800 ms", "1 s"} <= set(fast)


def test_a_row_says_what_it_means_and_who_says_so() -> None:
    drawing = diagram(MODELS["ipc-blue-red"], [light(MODELS["ipc-blue-red"], "waiting")])
    assert {
        "IP camera with a blue and a red light",
        "waiting",
        "It waits for a token: show it a QR code.",
        "red blinks 250/250 ms",
        "vendor: IPC Specification for Tone and Light",
        "main",
        "second",
        "R",
    } <= set(texts(drawing))
    assert drawing.description == (
        "waiting (operator reads: waiting): red blinks 250/250 ms; "
        "vendor: IPC Specification for Tone and Light."
    )


@pytest.mark.parametrize("name", MODELS)
def test_everything_is_inside(name: str) -> None:
    drawing = diagram(MODELS[name], lights(MODELS[name]))
    for shape in drawing.shapes:
        assert 0 <= shape.x < drawing.width
        assert 0 <= shape.y < drawing.height
        if isinstance(shape, Box):
            assert shape.x + shape.width <= drawing.width
            assert shape.y + shape.height <= drawing.height


@pytest.mark.parametrize(
    ("colours", "mode"), [(("red",), Mode.BLINK), (("red", "blue"), Mode.ALTERNATE)]
)
def test_what_is_too_fast_to_draw_is_a_blur(colours: tuple[str, ...], mode: Mode) -> None:
    quick = Pattern(mode, "x", colours, 1, 1)  # type: ignore[arg-type]
    slow = Pattern(Mode.BLINK, "x", ("red",), 3000, 3000)
    indicator = {**MODELS["nvr"].indicator, "waiting": quick, "online": slow}
    model = msgspec.structs.replace(MODELS["nvr"], indicator=indicator)
    [blur, *others] = bars(diagram(model, [light(model, "waiting"), light(model, "online")]))
    assert (blur.width, blur.name) == (PLOT_WIDTH, "waiting")
    assert blur.fill not in {lit_of("red"), lit_of("blue")}
    assert {bar.fill for bar in others} == {lit_of("red")}
