"""The `[[faults]]` of a scenario: what is to go wrong, when, for how long, and for how many devices.

A table is checked as a whole before anything starts; what is wrong with it is one line. What a
fault does is declared in `firmware_sim/runtime/faults.py`; the outage of the cloud is the only one
that no device has to itself.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import AnyFault, Fault

Seconds = Annotated[float, Meta(ge=0, le=24 * 3600)]
Share = Annotated[int, Meta(ge=1, le=100)]
Kind = Literal[
    "wifi_gone",
    "cable_pulled",
    "dhcp_late",
    "dns_refused",
    "connect_refused",
    "black_hole",
    "slow",
    "half_open",
    "power_cut",
    "cloud_down",
]
During = Literal["start", "home", "return", "reset", "unbind", "rebind", "stay", "always"]
State = Literal[
    "any",
    "booting",
    "waiting",
    "joining",
    "activating",
    "rejoining",
    "online",
    "resetting",
    "failed",
]
CLOUD_DOWN: Final = "cloud_down"
ALWAYS = "always"
REBIND = "rebind"
ANY: Final = "any"
KINDS: Mapping[str, type[Fault]] = {
    "wifi_gone": faults.WifiGone,
    "cable_pulled": faults.CablePulled,
    "dhcp_late": faults.DhcpLate,
    "dns_refused": faults.DnsRefused,
    "connect_refused": faults.ConnectRefused,
    "black_hole": faults.BlackHole,
    "slow": faults.Slow,
    "half_open": faults.HalfOpen,
    "power_cut": faults.PowerCut,
}
EVERY_S_MIN = 0.1
SHRUNK_S_MIN = 1.0
_NOT_OF_A_DEVICE = ("share_pct", "within_s", "state")
_OF_ONE_KIND = {"latency_ms": "slow", "late_s": "dhcp_late", "by": CLOUD_DOWN}


class FaultTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of fault.

    It begins `at_s` after its phase has, and then `every_s` until the phase ends (0: once); what
    befalls new owners' devices once begins when each of them is taken home. Each time a `share_pct` of the devices is struck, each at its own moment `within_s` of that time.
    With a `state` it strikes a device when it first enters that state, `within_s` of it. It lasts
    `for_s`; where it `shrinks`, proportionally less in a smaller fleet. Who is struck at which
    moment follows from the seed and from `dice`, or from the table's place if that is 0.
    """

    kind: Kind
    during: During
    for_s: Seconds = 0.0
    at_s: Seconds = 0.0
    every_s: Seconds = 0.0
    within_s: Seconds = 0.0
    state: State = ANY
    share_pct: Share = 100
    latency_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    late_s: Annotated[float, Meta(ge=0, le=600)] = 0.0
    by: Literal["kill", "stop"] = "kill"
    shrinks: bool = False
    dice: Annotated[int, Meta(ge=0, le=1_000_000)] = 0

    def length_s(self, size: float) -> float:
        """Return how long it lasts in a fleet of `size`, as a part of the scenario's own."""
        if not self.shrinks or size >= 1:
            return self.for_s
        return min(self.for_s, max(SHRUNK_S_MIN, self.for_s * size))

    def fault(self, size: float) -> AnyFault:
        """Return what befalls a device; not for an outage of the cloud."""
        raw = {"kind": self.kind, "for_ms": round(1000 * self.length_s(size))}
        raw |= {"latency_ms": self.latency_ms, "late_ms": round(1000 * self.late_s)}
        known = {field.name for field in msgspec.structs.fields(KINDS[self.kind])} | {"kind"}
        fault: AnyFault = msgspec.convert({k: raw[k] for k in raw if k in known}, AnyFault)
        return fault


def mistake(tables: tuple[FaultTable, ...], *, unbind: bool) -> str | None:
    """Return what is wrong with one of the tables in a scenario that unbinds or does not."""
    for number, table in enumerate(tables):
        for key, fault in complaints(table, unbind=unbind):
            return f"faults[{number}].{key}: {fault}"
    return None


def complaints(table: FaultTable, *, unbind: bool) -> "Complaints":
    """Yield what is wrong with a table: a key, and what is the matter with it."""
    absent = ("stay",) if unbind else ("return", "reset", "unbind", "rebind")
    for check in _CHECKS:
        yield from check(table, absent)


Complaints = Iterator[tuple[str, str]]  # key, what is wrong
Phases = tuple[str, ...]


def _length(table: FaultTable, _: Phases) -> Complaints:
    if table.kind == "half_open":
        if table.for_s:
            yield "for_s", "half_open is for ever; allowed: 0"
    elif table.for_s < 0.001:
        yield "for_s", f"{table.kind} has to last some time; allowed: from 0.001"


def _own_keys(table: FaultTable, _: Phases) -> Complaints:
    defaults = {field.name: field.default for field in msgspec.structs.fields(FaultTable)}
    for key, kind in _OF_ONE_KIND.items():
        if table.kind != kind and getattr(table, key) != defaults[key]:
            yield key, f"means nothing to {table.kind}, it is a key of {kind}"
    if table.kind == "slow" and not table.latency_ms:
        yield "latency_ms", "slow needs one; allowed: a whole number from 1 to 60000"
    if table.kind == "dhcp_late" and table.late_s < 0.001:
        yield "late_s", "dhcp_late needs one; allowed: from 0.001 to 600"
    if table.kind == CLOUD_DOWN:
        for key in _NOT_OF_A_DEVICE:
            if getattr(table, key) != defaults[key]:
                yield key, "means nothing to cloud_down, which strikes all devices"


def _repetition(table: FaultTable, _: Phases) -> Complaints:
    if 0 < table.every_s < EVERY_S_MIN:
        yield "every_s", f"{table.every_s:g} is too often; allowed: 0 or from {EVERY_S_MIN:g}"
    if table.every_s and table.state != ANY:
        yield "every_s", "a device enters a state when it does; allowed with state: 0"
    if table.at_s and table.state != ANY:
        yield "at_s", "a device enters a state when it does; allowed with state: 0"
    if table.kind == CLOUD_DOWN and 0 < table.every_s <= table.for_s:
        yield "every_s", f"the cloud has to come back in between; allowed: above {table.for_s:g}"


def _phase(table: FaultTable, absent: Phases) -> Complaints:
    if table.during in absent:
        allowed = ", ".join(phase for phase in get_args(During) if phase not in absent)
        yield "during", f"this scenario has no phase {table.during!r}; allowed: {allowed}"
    if table.during == "start":
        later = table.at_s or table.every_s or table.within_s or table.state != ANY
        if later or table.kind == CLOUD_DOWN:
            yield "during", "the start is a moment, and takes a cloud; allowed: a later phase"
        elif table.kind == "half_open":
            yield "during", "no connection stands at the start; allowed: a later phase"


_CHECKS: tuple[Callable[[FaultTable, Phases], Complaints], ...] = (
    _length,
    _own_keys,
    _repetition,
    _phase,
)
