"""A profile that a device could not run is refused when it is made."""

import msgspec
import pytest

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.device.profile import (
    Backoff,
    Child,
    Firmware,
    Kind,
    Pairing,
    Point,
    Profile,
    TimeFrom,
    WhileUpdating,
)
from firmware_sim.wire.datapoint import Property
from firmware_sim.wire.generation import Generation
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


def test_the_values_of_a_new_device_fit_into_a_frame() -> None:
    text = Point(id=1, mode="ro", type="obj", property=Property("string"), initial="x" * 2790)
    profile = msgspec.structs.replace(CAMERA, data_points=(text,))
    longer = msgspec.structs.replace(text, initial="x" * 2794)
    with pytest.raises(ValueError, match="data_points: 2802 bytes at first, a frame takes 2800"):
        msgspec.structs.replace(profile, data_points=(longer,))
    with pytest.raises(ValueError, match="2802 bytes"):
        Child("Sensor", "mcs", (longer,))


def test_only_who_has_a_network_can_await_a_token_online() -> None:
    assert catalog.load("nvr-label").firmware.awaits_token_online
    firmware = Firmware(awaits_token_online=True)
    with pytest.raises(ValueError, match="takes pairing wired, other devices have no network"):
        msgspec.structs.replace(CAMERA, firmware=firmware)


def test_firmware_does_what_the_open_sdk_does_where_nothing_else_is_said() -> None:
    assert Firmware() == Firmware(
        generation=Generation.ECB,
        questions=(),
        backoff=Backoff.VENDOR,
        time_from=TimeFrom.ACTIVATION,
        built_in_servers=False,
        reset_during_update=WhileUpdating.OBEY,
    )


def test_wired_is_how_the_token_comes() -> None:
    assert not CAMERA.wired
    assert catalog.load("nvr").wired
