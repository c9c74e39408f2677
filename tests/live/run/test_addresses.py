import socket

import pytest

from firmware_sim.errors import UsageError
from fleet.run import addresses
from fleet.run.addresses import HOSTS_MAX, AddressBlock


def test_two_runs_never_share_addresses() -> None:
    with AddressBlock() as one, AddressBlock() as other:
        assert one.address(0) != other.address(0)
        assert one.address(0).split(".")[2:] == ["1", "1"]
        taken = one.address(0)
    with AddressBlock() as again:
        assert again.address(0) == taken


def test_every_device_has_an_address_that_works() -> None:
    with AddressBlock() as block:
        found = {block.address(index) for index in range(0, HOSTS_MAX, 997)}
        assert len(found) == len(range(0, HOSTS_MAX, 997))
        for index in (0, HOSTS_MAX - 1):
            with socket.socket() as device:
                device.bind((block.address(index), 0))
        with pytest.raises(UsageError, match="one run has addresses for"):
            block.address(HOSTS_MAX)


def test_no_block_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with AddressBlock() as block:
        number = int(block.address(0).split(".")[1])
        monkeypatch.setattr(addresses, "_FIRST", number)
        monkeypatch.setattr(addresses, "_LAST", number)
        with pytest.raises(UsageError, match="no free loopback addresses"):
            AddressBlock()
