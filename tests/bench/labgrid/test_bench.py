"""Which driver is which part of a bench, and what is said where there is none."""

from typing import Any

import pytest

from firmware_sim.bench.capabilities import Bench, Missing
from firmware_sim.bench.labgrid.bench import make_bench, model_of
from tests.bench.labgrid.targets import make_target

PARTS = {
    "power": "NetworkPowerDriver, DigitalOutputPowerDriver",
    "button": "FleetButtonDriver",
    "console": "SerialDriver",
    "led": "FleetLedDriver, FleetFeasaLedDriver, FleetAdcLedDriver",
    "camera": "FleetFrameDriver",
    "link": "FleetLinkDriver",
    "supply": "FleetCurrentDriver",
    "ear": "FleetToneDriver",
    "phone": "FleetPhoneDriver, FleetPromptPhoneDriver",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_missing_says_what_to_add(part: str) -> None:
    bench: Bench = make_bench(make_target([]))
    expected = rf"target 'main' in the env file \({PARTS[part]}\)"
    with pytest.raises(Missing, match=expected):
        getattr(bench, part)


def test_the_port_of_a_link_is_not_the_supply() -> None:
    link = {"FleetLinkDriver": {"bindings": {"output": "switch-port"}}}
    drivers = [{"TestPower": {}}, {"TestPower": {"name": "switch-port"}}, link]
    target = make_target(drivers)
    bench = make_bench(target)
    bench.power.on()
    bench.link.down()
    assert [driver.done for driver in target.drivers[:2]] == [["on"], ["off"]]


def test_of_two_the_one_with_the_name_of_the_part_is_it() -> None:
    target = make_target([{"TestPower": {"name": "lamp"}}, {"TestPower": {"name": "power"}}])
    make_bench(target).power.on()
    assert [driver.done for driver in target.drivers] == [[], ["on"]]


def test_of_two_without_such_a_name_none_is_guessed() -> None:
    target = make_target([{"TestPower": {"name": "lamp"}}, {"TestPower": {"name": "fan"}}])
    with pytest.raises(Missing, match=r"lamp.*fan.*: name the one for the supply 'power'"):
        make_bench(target).power.on()


def test_a_part_that_is_not_plugged_in() -> None:
    port = {"USBSerialPort": {"match": {"ID_SERIAL_SHORT": "none of that"}}}
    target = make_target([{"SerialDriver": {}}], [port])
    target.resources[0].timeout = 0.01
    with pytest.raises(Missing, match=r"SerialDriver\(target=main\): Not all resources"):
        _ = make_bench(target).console


def test_the_microphone_listens_from_the_start() -> None:
    target = make_target([{"TestClock": {}}, {"TestEar": {}}])
    make_bench(target)
    assert target.drivers[0].done == ["looked"]  # at the time


def test_the_console_is_open_before_there_is_power() -> None:
    target = make_target([{"TestPower": {}}, {"TestConsole": {}}])
    _ = make_bench(target).power
    assert target.get_active_driver("ConsoleProtocol") is target.drivers[1]


def test_a_console_that_is_not_there_does_not_keep_the_power_off() -> None:
    port = {"RawSerialPort": {"port": "/dev/serial/none"}}
    bench = make_bench(make_target([{"TestPower": {}}, {"SerialDriver": {}}], [port]))
    bench.power.on()
    with pytest.raises(OSError, match="/dev/serial/none"):
        _ = bench.console


def test_the_console_may_forget_what_was_before() -> None:
    target = make_target([{"TestConsole": {}}])
    [console] = target.drivers
    console.printed = b"long ago"
    make_bench(target).forget()
    assert console.printed == b""
    make_bench(make_target([])).forget()


def test_the_env_file_says_which_model_it_is() -> None:
    assert model_of(make_target([], [{"FleetModel": {"profile": "nvr"}}])) == "nvr"
    with pytest.raises(Missing, match="add FleetModel"):
        model_of(make_target([]))


def test_parts_are_made_once() -> None:
    target: Any = make_target([{"TestPower": {}}])
    bench = make_bench(target)
    assert bench.power is bench.power
    assert bench.clock is bench.clock
