"""The LAN inside this host: what fits into it, and the lines that make it."""

import pytest

from firmware_sim.errors import UsageError
from fleet.lan import namespace
from fleet.lan.arrangement import Kind


def test_the_lan_with_its_host_its_cloud_and_its_devices() -> None:
    lan = namespace.plan("shop", 10_000, "10.77.0.0/16")
    assert (lan.name, lan.kind, lan.network) == ("shop", Kind.VETH, "10.77.0.0/16")
    assert (namespace.host_ip(lan), lan.cloud_ip) == ("10.77.0.1", "10.77.0.2")
    assert (lan.first_ip, lan.last_ip) == ("10.77.0.10", "10.77.39.25")


def test_the_lines_that_make_it() -> None:
    steps = namespace.steps(namespace.plan("shop", 4, "192.168.9.0/24"))
    ends = ("fl-shop address 02:00:c0:a8:09:01", "lan0 address 02:00:c0:a8:09:02")
    assert steps.outside == (
        f"link add {ends[0]} type veth peer name {ends[1]} netns shop",
        "addr add 192.168.9.1/24 brd 192.168.9.255 dev fl-shop",
        "link set fl-shop up",
        "route add 192.168.9.10/31 via 192.168.9.2 dev fl-shop",
        "route add 192.168.9.12/31 via 192.168.9.2 dev fl-shop",
    )
    assert steps.inside == (
        "link set lo up",
        "addr add 192.168.9.2/24 brd 192.168.9.255 dev lan0",
        "link set lan0 up",
        "route add local 192.168.9.10/31 dev lo",
        "route add local 192.168.9.12/31 dev lo",
    )
    assert all("ipv6" in path for path, _ in steps.settings)


def test_many_devices_take_few_lines() -> None:
    steps = namespace.steps(namespace.plan("shop", 10_000, "10.77.0.0/16"))
    assert len(steps.outside) + len(steps.inside) < 50


@pytest.mark.parametrize(
    ("devices", "network", "message"),
    [
        (1, "10.77.0.1/16", "has host bits set; use one such as"),
        (1, "the-net", "--network the-net: "),
        (1, "8.8.0.0/16", "is no private network"),
        (1, "127.16.0.0/16", "is no private network"),
        (1, "240.0.0.0/4", "is no private network"),
        (1, "0.1.0.0/16", "is no private network"),
        (246, "192.168.9.0/24", "--devices 246: 192.168.9.0/24 has room for 245"),
        (1, "192.168.9.0/30", "has room for 0"),
        (60_001, "10.0.0.0/8", "has room for 60000"),
    ],
)
def test_what_is_no_lan(devices: int, network: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        namespace.plan("shop", devices, network)


def test_the_largest_one_ends_before_the_broadcast_address() -> None:
    assert namespace.plan("shop", 245, "192.168.9.0/24").last_ip == "192.168.9.254"
