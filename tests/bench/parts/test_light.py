"""Which colour was lit at each millisecond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.parts.light import MAIN, SECOND, Glow, LightHistory
from firmware_sim.device.indicator import LIGHTS
from tests.bench.parts.bench_models import CAMERA, MODELS, T0


def history(*shown: tuple[int, str]) -> LightHistory:
    light = LightHistory(CAMERA)
    for since_ms, name in shown:
        light.show(name, T0 + since_ms)
    return light


def test_a_pattern_begins_when_the_state_is_shown() -> None:
    light = history((0, "booting"), (2000, "waiting"))  # red, then red 250/250
    seen = [light.colour_at(T0 + ms) for ms in (-1, 0, 1999, 2249, 2250, 2499, 2500)]
    assert seen == ["", "red", "red", "red", "", "", "red"]


def test_the_same_state_again_keeps_the_beat() -> None:
    light = history((0, "waiting"), (300, "waiting"))
    assert light.colour_at(T0 + 300) == ""
    assert light.colour_at(T0 + 500) == "red"


def test_another_state_begins_anew_even_if_it_looks_alike() -> None:
    light = history((0, "joining"), (300, "registering"))  # both blue 250/250
    assert light.colour_at(T0 + 300) == "blue"


def test_without_supply_all_is_dark_and_the_beat_is_forgotten() -> None:
    light = history((0, "waiting"))
    light.go_dark(T0 + 100)
    assert light.colour_at(T0 + 100) == ""
    light.show("waiting", T0 + 400)
    assert light.colour_at(T0 + 649) == "red"


def test_the_second_light_has_its_colours() -> None:
    light = LightHistory(CAMERA)
    assert (light.lamp_of("blue"), light.lamp_of("red")) == (MAIN, SECOND)


def test_two_colours_take_turns() -> None:
    light = history((0, "unbound"))  # blue and red 250/250
    glows = list(light.glows(T0 - 10, T0 + 600))
    assert [(g.start_ms - T0, g.end_ms - T0, g.colour) for g in glows] == [
        (-10, 0, ""),
        (0, 250, "blue"),
        (250, 500, "red"),
        (500, 600, "blue"),
    ]


@pytest.mark.parametrize("name", LIGHTS)
@given(model=st.sampled_from(sorted(MODELS)), start_ms=st.integers(-50, 5000))
def test_glows_are_what_is_lit_at_each_instant(name: str, model: str, start_ms: int) -> None:
    light = LightHistory(MODELS[model])
    light.show(name, T0)
    begin_ms = T0 + start_ms
    glows = list(light.glows(begin_ms, begin_ms + 400))
    assert [glow.start_ms for glow in glows[1:]] == [glow.end_ms for glow in glows[:-1]]
    told = [glow.colour for glow in glows for _ in range(glow.start_ms, glow.end_ms)]
    assert told == [light.colour_at(begin_ms + i) for i in range(400)]
    assert all(isinstance(glow, Glow) for glow in glows)
