"""Where the devices of one LAN live: its network, and the address and MAC of everything in it.

One small struct for three arrangements, so that nobody else needs to know which one it is: loopback
(no set-up, no root), a network namespace that this host reaches through a veth pair, and one
macvlan interface per device on a real LAN.
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, summarize_address_range

import msgspec

from firmware_sim.errors import UsageError


class Kind(StrEnum):
    """How the devices get their addresses."""

    LOOPBACK = "loopback"
    VETH = "veth"
    MACVLAN = "macvlan"


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """One LAN. Device `i` has the address `first_ip` + i; all addresses are dotted quads.

    `name` is that of the network namespace, "" on loopback. The cloud listens on `cloud_ip`.
    """

    name: str
    kind: Kind
    network: str  # as in 10.77.0.0/16
    cloud_ip: str
    first_ip: str
    devices_max: int

    @property
    def broadcast_ip(self) -> str:
        """Return the address that everything on this LAN hears.

        On loopback that is the one of 127.0.0.0/8: no route exists for the broadcast address of a
        part of it.
        """
        if self.kind is Kind.LOOPBACK:
            return "127.255.255.255"
        return str(IPv4Network(self.network).broadcast_address)

    @property
    def last_ip(self) -> str:
        """Return the address of the last device."""
        return str(IPv4Address(self.first_ip) + self.devices_max - 1)

    def address(self, index: int) -> str:
        """Return the address of device `index`; raises UsageError beyond `devices_max`."""
        if not 0 <= index < self.devices_max:
            raise UsageError(
                f"{self.title} has addresses for {self.devices_max} devices, not for {index + 1}"
            )
        return str(IPv4Address(self.first_ip) + index)

    @property
    def title(self) -> str:
        """Return what to call it in a message."""
        return f"LAN {self.name}" if self.name else "one run on loopback"

    @property
    def reach(self) -> str:
        """Return who can connect to the devices and to the cloud of this LAN."""
        return {
            Kind.LOOPBACK: "this host reaches them, and nobody else",
            Kind.VETH: "this host reaches them; others do only if it forwards for them",
            Kind.MACVLAN: "everybody on that network reaches them, but for this host itself; "
            "they ask for passwords and keys, which follow from --seed",
        }[self.kind]

    def blocks(self) -> tuple[str, ...]:
        """Return the fewest networks that hold all devices and nothing else."""
        first, last = IPv4Address(self.first_ip), IPv4Address(self.last_ip)
        return tuple(str(block) for block in summarize_address_range(first, last))


def mac_of(ip: str) -> str:
    """Return the MAC of whoever has the address `ip` (dotted quad) in any arrangement.

    Locally administered, so it belongs to no vendor, and as unique as the address is.
    """
    return "02:00:" + IPv4Address(ip).packed.hex(":")
