import pytest

from firmware_sim.bench.capabilities import Light
from firmware_sim.bench.lights import light_of
from firmware_sim.device.indicator import Mode, Pattern


@pytest.mark.parametrize(
    ("pattern", "light"),
    [
        (Pattern(Mode.OFF, "-"), Light("off", (), 0.0, 0.0)),
        (Pattern(Mode.SOLID, "-", ("blue",)), Light("solid", ("blue",), 0.0, 1.0)),
        (Pattern(Mode.BLINK, "-", ("red",), 100, 1900), Light("blink", ("red",), 0.5, 0.05)),
        (
            Pattern(Mode.ALTERNATE, "-", ("blue", "red"), 250, 250),
            Light("alternate", ("blue", "red"), 2.0, 0.5),
        ),
    ],
)
def test_a_pattern_as_a_sensor_sees_it(pattern: Pattern, light: Light) -> None:
    assert light_of(pattern) == light
