"""What a light means, and which lamp on the case shows it."""

import msgspec
import pytest

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.errors import UsageError
from fleet.light.meaning import OUR_CHOICE, Lamp, lamps, light, lights
from tests.light.patterns import MODELS, STATES


@pytest.mark.parametrize("name", MODELS)
def test_every_state_is_explained(name: str) -> None:
    rows = lights(MODELS[name])
    assert [row.state for row in rows] == list(LIGHTS)
    assert all(row.meaning.endswith(".") and row.words for row in rows)


@pytest.mark.parametrize(
    ("state", "reading"),
    [
        ("off", ""),
        ("waiting", "waiting"),
        ("unbound", "unbound"),
        ("registering", "unbinding"),
        ("resetting", "unbinding or nothing"),
        ("join_failed", "failed"),
        ("online", ""),
    ],
)
def test_what_the_operator_reads(state: str, reading: str) -> None:
    assert light(MODELS["nvr"], state).reading == reading


def test_how_a_token_comes_is_said() -> None:
    assert light(MODELS["ipc-new"], "waiting").meaning.endswith("show it a QR code.")
    assert light(MODELS["nvr"], "waiting").meaning.endswith("from the LAN.")


@pytest.mark.parametrize(("name", "state"), STATES)
def test_every_pattern_says_where_it_comes_from(name: str, state: str) -> None:
    row = light(MODELS[name], state)
    pages = ("Peripheral Control", "IPC Specification for Tone and Light")
    assert row.pattern.source in ("no power", OUR_CHOICE, *pages)
    assert row.vendors == (row.pattern.source in pages)
    assert row.origin == ("vendor: " if row.vendors else "") + row.pattern.source


def test_an_unknown_state_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no state 'happy'.*off, booting, waiting, unbound"):
        light(MODELS["nvr"], "happy")


def test_one_lamp_shows_every_colour() -> None:
    [lamp] = lamps(MODELS["gateway"])
    assert lamp == Lamp("", ("red", "blue", "amber"))
    assert (lamp.shows("amber"), lamp.shows("")) == ("amber", "")


def test_two_lamps_share_the_colours() -> None:
    main, second = lamps(MODELS["ipc-blue-red"])
    assert (main, second) == (Lamp("main", ("blue",)), Lamp("second", ("red",)))
    assert (main.shows("red"), second.shows("red")) == ("", "red")


@pytest.mark.parametrize("second_light", [("white",), ("red", "blue", "amber")])
def test_a_second_lamp_that_leaves_one_without_use_is_none(second_light: tuple[str, ...]) -> None:
    odd = msgspec.structs.replace(MODELS["gateway"], second_light=second_light)
    assert len(lamps(odd)) == 1
