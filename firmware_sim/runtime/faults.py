"""What can go wrong on the way from a device to its cloud: one frozen struct per fault.

A fault is a property of a link or of a socket in the wall, never a flag in a device. These are
declarations: each driver of devices plays them by its own means and takes the same structs, so a
plan of faults says the same in every world. Kinds overlap freely; of the same kind, the one that
ends last counts.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

DAY_MS = 24 * 3600 * 1000
Millis = Annotated[int, msgspec.Meta(ge=1, le=DAY_MS)]


class Fault(msgspec.Struct, frozen=True, gc=False, tag_field="kind"):
    """Base of all faults."""


class Lasting(Fault, frozen=True):
    """A fault that lies on the link for `for_ms`."""

    for_ms: Millis


class WifiGone(Lasting, frozen=True, tag="wifi_gone"):
    """The access point is heard no more: the association is lost, and no network is found."""


class CablePulled(Lasting, frozen=True, tag="cable_pulled"):
    """The Ethernet cable is out of its socket."""


class DhcpLate(Lasting, frozen=True, tag="dhcp_late"):
    """Who joins the network meanwhile gets an address `late_ms` later than usual."""

    late_ms: Millis


class DnsRefused(Lasting, frozen=True, tag="dns_refused"):
    """The names of the cloud cannot be resolved; connections that stand are not affected."""


class ConnectRefused(Lasting, frozen=True, tag="connect_refused"):
    """New connections to the cloud are refused; those that stand are not affected."""


class BlackHole(Lasting, frozen=True, tag="black_hole"):
    """No packet gets through to the cloud or back: new connections time out, others fall silent.

    What was said meanwhile arrives afterwards, if both ends are still there: TCP repeats it.
    """


class Slow(Lasting, frozen=True, tag="slow"):
    """Whatever is said to the cloud, and each answer, takes `latency_ms` longer."""

    latency_ms: Millis


class HalfOpen(Fault, frozen=True, tag="half_open"):
    """The connections that stand now die without a word, as when a router forgot them.

    For ever: whatever either end says is swallowed, and neither hears that the other hangs up.
    """


class PowerCut(Lasting, frozen=True, tag="power_cut"):
    """The supply voltage fails; it is back afterwards, where it was on or has been switched on."""


AnyFault = (
    WifiGone
    | CablePulled
    | DhcpLate
    | DnsRefused
    | ConnectRefused
    | BlackHole
    | Slow
    | HalfOpen
    | PowerCut
)


def concerns(fault: type[Fault], *, wired: bool) -> bool:
    """Say whether a fault of that kind means anything to a device with, or without, a cable."""
    only: dict[type[Fault], bool] = {WifiGone: not wired, CablePulled: wired}
    return only.get(fault, True)


def lies(kind: type[Fault], faults: Iterable[Fault]) -> bool:
    """Say whether one of that kind is among `faults`."""
    return any(type(fault) is kind for fault in faults)


def late_ms(faults: Iterable[Fault]) -> int:
    """Return by how much joining a network takes longer."""
    return max((fault.late_ms for fault in faults if type(fault) is DhcpLate), default=0)


def latency_ms(faults: Iterable[Fault]) -> int:
    """Return by how much each way to or from the cloud takes longer."""
    return max((fault.latency_ms for fault in faults if type(fault) is Slow), default=0)


def blocked(faults: Iterable[Fault]) -> bool:
    """Say whether no packet gets through at all."""
    return lies(BlackHole, faults)
