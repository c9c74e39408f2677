import pytest

from firmware_sim.bench.capabilities import Reading
from firmware_sim.bench.lights import light_of
from firmware_sim.device.indicator import LIGHTS, shown
from fleet.run.bridge.lights import BETWEEN, NEXT, Guess, line_of, outcome_of, session_of
from hw_profiles import catalog

MODELS = catalog.names()
OFF = Reading("off", (), 0.0, 0.0, 1.0)


def reading(profile: str, light: str) -> Reading:
    seen = light_of(catalog.load(profile).indicator[light])
    return Reading(seen.mode, seen.colours, seen.hz, seen.duty, 1.0)


def told(guess: Guess, profile: str, *lights: str) -> list[str]:
    return [name for light in lights for name in guess.read(reading(profile, light), 0.0)]


@pytest.mark.parametrize("profile", MODELS)
def test_the_lights_of_an_unbinding_are_told_apart(profile: str) -> None:
    guess = Guess(catalog.load(profile))
    list(guess.turn("booting"))
    list(guess.turn("waiting"))
    lights = told(guess, profile, "waiting", "registering", "unbound")
    assert lights[-1] == "unbound"
    assert line_of(lights[0]).operator == "unbinding"


@pytest.mark.parametrize("profile", MODELS)
def test_what_no_eye_has_caught_lay_between(profile: str) -> None:
    model = catalog.load(profile)
    guess = Guess(model)
    list(guess.turn("waiting"))
    before = line_of(guess.light)
    lights = told(guess, profile, "online")
    assert before.operator == "waiting"
    assert [line_of(light).operator for light in lights] == ["unbinding", ""]
    assert lights[-1] == "online"


@pytest.mark.parametrize("profile", MODELS)
def test_a_release_of_which_only_the_restart_was_seen_is_one(profile: str) -> None:
    guess = Guess(catalog.load(profile))
    list(guess.turn("booting"))
    assert told(guess, profile, "unbound") == ["unbound"], "that was before"
    list(guess.turn("off"))
    list(guess.turn("booting"))
    list(guess.turn("waiting"))
    list(guess.turn("booting"))
    assert told(guess, profile, "unbound") == ["joining", "registering", "unbound"]


def test_what_comes_after_a_start_is_no_other_start() -> None:
    """A model with one light shows a start like a device that is online."""
    profile = "ipc-one-light"
    assert reading(profile, "booting") == reading(profile, "online")
    guess = Guess(catalog.load(profile))
    list(guess.turn("booting"))
    assert not guess.left()
    assert told(guess, profile, "booting", "booting") == []
    assert not guess.left()
    assert told(guess, profile, "booting") == ["online"]


@pytest.mark.parametrize("profile", MODELS)
def test_no_start_lasts_for_ever(profile: str) -> None:
    guess = Guess(catalog.load(profile))
    list(guess.turn("booting"))
    start = reading(profile, "booting")
    lights = [light for at_s in range(20) for light in guess.read(start, at_s)]
    assert lights == (["online"] if start == reading(profile, "online") else [])


def test_the_same_light_is_told_once() -> None:
    guess = Guess(catalog.load("ipc-red-green"))
    list(guess.turn("booting"))
    assert told(guess, "ipc-red-green", "waiting", "waiting", "waiting") == ["waiting"]


def test_a_light_that_cannot_come_now_says_nothing() -> None:
    guess = Guess(catalog.load("ipc-red-green"))
    list(guess.turn("waiting"))
    assert list(guess.read(Reading("blink", ("white",), 9.0, 0.5, 1.0), 0.0)) == []
    assert list(guess.read(OFF, 0.0)) == []
    assert guess.light == "waiting"


def test_one_pattern_means_what_can_come_next() -> None:
    """On this model a device that joins, registers or lost its network blinks blue alike."""
    profile = "ipc-blue-red"
    assert reading(profile, "joining") == reading(profile, "reconnecting")
    guess = Guess(catalog.load(profile))
    list(guess.turn("waiting"))
    assert told(guess, profile, "joining") == ["joining"]
    list(guess.turn("online"))
    assert told(guess, profile, "reconnecting") == ["reconnecting"]


def test_every_light_has_what_comes_next_and_a_state() -> None:
    assert NEXT.keys() == set(LIGHTS)
    for light, following in NEXT.items():
        assert light not in following
        assert set(following) <= set(LIGHTS)
        assert len(set(following)) == len(following)
    for before, after in BETWEEN:
        assert after in NEXT[before]


@pytest.mark.parametrize("light", LIGHTS)
def test_the_state_of_a_light_shows_that_light(light: str) -> None:
    line = line_of(light)
    assert shown(line.lifecycle, session_of(light), outcome_of(light)).light == light


def test_how_long_the_slowest_light_takes() -> None:
    assert Guess(catalog.load("ipc-red-green")).lasts_s() == pytest.approx(6.0)
