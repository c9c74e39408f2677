"""A profile that a device could not run is refused when it is made."""

import pytest

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.device.profile import Kind, Pairing, Point, Profile
from firmware_sim.wire.datapoint import Property
from hw_profiles import catalog

CAMERA = catalog.load("ipc-red-green")


def test_an_initial_value_fits_its_point() -> None:
    with pytest.raises(ValueError, match="initial: data point 5 takes true or false"):
        Point(id=5, mode="rw", type="obj", property=Property("bool"), initial="yes")


@pytest.mark.parametrize(
    ("lights", "fault"),
    [
        (LIGHTS[1:], "missing 'off', it takes exactly: off, booting"),
        ((*LIGHTS, "disco"), "unknown light 'disco'"),
    ],
)
def test_all_lights_and_no_others(lights: tuple[str, ...], fault: str) -> None:
    patterns = dict.fromkeys(lights, CAMERA.indicator["off"])
    with pytest.raises(ValueError, match=fault):
        Profile("x", "X", Kind.CAMERA, "sp", Pairing.QR, patterns)


def test_wired_is_how_the_token_comes() -> None:
    assert not CAMERA.wired
    assert catalog.load("nvr").wired
