"""A GPIO line: taken, switched and given back as libgpiod's bindings want it."""

import sys
import types
from enum import Enum
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from tests.bench.labgrid.targets import make_target

LINE = {"chip": "/dev/gpiochip0", "line": 17, "active_low": True}


class Value(Enum):
    INACTIVE = 0
    ACTIVE = 1


class Request:
    def __init__(self) -> None:
        self.done: list[Any] = []

    def set_value(self, line: int, value: Value) -> None:
        self.done.append((line, value))

    def get_value(self, line: int) -> Value:
        return Value(self.done[-1] == (line, Value.ACTIVE))

    def release(self) -> None:
        self.done.append("released")


@pytest.fixture
def request_(monkeypatch: pytest.MonkeyPatch) -> Request:
    """Return the request for lines that is made next; the package is a stand-in."""
    made = Request()
    gpiod: Any = types.ModuleType("gpiod")
    gpiod.line = types.SimpleNamespace(Value=Value, Direction=types.SimpleNamespace(OUTPUT="out"))
    gpiod.LineSettings = lambda **values: values

    def request_lines(chip: str, config: dict[int, Any], consumer: str) -> Request:
        if chip != "/dev/gpiochip0":
            raise FileNotFoundError(2, "No such file")
        made.done.append((config, consumer))
        return made

    gpiod.request_lines = request_lines
    monkeypatch.setitem(sys.modules, "gpiod", gpiod)
    return made


def test_a_line_is_off_until_it_is_switched(request_: Request) -> None:
    target = make_target([{"FleetGpiodOutputDriver": {}}], [{"FleetGpioLine": LINE}])
    output = target.get_driver("DigitalOutputProtocol")
    settings = {"direction": "out", "output_value": Value.INACTIVE, "active_low": True}
    assert request_.done == [({17: settings}, "fleet bench")]
    output.set(True)
    assert output.get()
    output.set(False)
    assert not output.get()
    target.deactivate(output)
    assert request_.done[1:] == [(17, Value.ACTIVE), (17, Value.INACTIVE), "released"]


@pytest.mark.usefixtures("request_")
def test_a_chip_that_is_not_there() -> None:
    line = {**LINE, "chip": "/dev/gpiochip9"}
    target = make_target([{"FleetGpiodOutputDriver": {}}], [{"FleetGpioLine": line}])
    with pytest.raises(UsageError, match="line 17 of /dev/gpiochip9 cannot be used"):
        target.get_driver("DigitalOutputProtocol")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    target = make_target([{"FleetGpiodOutputDriver": {}}], [{"FleetGpioLine": LINE}])
    with pytest.raises(UsageError, match="needs the package gpiod"):
        target.get_driver("DigitalOutputProtocol")
