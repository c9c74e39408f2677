"""Cards: every kind of device, with as many lamps as it has, inside the picture."""

from itertools import pairwise

import pytest

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.device.profile import Kind
from fleet.light.card import Card, portrait, sheet
from fleet.light.meaning import lamps, light, lights
from fleet.light.shapes import Words
from tests.light.patterns import MODELS


def texts(card: Card) -> set[str]:
    return {shape.text for shape in card.drawing.shapes if isinstance(shape, Words)}


def check_bulbs(card: Card) -> None:
    for bulb in card.bulbs:
        assert bulb.radius < bulb.x < card.drawing.width - bulb.radius
        assert bulb.radius < bulb.y < card.drawing.height - bulb.radius
    places = sorted((bulb.y, bulb.x) for bulb in card.bulbs)
    for (y, x), (next_y, next_x) in pairwise(places):
        assert next_y > y or next_x - x > 2 * card.bulbs[0].radius


@pytest.mark.parametrize("name", MODELS)
def test_a_portrait_has_the_lamps_of_the_model(name: str) -> None:
    card = portrait(MODELS[name], light(MODELS[name], "unbound"))
    assert [bulb.lamp for bulb in card.bulbs] == list(lamps(MODELS[name]))
    check_bulbs(card)
    assert {"unbound", "the operator reads: unbound", "our choice"} <= texts(card)
    assert MODELS[name].indicator["unbound"].in_words() in texts(card)


def test_every_kind_of_device_is_drawn() -> None:
    seen = {
        model.kind: portrait(model, light(model, "off")).drawing.shapes for model in MODELS.values()
    }
    assert set(seen) == set(Kind)
    assert all(len(shapes) > 8 for shapes in seen.values())


def test_a_state_that_says_nothing_to_the_operator() -> None:
    card = portrait(MODELS["nvr"], light(MODELS["nvr"], "online"))
    assert not any(text.startswith("the operator") for text in texts(card))


@pytest.mark.parametrize("name", MODELS)
def test_a_sheet_has_all_states(name: str) -> None:
    card = sheet(MODELS[name], lights(MODELS[name]))
    per_state = len(lamps(MODELS[name]))
    assert [bulb.index for bulb in card.bulbs[::per_state]] == list(range(len(LIGHTS)))
    assert set(LIGHTS) <= texts(card)
    check_bulbs(card)
