"""Addresses and MACs of a LAN."""

from ipaddress import IPv4Address, IPv4Network

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.lan.arrangement import Arrangement, Kind, mac_of

LAN = Arrangement(
    name="shop",
    kind=Kind.VETH,
    network="10.77.0.0/16",
    cloud_ip="10.77.0.2",
    first_ip="10.77.0.250",
    devices_max=10,
)


def test_devices_are_numbered_from_the_first_address_on() -> None:
    assert [LAN.address(index) for index in (0, 5, 9)] == [
        "10.77.0.250",
        "10.77.0.255",
        LAN.last_ip,
    ]
    assert LAN.last_ip == "10.77.1.3"
    assert LAN.broadcast_ip == "10.77.255.255"


@pytest.mark.parametrize("index", [-1, 10])
def test_there_is_no_address_beyond(index: int) -> None:
    with pytest.raises(UsageError, match=f"for 10 devices, not for {index + 1}$"):
        LAN.address(index)


def test_where_strangers_reach_a_fleet_it_says_what_they_are_asked_for() -> None:
    outside = msgspec.structs.replace(LAN, kind=Kind.MACVLAN)
    assert "passwords and keys, which follow from --seed" in outside.reach
    assert "seed" not in LAN.reach


def test_blocks_hold_all_devices_and_nobody_else() -> None:
    held = [str(ip) for block in LAN.blocks() for ip in IPv4Network(block)]
    assert held == [LAN.address(index) for index in range(10)]
    assert len(LAN.blocks()) < len(held)


def test_a_mac_is_locally_administered_and_as_unique_as_the_address() -> None:
    assert mac_of("10.77.0.255") == "02:00:0a:4d:00:ff"
    macs = {mac_of(str(IPv4Address("10.77.255.0") + n)) for n in range(1000)}
    assert len(macs) == 1000
    assert {int(mac[:2], 16) & 3 for mac in macs} == {2}, "no vendor's, and not a group"
