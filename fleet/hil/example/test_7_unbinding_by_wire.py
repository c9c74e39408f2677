"""Unbinding by wire: a device without a lens is found on the LAN and handed a token there."""

import pytest

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest


@pytest.mark.bench_only("cable")
@pytest.mark.bench_start("returned")
def test_a_token_over_the_lan_releases_it(bench: Bench, device: DeviceUnderTest) -> None:
    """Search the LAN and send a token of after-sales, and the light says that it is nobody's."""
    bench.phone.unbind_by_wire()
    bench.led.wait_for_light(device.light("unbound"))
