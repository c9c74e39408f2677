"""What can go wrong around a device, on its ways to cloud and phones: one frozen struct per fault.

A fault is a property of a link, a clock or a socket in the wall, never a flag in a device. These are
declarations: each driver of devices plays them by its own means and takes the same structs, so a
plan of faults says the same in every world. Kinds overlap freely; of the same kind the worst counts.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from firmware_sim.rng import Rng

DAY_MS = 24 * 3600 * 1000
SKEW_S_MAX = 366 * 24 * 3600
LOSS_PCT_MAX = 90
RESEND_MS = 1000
"""After this time TCP sends again what nobody has acknowledged, then after twice as long, and so on
(RFC 6298, sections 2.4 and 5.5)."""
RESENDS_MAX = 5  # in a row; the sixth copy gets through
Millis = Annotated[int, msgspec.Meta(ge=1, le=DAY_MS)]
Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Fault(msgspec.Struct, frozen=True, gc=False, tag_field="kind"):
    """Base of all faults."""


class Lasting(Fault, frozen=True):
    """A fault that lies there for `for_ms`."""

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


class Loss(Lasting, frozen=True, tag="loss"):
    """Of all packets of the device, to and from cloud and phones, `loss_pct` are lost.

    A datagram is gone. A segment of TCP is sent again, and so it is late (`RESEND_MS`), and what
    comes after it on that connection waits for it.
    """

    loss_pct: Annotated[int, msgspec.Meta(ge=1, le=LOSS_PCT_MAX)]


class Duplicate(Lasting, frozen=True, tag="duplicate"):
    """Of the datagrams that it says or hears on the LAN, `duplicate_pct` arrive twice."""

    duplicate_pct: Percent


class Reorder(Lasting, frozen=True, tag="reorder"):
    """The datagrams that it says or hears on the LAN take up to `reorder_ms` longer.

    Each takes its own time, so later ones overtake earlier ones.
    """

    reorder_ms: Millis


class Partition(Lasting, frozen=True, tag="partition"):
    """No packet gets through between the device and the phones of its LAN; its cloud is in reach.

    Datagrams are gone. What was said on a connection meanwhile arrives afterwards, as TCP repeats it.
    """


class ClockSkew(Lasting, frozen=True, tag="clock_skew"):
    """The device's clock is ahead of everybody's by `skew_s`, or behind where that is negative.

    It goes on at its pace, and is right again afterwards. Of several, the one that began last counts.
    """

    skew_s: Annotated[int, msgspec.Meta(ge=-SKEW_S_MAX, le=SKEW_S_MAX)]


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
    | Loss
    | Duplicate
    | Reorder
    | Partition
    | ClockSkew
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


def skew_ms(faults: Iterable[Fault]) -> int:
    """Return how far the device's clock is ahead; negative: behind."""
    skews_s = [fault.skew_s for fault in faults if type(fault) is ClockSkew]
    return 1000 * skews_s[-1] if skews_s else 0


# --- to the cloud and back ----------------------------------------------------------------------


def blocked(faults: Iterable[Fault]) -> bool:
    """Say whether no packet gets through to the cloud at all."""
    return lies(BlackHole, faults)


def latency_ms(faults: Iterable[Fault]) -> int:
    """Return by how much each way to or from the cloud takes longer."""
    return max((fault.latency_ms for fault in faults if type(fault) is Slow), default=0)


def impairs(faults: Iterable[Fault]) -> bool:
    """Say whether anything passes otherwise than on a healthy way to the cloud."""
    return any(type(fault) in _ON_THE_WAY for fault in faults)


def segment_ms(faults: Iterable[Fault], rng: Rng) -> int:
    """Return by how much the next segment on its way to or from the cloud is late."""
    return latency_ms(faults) + resend_ms(faults, rng)


def connect_ms(faults: Iterable[Fault], trips: int, rng: Rng) -> int:
    """Return by how much connecting to the cloud takes longer, with so many `trips` there and back."""
    return sum(segment_ms(faults, rng) for _ in range(2 * trips))


def resend_ms(faults: Iterable[Fault], rng: Rng) -> int:
    """Return how long a segment is late because copies of it were lost."""
    loss_pct = _loss_pct(faults)
    late = 0
    if loss_pct:
        for resend in range(RESENDS_MAX):
            if rng.below(100) >= loss_pct:
                break
            late += RESEND_MS << resend
    return late


# --- to phones and back -------------------------------------------------------------------------


def parted(faults: Iterable[Fault]) -> bool:
    """Say whether no packet gets through between the device and the phones of its LAN."""
    return lies(Partition, faults)


def copies_ms(faults: Iterable[Fault], rng: Rng) -> tuple[int, ...]:
    """Return by how much each copy of a datagram on the LAN is late that arrives; () is none."""
    if parted(faults):
        return ()
    loss_pct = _loss_pct(faults)
    twice_pct = max((f.duplicate_pct for f in faults if type(f) is Duplicate), default=0)
    up_to_ms = max((f.reorder_ms for f in faults if type(f) is Reorder), default=0)
    if loss_pct and rng.below(100) < loss_pct:
        return ()
    count = 2 if twice_pct and rng.below(100) < twice_pct else 1
    return tuple(rng.below(up_to_ms + 1) if up_to_ms else 0 for _ in range(count))


def _loss_pct(faults: Iterable[Fault]) -> int:
    return max((fault.loss_pct for fault in faults if type(fault) is Loss), default=0)


_ON_THE_WAY = (BlackHole, Slow, Loss)
