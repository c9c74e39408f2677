"""Resources: what an env file says of a bench, checked as it is read."""

from typing import Any

import pytest
from labgrid.exceptions import InvalidConfigError

from tests.bench.labgrid.targets import make_target


def made(name: str, **values: Any) -> Any:
    [resource] = make_target([], [{name: values}]).resources
    return resource


@pytest.mark.parametrize(
    "name", ["FleetLed", "FleetFrame", "FleetPhone", "FleetCurrent", "FleetTones", "FleetClock"]
)
def test_what_is_reached_by_http_has_a_url(name: str) -> None:
    assert made(name, url="http://127.0.0.1:1/x").url == "http://127.0.0.1:1/x"
    with pytest.raises((TypeError, InvalidConfigError)):
        made(name, url=1)
    with pytest.raises(InvalidConfigError):
        made(name)


def test_instruments_have_a_rate() -> None:
    assert made("FleetLed", url="http://x:1").rate_hz == 100.0
    assert made("FleetCurrent", url="http://x:1", rate_hz=10).rate_hz == 10.0


def test_a_model_is_a_name() -> None:
    assert made("FleetModel", profile="nvr").profile == "nvr"


def test_an_adc_has_channels() -> None:
    adc = made("FleetIioAdc", device="/nowhere", channels=[{"file": "in_voltage0_raw", "full": 9}])
    assert adc.channels == ({"file": "in_voltage0_raw", "full": 9},)


def test_a_gpio_line_has_a_number() -> None:
    line = made("FleetGpioLine", chip="/dev/gpiochip0", line=17)
    assert (line.line, line.active_low) == (17, False)
    with pytest.raises((TypeError, InvalidConfigError)):
        made("FleetGpioLine", chip="/dev/gpiochip0", line="17")
