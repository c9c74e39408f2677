"""Addresses that one run holds and no other."""

import socket
from ipaddress import IPv4Address, IPv4Network

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.lan import addresses
from fleet.lan.addresses import HOSTS_MAX, AddressBlock
from fleet.lan.namespace import plan


def test_two_runs_never_share_addresses() -> None:
    with AddressBlock() as one, AddressBlock() as other:
        assert one.address(0) != other.address(0)
        assert one.lan.network != other.lan.network
        taken = one.address(0)
    with AddressBlock() as again:
        assert again.address(0) == taken


def test_every_device_has_an_address_that_works() -> None:
    with AddressBlock() as block:
        network = IPv4Network(block.lan.network)
        for index in (0, 997, HOSTS_MAX - 1):
            assert IPv4Address(block.address(index)) in network
            with socket.socket() as device:
                device.bind((block.address(index), 0))
        assert block.lan.broadcast_ip == "127.255.255.255"
        with pytest.raises(UsageError, match="one run on loopback has addresses for 62500"):
            block.address(HOSTS_MAX)


def test_no_block_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with AddressBlock() as block:
        number = int(block.address(0).split(".")[1])
        monkeypatch.setattr(addresses, "_FIRST", number)
        monkeypatch.setattr(addresses, "_LAST", number)
        with pytest.raises(UsageError, match="no free loopback addresses"):
            AddressBlock()


def test_a_lan_is_held_by_one_run_at_a_time() -> None:
    lan = msgspec.structs.replace(plan("shop", 3, "10.77.0.0/16"), cloud_ip="127.240.8.2")
    with AddressBlock(lan) as block:
        assert (block.lan, block.address(2)) == (lan, "10.77.0.12")
        with pytest.raises(UsageError, match=r"LAN shop is held by another run \(Address already"):
            AddressBlock(lan)
    AddressBlock(lan).close()
