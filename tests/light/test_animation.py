"""Moving pictures, read back: what shines at each instant is what the pattern says."""

import io
from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from PIL import Image, ImageSequence

from firmware_sim.device.indicator import Mode, Pattern
from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError
from fleet.light.animation import GIF_FRAME_MS_MIN, Moving, apng, gif
from fleet.light.beat import STILL_MS, period_ms
from fleet.light.card import Card, portrait, sheet
from fleet.light.colours import SHADES, lit_of, rgb
from fleet.light.meaning import light, lights
from tests.light.patterns import DARK, LOOKS, MODELS, SOLID, moving

Maker = Callable[[Card, Sequence[Pattern]], Moving]
COLOUR_OF = {rgb(lit_of(colour)): colour for colour in ("", *SHADES)}


def seen(data: bytes, card: Card) -> list[tuple[list[str], int]]:
    """Return the colours in the middle of all lamps, and how long, for each frame of a file."""
    frames = []
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (card.drawing.width, card.drawing.height)
        for frame in ImageSequence.Iterator(image):
            pixels = frame.convert("RGB")
            middles = [pixels.getpixel((round(b.x), round(b.y))) for b in card.bulbs]
            colours = [COLOUR_OF[middle] for middle in middles]  # type: ignore[index]
            frames.append((colours, round(frame.info.get("duration", STILL_MS))))
        assert len(frames) == 1 or image.info["loop"] == 0  # for ever
    return frames


def check(made: Moving, card: Card, patterns: Sequence[Pattern]) -> None:
    at_ms, error_ms = 0, made.loop.error_ms
    for colours, duration_ms in seen(made.data, card):
        for bulb, colour in zip(card.bulbs, colours, strict=True):
            pattern = patterns[bulb.index]
            # Every instant of a frame, but for as much as an edge may be off.
            for elapsed_ms in range(at_ms + error_ms, at_ms + duration_ms - error_ms, 10):
                assert colour == bulb.lamp.shows(pattern.colour_at(elapsed_ms))
            last_ms = at_ms + duration_ms - error_ms - 1
            assert colour == bulb.lamp.shows(pattern.colour_at(last_ms))
        at_ms += duration_ms
    assert at_ms == made.loop.duration_ms


@pytest.mark.parametrize("make", [gif, apng])
@pytest.mark.parametrize(("name", "state"), LOOKS)
def test_the_lights_of_all_models(name: str, state: str, make: Maker) -> None:
    shown = light(MODELS[name], state)
    card = portrait(MODELS[name], shown)
    made = make(card, [shown.pattern])
    check(made, card, [shown.pattern])
    assert made.loop.error_ms == 0
    assert sum(duration for _, duration in seen(made.data, card)) == period_ms(shown.pattern)


@pytest.mark.parametrize(
    ("name", "make"), [("ipc-blue-red", gif), ("ipc-blue-red", apng), ("ipc-one-light", gif)]
)
def test_all_lights_of_a_model_at_once(name: str, make: Maker) -> None:
    card = sheet(MODELS[name], lights(MODELS[name]))
    patterns = [row.pattern for row in lights(MODELS[name])]
    made = make(card, patterns)
    check(made, card, patterns)
    assert made.loop.duration_ms == (6000 if name == "ipc-one-light" else 3000)


def waiting_as(pattern: Pattern) -> tuple[Profile, Card]:
    model = MODELS["nvr"]
    changed = {**model.indicator, "waiting": pattern}
    model = msgspec.structs.replace(model, indicator=changed)
    return model, portrait(model, light(model, "waiting"))


@pytest.mark.no_cover
@settings(max_examples=15)
@given(moving(GIF_FRAME_MS_MIN, 3000))
def test_any_light_that_is_slow_enough(pattern: Pattern) -> None:
    _, card = waiting_as(pattern)
    for make in (gif, apng):
        check(make(card, [pattern]), card, [pattern])
    assert apng(card, [pattern]).loop.error_ms == 0


def test_an_odd_light_is_off_by_half_a_step_and_no_more() -> None:
    odd = Pattern(Mode.BLINK, "x", ("red",), 333, 334)
    _, card = waiting_as(odd)
    made = gif(card, [odd])
    assert (made.loop.duration_ms, made.loop.error_ms) == (6670, 5)
    check(made, card, [odd])
    assert apng(card, [odd]).loop.duration_ms == 667


def test_lights_whose_edges_are_close_meet() -> None:
    near = Pattern(Mode.BLINK, "x", ("blue",), 260, 240)
    model, _ = waiting_as(near)
    card = sheet(model, lights(model))
    patterns = [row.pattern for row in lights(model)]
    made = gif(card, patterns)
    assert min(frame.duration_ms for frame in made.loop.frames) >= GIF_FRAME_MS_MIN
    assert made.loop.error_ms == 10


def test_what_is_too_quick_for_gif_is_refused() -> None:
    quick = Pattern(Mode.ALTERNATE, "x", ("red", "blue"), 19, 500)
    _, card = waiting_as(quick)
    with pytest.raises(UsageError, match=r"nothing shorter than 20 ms.*after 19 ms: take --apng"):
        gif(card, [quick])
    check(apng(card, [quick]), card, [quick])


@pytest.mark.parametrize("pattern", [DARK, SOLID])
def test_a_light_that_does_not_move_is_one_picture(pattern: Pattern) -> None:
    _, card = waiting_as(pattern)
    for make in (gif, apng):
        made = make(card, [pattern])
        assert len(seen(made.data, card)) == 1
        assert make(card, [pattern]).data == made.data


def test_a_lamp_shines_on_what_is_around_it() -> None:
    model = MODELS["ipc-blue-red"]
    card = portrait(model, light(model, "online"))
    with Image.open(io.BytesIO(apng(card, [model.indicator["online"]]).data)) as image:
        main, second = card.bulbs
        lit = image.getpixel((round(main.x), round(main.y - 2 * main.radius)))
        unlit = image.getpixel((round(second.x + main.radius), round(second.y + 4 * main.radius)))
    assert lit[2] > unlit[2] + 40  # type: ignore[index]
