"""The light of a simulated bench, as its colour sensor sees it, with noise; no time passes."""

from functools import cache
from itertools import pairwise

import pytest

from firmware_sim.bench.capabilities import Reading
from firmware_sim.bench.lights import light_of
from firmware_sim.bench.reader.waiting import matches
from firmware_sim.bench.station import Station
from firmware_sim.device.device import Identity
from firmware_sim.effects import StateShown
from fleet.run.bridge.eyes import LOOK_S, Eyes
from fleet.run.bridge.lights import Guess, line_of, session_of
from hw_profiles import catalog

LOOK_MS = round(LOOK_S * 1000)
RATE_HZ = 100.0
Script = tuple[tuple[str, int], ...]  # lights, and how long each is shown, in ms
RELEASE: Script = (  # as a simulated device takes an unbinding token, and is read by nobody
    ("waiting", 8100),
    ("joining", 600),
    ("registering", 5),
    ("reconnecting", 10),
    ("online", 2),
    ("resetting", 800),
    ("booting", 2000),
    ("unbound", 9000),
)


MODELS = ("ipc-red-green", "ipc-blue-red", "ipc-one-light", "nvr")  # all tables of lights


class Watched:
    """What eyes tell of a light that follows a script; `told` has sights and when, in ms."""

    def __init__(self, profile: str, script: Script, seed: int = 1) -> None:
        model = catalog.load(profile)
        station = Station(model, Identity("bench0001", "k" * 32, "product1"), seed)
        station.powered(True, 0)
        eyes = Eyes(Guess(model).lasts_s())
        self.told: list[tuple[int, Reading | None]] = []
        self.began_ms: dict[str, int] = {}
        self.lights = {name: light_of(pattern) for name, pattern in model.indicator.items()}
        now_ms = 0
        due = iter(script)
        left_ms = 0
        while True:
            while left_ms < LOOK_MS:
                light, lasts_ms = next(due, ("", 0))
                if not light:
                    return
                line = line_of(light)
                shown = StateShown(
                    line.lifecycle.name, session_of(light).name, light, line.operator, ""
                )
                self.began_ms[light] = now_ms + left_ms
                station.observed(shown, now_ms + left_ms)
                left_ms += lasts_ms
            while left_ms >= LOOK_MS:
                piece = station.led(now_ms, now_ms + LOOK_MS, RATE_HZ)
                now_ms, left_ms = now_ms + LOOK_MS, left_ms - LOOK_MS
                self.told += [(now_ms, sight) for sight in eyes.see(piece)]

    def first_ms(self, light: str) -> int:
        """Return how long after it had begun a light was told."""
        began_ms = self.began_ms[light]
        return next(
            at_ms - began_ms
            for at_ms, sight in self.told
            if at_ms > began_ms and sight and matches(sight, self.lights[light])
        )


@cache
def watch_release(profile: str) -> Watched:
    return Watched(profile, RELEASE)


@pytest.mark.parametrize("profile", MODELS)
def test_a_light_that_waits_no_longer_is_seen_at_once(profile: str) -> None:
    """Before the device has come back, so that a code can be taken away in time."""
    watched = watch_release(profile)
    began_ms = watched.began_ms["joining"]
    left = [at_ms for at_ms, sight in watched.told if sight is None]
    assert began_ms < left[0] < watched.began_ms["unbound"]


@pytest.mark.parametrize("profile", MODELS)
def test_every_sight_is_of_a_light_that_was_shown(profile: str) -> None:
    watched = watch_release(profile)
    guess = Guess(catalog.load(profile))
    list(guess.turn("booting"))
    told = [
        (at_ms, light)
        for at_ms, sight in watched.told
        if sight is not None
        for light in guess.read(sight, at_ms / 1000)
    ]
    assert [light for _, light in told if light in ("waiting", "unbound")] == ["waiting", "unbound"]
    assert next(at for at, light in told if light == "unbound") > watched.began_ms["unbound"]


def test_how_long_it_takes_to_know() -> None:
    watched = watch_release("ipc-red-green")
    assert watched.first_ms("waiting") <= 1250
    assert watched.first_ms("unbound") <= 1500


@pytest.mark.parametrize("light", ["waiting", "unbound", "join_failed"])
@pytest.mark.parametrize("profile", ["ipc-red-green", "ipc-one-light"])
def test_a_light_that_goes_on_is_never_left(profile: str, light: str) -> None:
    watched = Watched(profile, ((light, 12_000),), seed=3)
    assert len(watched.told) > 10
    assert all(sight and matches(sight, watched.lights[light]) for _, sight in watched.told)


def test_what_was_forgotten_is_not_told() -> None:
    model = catalog.load("ipc-red-green")
    station = Station(model, Identity("bench0001", "k" * 32, "product1"), 1)
    station.powered(True, 0)
    station.observed(StateShown("ONLINE", "UP", "online", "", ""), 0)
    eyes = Eyes(6.0)
    told = []
    for start_ms, end_ms in pairwise(range(0, 8250, LOOK_MS)):
        if start_ms == 4000:
            eyes.forget()
        told.append(bool(eyes.see(station.led(start_ms, end_ms, RATE_HZ))))
    assert told[15]
    assert not any(told[16:22])
    assert told[31]
