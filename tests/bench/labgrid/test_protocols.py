"""Protocols: an env file names drivers, a script names none of them."""

import pytest

from firmware_sim.bench.labgrid import protocols
from tests.bench.labgrid.targets import make_target

OURS = [name for name in vars(protocols) if name.endswith("Protocol")]


def test_labgrid_finds_drivers_by_our_protocols() -> None:
    target = make_target([{"TestLed": {}}, {"TestPhone": {}}])
    assert type(target.get_driver("LedProtocol")).__name__ == "TestLed"
    assert type(target.get_driver("PhoneProtocol")).__name__ == "TestPhone"


@pytest.mark.parametrize("name", OURS)
def test_a_protocol_is_nothing_by_itself(name: str) -> None:
    assert len(OURS) == 8
    with pytest.raises(TypeError, match="abstract"):
        getattr(protocols, name)()
