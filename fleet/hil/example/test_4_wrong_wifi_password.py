"""Wrong Wi-Fi password: the device says that it cannot join, and waits for a better code."""

import pytest

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest
from fleet.hil.start import shown_first

MISTYPED = "not-the-password"


@pytest.mark.bench_only("lens")
@pytest.mark.bench_start("unbound")
def test_a_mistyped_password_shows(bench: Bench, device: DeviceUnderTest) -> None:
    """Show a code with another password in it: the light speaks of failure, then asks again."""
    bench.camera.show(bench.phone.pairing_code(wifi_password=MISTYPED).text)
    bench.led.wait_for_light(device.light("join_failed"))
    bench.camera.hide()
    shown_first(bench, device, "unbound", "waiting")
