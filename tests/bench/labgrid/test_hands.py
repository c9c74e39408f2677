"""Button and link: which output is which has to be said, and then it is switched."""

from typing import Any

import pytest
from labgrid.binding import BindingError
from labgrid.exceptions import NoSupplierFoundError

from tests.bench.labgrid.targets import make_target

TWO = [
    {"TestOutput": {"name": "one"}},
    {"TestOutput": {"name": "two"}},
    {"TestPower": {"name": "x"}},
]


def driver(name: str, protocol: str, output: str, **values: Any) -> tuple[Any, Any]:
    """Return a driver on one of several outputs, and that output."""
    own = {name: {"bindings": {"output": output}, **values}}
    target = make_target([*TWO, own])
    [used] = [one for one in target.drivers if one.name == output]
    return target.get_driver(protocol), used


def test_a_finger_closes_the_contact() -> None:
    button, output = driver("FleetButtonDriver", "ButtonProtocol", "two")
    button.press()
    button.release()
    assert output.done == [True, False]


def test_a_link_on_an_output() -> None:
    link, output = driver("FleetLinkDriver", "LinkProtocol", "one")
    link.down()
    link.up()
    assert output.done == [False, True]


def test_a_link_on_an_output_that_breaks_it() -> None:
    link, output = driver("FleetLinkDriver", "LinkProtocol", "one", inverted=True)
    link.down()
    link.up()
    assert output.done == [True, False]


def test_a_link_on_a_port_with_a_supply() -> None:
    link, output = driver("FleetLinkDriver", "LinkProtocol", "x")
    link.down()
    link.up()
    assert output.done == ["off", "on"]


@pytest.mark.parametrize("name", ["FleetButtonDriver", "FleetLinkDriver"])
def test_no_output_is_guessed(name: str) -> None:
    with pytest.raises(BindingError, match="requires an explicit name"):
        make_target([{"TestOutput": {}}, {name: {}}])
    with pytest.raises(NoSupplierFoundError, match="three"):
        make_target([*TWO, {name: {"bindings": {"output": "three"}}}])
