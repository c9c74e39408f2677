"""Unbinding by a code: a device that came back is reset, but somebody's until after-sales free it."""

import pytest

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest


@pytest.mark.bench_only("lens")
@pytest.mark.bench_start("returned")
def test_a_code_of_after_sales_releases_it(bench: Bench, device: DeviceUnderTest) -> None:
    """Hold a code of after-sales to the lens, and the light says that it is nobody's."""
    bench.camera.show(bench.phone.unbinding_code().text)
    bench.clock.sleep(3)  # the lens has read it by then
    bench.camera.hide()
    bench.led.wait_for_light(device.light("unbound"))
