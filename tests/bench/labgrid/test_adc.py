"""Photodiodes on an ADC: files as Linux has them, in a folder of the test's own."""

from pathlib import Path
from typing import Any

import pytest

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.reader.colours import RGB
from firmware_sim.errors import UsageError
from tests.bench.labgrid.targets import make_target

RED = {"file": "in_voltage0_raw", "colour": "red", "dark": 100, "full": 1100}
GREEN = {"file": "in_voltage1_raw", "colour": "green", "full": 1000}


def led(folder: Path, *channels: dict[str, Any]) -> Any:
    adc = {"FleetIioAdc": {"device": str(folder), "channels": channels, "rate_hz": 1000}}
    return make_target([{"FleetAdcLedDriver": {}}], [adc]).get_driver("LedProtocol")


def test_two_diodes_see_two_lamps(tmp_path: Path) -> None:
    (tmp_path / "in_voltage0_raw").write_text("600\n")
    (tmp_path / "in_voltage1_raw").write_text("0\n")
    trace = led(tmp_path, RED, GREEN).sample(0.02)
    assert len(trace.times_s) >= 1
    assert trace.rgb[0] == pytest.approx([0.5 * part for part in RGB["red"]])
    assert 0 <= trace.span_s < 0.02


def test_light_is_between_dark_and_full(tmp_path: Path) -> None:
    (tmp_path / "in_voltage0_raw").write_text("5000")
    (tmp_path / "in_voltage1_raw").write_text("-3")
    assert led(tmp_path, RED, GREEN).sample(0.005).rgb[0] == pytest.approx(RGB["red"])


def test_one_diode_without_a_filter_sees_white(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("500")
    trace = led(tmp_path, {"file": "raw", "full": 1000}).sample(0.005)
    assert trace.rgb[0].tolist() == [0.5, 0.5, 0.5]


def test_a_diode_may_read_less_in_the_light(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("100")
    trace = led(tmp_path, {"file": "raw", "dark": 1000, "full": 0}).sample(0.005)
    assert trace.rgb[0].tolist() == [0.9, 0.9, 0.9]


def test_no_time_is_no_sample(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("500")
    assert led(tmp_path, {"file": "raw", "full": 1000}).sample(0).rgb.shape == (0, 3)


def test_a_converter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no analogue-digital converter at"):
        led(tmp_path / "iio:device9", RED)


@pytest.mark.parametrize("text", ["", "much"])
def test_a_channel_without_a_reading(tmp_path: Path, text: str) -> None:
    if text:
        (tmp_path / "in_voltage0_raw").write_text(text)
    with pytest.raises(Missing, match="in_voltage0_raw has no reading"):
        led(tmp_path, RED).sample(0.005)


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        ({"file": "raw"}, "has the keys colour, dark, file, full"),
        ({**RED, "gain": 2}, "has the keys"),
        ({**RED, "colour": "infrared"}, "colours are red, green"),
        ({**RED, "dark": 1100}, "full is not dark"),
    ],
)
def test_a_channel_that_is_wrong(tmp_path: Path, channel: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        led(tmp_path, channel)
