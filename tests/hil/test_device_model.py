"""What a model says of the device on the bench: checked against the files of the built-in models."""

import pytest

from firmware_sim.bench.capabilities import DeviceUnderTest, Light
from firmware_sim.device.indicator import LIGHTS, Mode, Pattern
from firmware_sim.errors import UsageError
from fleet.hil.device_model import HAND_SLACK_S, Model, light_of
from hw_profiles import catalog


def test_a_hand_holds_the_button_a_little_longer_than_it_has_to() -> None:
    model: DeviceUnderTest = Model("ipc-new")
    profile = catalog.load("ipc-new")

    assert model.profile == "ipc-new"
    assert not model.wired
    assert model.hold_s == profile.timings.reset_hold_ms / 1000 + HAND_SLACK_S
    assert Model("nvr").wired


@pytest.mark.parametrize(
    ("profile", "state", "light"),
    [
        ("ipc-new", "off", Light("off", (), 0.0, 0.0)),
        ("ipc-new", "online", Light("solid", ("green",), 0.0, 1.0)),
        ("ipc-new", "waiting", Light("blink", ("red",), 2.0, 0.5)),
        ("ipc-new", "join_failed", Light("alternate", ("red", "green"), 1 / 3, 0.5)),
        ("ipc-one-light", "unbound", Light("blink", ("white",), 0.5, 0.05)),
    ],
)
def test_a_light_is_said_as_a_sensor_sees_it(profile: str, state: str, light: Light) -> None:
    assert Model(profile).light(state) == light


def test_every_state_of_every_model_has_a_light() -> None:
    for name in catalog.names():
        for state in LIGHTS:
            light = Model(name).light(state)
            assert (light.mode == "off") == (light.duty == 0.0)
            assert bool(light.hz) == (light.mode in ("blink", "alternate"))


def test_the_share_is_that_of_the_first_colour() -> None:
    pattern = Pattern(Mode.ALTERNATE, "our choice", ("red", "blue"), on_ms=100, off_ms=300)

    assert light_of(pattern) == Light("alternate", ("red", "blue"), 2.5, 0.25)


def test_what_there_is_not_is_said_in_one_line() -> None:
    with pytest.raises(UsageError, match="no state 'sleeping' of a light; allowed: off, booting"):
        Model("nvr").light("sleeping")
    with pytest.raises(UsageError, match="toaster"):
        Model("toaster")
