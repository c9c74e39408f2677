"""The LAN on a real wire: what fits, and the lines that give each device its own interface."""

import pytest

from firmware_sim.errors import UsageError
from fleet.lan import macvlan
from fleet.lan.arrangement import Kind, mac_of

LAN = macvlan.plan("hall", 2, "192.168.1.200/24")


def test_devices_come_first_and_then_the_cloud() -> None:
    assert (LAN.kind, LAN.network, LAN.broadcast_ip) == (
        Kind.MACVLAN,
        "192.168.1.0/24",
        "192.168.1.255",
    )
    assert (LAN.first_ip, LAN.last_ip, LAN.cloud_ip) == (
        "192.168.1.200",
        "192.168.1.201",
        "192.168.1.202",
    )


def test_each_has_an_interface_with_its_own_mac() -> None:
    common = "group 6668 netns hall type macvlan mode private"
    assert macvlan.steps(LAN, "eth7").outside == tuple(
        f"link add link eth7 name {name} address {mac_of(ip)} {common}"
        for name, ip in (
            ("cloud", "192.168.1.202"),
            ("d0", "192.168.1.200"),
            ("d1", "192.168.1.201"),
        )
    )


def test_each_sends_through_its_own_interface_and_only_the_clouds_takes_broadcasts() -> None:
    inside = macvlan.steps(LAN, "eth7").inside
    device = [line for line in inside if "d1" in line.split() or "192.168.1.201" in line]
    assert device == [
        "link set d1 up",
        "addr add 192.168.1.201/32 dev d1",
        "neigh add 192.168.1.255 lladdr ff:ff:ff:ff:ff:ff dev d1 nud permanent",
        "rule add pref 10000 from 192.168.1.201 lookup 1001",
        "route add 192.168.1.0/24 dev d1 src 192.168.1.201 table 1001",
        "route add broadcast 192.168.1.255 dev d1 src 192.168.1.201 table 1001",
    ]
    assert [line for line in inside if "iif" in line or "table 999" in line] == [
        "route add broadcast 192.168.1.255 dev cloud src 192.168.1.202 table 999",
        "rule add pref 20000 iif lo lookup 999",
        "rule add pref 20000 iif cloud lookup 999",
    ]


def test_arp_is_answered_by_the_owner_of_an_address_only() -> None:
    assert ("net/ipv4/conf/all/arp_ignore", "1") in macvlan.steps(LAN, "eth7").settings


@pytest.mark.parametrize(
    ("devices", "first", "message"),
    [
        (1, "192.168.1.300/24", "--first 192.168.1.300/24: .*use one such as"),
        (1, "192.168.1.0/24", "no device and cloud can have addresses from there on"),
        (1, "192.168.1.254/24", "no device and cloud"),
        (1, "192.168.1.200", "no device and cloud .* use one such as 192.168.1.200/24"),
        (1, "0.0.0.5/24", "--first 0.0.0.5/24: no host has such an address"),
        (1, "127.0.0.5/24", "no host has such an address"),
        (1, "224.0.0.5/24", "no host has such an address"),
        (1, "255.255.255.5/24", "no host has such an address"),
        (55, "192.168.1.200/24", "--devices 55: from 192.168.1.200/24 on there is room for 54"),
        (1001, "10.0.0.1/8", "there is room for 1000"),
    ],
)
def test_what_is_no_lan(devices: int, first: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        macvlan.plan("hall", devices, first)


def test_the_largest_one_ends_before_the_broadcast_address() -> None:
    assert macvlan.plan("hall", 54, "192.168.1.200/24").cloud_ip == "192.168.1.254"
