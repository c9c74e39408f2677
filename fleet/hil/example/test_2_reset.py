"""Reset: the button has to be held; then the device has forgotten its owner, and waits for another."""

import pytest

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest


@pytest.mark.bench_start("owned")
def test_a_button_that_is_held_resets_the_device(bench: Bench, device: DeviceUnderTest) -> None:
    """Hold the button for as long as the model wants, and the light asks for a code."""
    bench.button.press_for(device.hold_s)
    bench.led.wait_for_light(device.light("waiting"))
