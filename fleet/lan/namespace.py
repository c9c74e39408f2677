"""A LAN inside this host: a network namespace, and a veth pair between it and everybody else here.

The devices have no interface of their own. Routes of type `local` make the kernel answer for every
address of a block (AnyIP), so 10,000 devices take a dozen routes, and all have the MAC of the one
interface. Clients need no change: they run on this host and reach the devices through `host_ip`.
"""

from ipaddress import IPv4Network

import msgspec

from firmware_sim.errors import UsageError
from fleet.lan.arrangement import Arrangement, Kind, mac_of

DEVICES_MAX = 60_000
INTERFACE = "lan0"  # the end in the namespace
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))  # RFC 1918
_HOST, _CLOUD, _FIRST = 1, 2, 10  # addresses, counted from that of the network


class Steps(msgspec.Struct, frozen=True):
    """What makes a LAN, once its namespace exists, in this order.

    `settings` are paths below /proc/sys and their values, in the namespace; `outside` and `inside`
    are lines for `ip -batch`.
    """

    settings: tuple[tuple[str, str], ...]
    outside: tuple[str, ...]
    inside: tuple[str, ...]


# Cameras of this kind speak IPv4 only; nothing else should speak for them.
NO_IPV6 = tuple((f"net/ipv6/conf/{which}/disable_ipv6", "1") for which in ("all", "default"))


def plan(name: str, devices: int, network: str) -> Arrangement:
    """Return the LAN of that many devices in `network` (as in 10.77.0.0/16).

    Raises UsageError when they do not fit, or `network` is none for private use.
    """
    try:
        whole = IPv4Network(network)
    except ValueError as error:
        raise UsageError(f"--network {network}: {error}; use one such as 10.77.0.0/16") from None
    if not any(whole.subnet_of(each) for each in PRIVATE):
        raise UsageError(f"--network {network} is no private network; use one such as 10.77.0.0/16")
    room = min(DEVICES_MAX, whole.num_addresses - _FIRST - 1)
    if devices > room:
        raise UsageError(f"--devices {devices}: {network} has room for {max(room, 0)}")
    return Arrangement(
        name=name,
        kind=Kind.VETH,
        network=network,
        cloud_ip=str(whole[_CLOUD]),
        first_ip=str(whole[_FIRST]),
        devices_max=devices,
    )


def host_ip(lan: Arrangement) -> str:
    """Return the address that this host has on the LAN."""
    return str(IPv4Network(lan.network)[_HOST])


def host_interface(name: str) -> str:
    """Return the end of the veth pair that stays outside."""
    return f"fl-{name}"


def steps(lan: Arrangement) -> Steps:
    """Return what makes the LAN.

    Outside, the devices are routed through the cloud's address: one neighbour instead of
    thousands, which the neighbour table of a host would not hold.
    """
    host, bits = host_interface(lan.name), IPv4Network(lan.network).prefixlen
    peer = f"{INTERFACE} address {mac_of(lan.cloud_ip)} netns {lan.name}"
    return Steps(
        settings=NO_IPV6,
        outside=(
            f"link add {host} address {mac_of(host_ip(lan))} type veth peer name {peer}",
            f"addr add {host_ip(lan)}/{bits} brd {lan.broadcast_ip} dev {host}",
            f"link set {host} up",
            *(f"route add {block} via {lan.cloud_ip} dev {host}" for block in lan.blocks()),
        ),
        inside=(
            "link set lo up",
            f"addr add {lan.cloud_ip}/{bits} brd {lan.broadcast_ip} dev {INTERFACE}",
            f"link set {INTERFACE} up",
            *(f"route add local {block} dev lo" for block in lan.blocks()),
        ),
    )
