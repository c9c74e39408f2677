"""Power cut: when the power fails in the middle of an unbinding, the next try completes it."""

import pytest

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest
from fleet.hil.start import hand_over, shown_first


@pytest.mark.bench_start("returned")
def test_an_unbinding_survives_a_power_cut(bench: Bench, device: DeviceUnderTest) -> None:
    """Cut the power while it works on a token: it is nobody's then, or after the next one."""
    if device.wired:
        bench.phone.unbind_by_wire()
    else:
        bench.camera.show(bench.phone.unbinding_code().text)
        bench.clock.sleep(0.8)
    bench.power.off()
    if not device.wired:
        bench.camera.hide()
    bench.clock.sleep(0.5)
    bench.power.on()
    if shown_first(bench, device, "waiting", "unbound") == "waiting":
        hand_over(bench, device)
        if shown_first(bench, device, "unbound", "activation_failed") == "activation_failed":
            # The cloud had done it, and only the device did not hear of it: it can be had.
            shown_first(bench, device, "waiting")
            hand_over(bench, device, "pair")
            bench.led.wait_for_light(device.light("online"))
