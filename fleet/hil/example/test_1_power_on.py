"""Power: the device starts, and says so with its light and on its console; without it, it is dark."""

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest


def test_it_starts_with_its_power_and_ends_with_it(bench: Bench, device: DeviceUnderTest) -> None:
    """Switch it on: its light has the colour of the boot, its firmware prints what it is."""
    bench.power.on()
    assert bench.led.read(0.6).colours == device.light("booting").colours
    bench.console.expect(r"firmware \d+\.\d+")
    bench.power.off()
    bench.led.wait_for_light(device.light("off"))
