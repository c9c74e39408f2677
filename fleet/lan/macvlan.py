"""A LAN outside this host: every device on the wire of a real interface, with a MAC of its own.

Each device gets a macvlan interface, and all of them live in one network namespace. A host with
many interfaces on one wire would answer for any of its addresses on each of them, and send all
through the first; so ARP is answered by the owner of an address only, and a rule per device routes
by source address. Mode `private`: devices never hear each other through their interfaces, or one
broadcast of each would cost as many copies as there are devices.
"""

from collections.abc import Iterator
from ipaddress import IPv4Interface

from firmware_sim.errors import UsageError
from fleet.lan.arrangement import Arrangement, Kind, mac_of
from fleet.lan.namespace import NO_IPV6, Steps

DEVICES_MAX = 1000  # the kernel looks through the rules one by one, for each packet
GROUP = 6668  # of links: all of them can be removed by one command
CLOUD = "cloud"  # the interface whose address is the cloud's
EVERYONE = "ff:ff:ff:ff:ff:ff"
_TABLE = 1000  # of the first device
_CLOUD_TABLE = 999
_LOWEST = 1 << 24  # 0.x.y.z means "this network"
_DEVICE_RULE, _CLOUD_RULE = 10_000, 20_000  # priorities, before that of the main table

_SETTINGS = (
    *NO_IPV6,
    # The answer to a client is not looked for on the interface where the client would be found.
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/all/arp_ignore", "1"),
    # The broadcast address is in no table that `bind` looks at, see `steps`.
    ("net/ipv4/ip_nonlocal_bind", "1"),
)


def plan(name: str, devices: int, first: str) -> Arrangement:
    """Return the LAN of devices from `first` on (as in 192.168.1.200/24); then comes the cloud.

    Raises UsageError when there are too many for their network.
    """
    try:
        start = IPv4Interface(first)
    except ValueError as error:
        raise UsageError(f"--first {first}: {error}; use one such as 192.168.1.200/24") from None
    network = start.network
    room = int(network.broadcast_address) - int(start.ip) - 1  # one address is the cloud's
    if start.ip == network.network_address or room < 1:
        raise UsageError(
            f"--first {first}: no device and cloud can have addresses from there on; "
            "use one such as 192.168.1.200/24"
        )
    if int(start.ip) < _LOWEST or start.is_loopback or start.is_multicast or start.is_reserved:
        raise UsageError(f"--first {first}: no host has such an address")
    if devices > min(room, DEVICES_MAX):
        raise UsageError(
            f"--devices {devices}: from {first} on there is room for {min(room, DEVICES_MAX)}"
        )
    return Arrangement(
        name=name,
        kind=Kind.MACVLAN,
        network=str(network),
        cloud_ip=str(start.ip + devices),
        first_ip=str(start.ip),
        devices_max=devices,
    )


def steps(lan: Arrangement, parent: str) -> Steps:
    """Return what makes the LAN on the wire of interface `parent`.

    Addresses have no network of their own (/32), so the kernel makes no routes for them: its table
    `local`, which comes before all rules, would send the broadcasts of all devices through the
    first interface. What the kernel then does not know is said: how a broadcast is framed.
    """
    owners = [(CLOUD, lan.cloud_ip)]
    owners += [(f"d{index}", lan.address(index)) for index in range(lan.devices_max)]
    return Steps(
        settings=_SETTINGS,
        outside=tuple(
            f"link add link {parent} name {interface} address {mac_of(ip)} group {GROUP} "
            f"netns {lan.name} type macvlan mode private"
            for interface, ip in owners
        ),
        inside=(
            "link set lo up",
            *(line for interface, ip in owners for line in _interface(lan, interface, ip)),
            *_cloud_routes(lan),
            *(line for index in range(lan.devices_max) for line in _device_routes(lan, index)),
        ),
    )


def _interface(lan: Arrangement, interface: str, ip: str) -> Iterator[str]:
    yield f"link set {interface} up"
    yield f"addr add {ip}/32 dev {interface}"
    yield f"neigh add {lan.broadcast_ip} lladdr {EVERYONE} dev {interface} nud permanent"


def _cloud_routes(lan: Arrangement) -> Iterator[str]:
    """Yield the routes of everybody but the devices; broadcasts come in here only, once."""
    yield f"route add {lan.network} dev {CLOUD} src {lan.cloud_ip}"
    yield _broadcast_route(lan, CLOUD, lan.cloud_ip, _CLOUD_TABLE)
    for interface in ("lo", CLOUD):
        yield f"rule add pref {_CLOUD_RULE} iif {interface} lookup {_CLOUD_TABLE}"


def _device_routes(lan: Arrangement, index: int) -> Iterator[str]:
    interface, ip, table = f"d{index}", lan.address(index), _TABLE + index
    yield f"rule add pref {_DEVICE_RULE} from {ip} lookup {table}"
    yield f"route add {lan.network} dev {interface} src {ip} table {table}"
    yield _broadcast_route(lan, interface, ip, table)


def _broadcast_route(lan: Arrangement, interface: str, ip: str, table: int) -> str:
    return f"route add broadcast {lan.broadcast_ip} dev {interface} src {ip} table {table}"
