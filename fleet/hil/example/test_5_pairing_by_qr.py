"""Pairing: who shows the code of an app to the lens owns the device, if it is nobody's."""

import pytest

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest


@pytest.mark.bench_only("lens")
@pytest.mark.bench_start("unbound")
def test_a_code_before_the_lens_binds_it(bench: Bench, device: DeviceUnderTest) -> None:
    """Hold the next owner's code to the lens, and the device goes online."""
    bench.camera.show(bench.phone.pairing_code().text)
    bench.led.wait_for_light(device.light("online"))
