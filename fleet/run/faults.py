"""The `[[faults]]` of a scenario: what is to go wrong, when, for how long, and for how many devices.

A table is checked as a whole before anything starts; what is wrong with it is one line. Which kinds
there are, which keys are theirs and what is allowed is declared in `fault_kinds.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta

from firmware_sim.runtime.faults import LOSS_PCT_MAX, SKEW_S_MAX, AnyFault
from fleet.run.cloud_faults import (
    BrokerRestart,
    CloudCrash,
    CloudDown,
    CloudFault,
    CloudHung,
    CloudSlow,
    DiskSlow,
)
from fleet.run.fault_kinds import (
    COMMITS_MAX,
    KINDS,
    LATE_S_MAX,
    LATENCY_MS_MAX,
    REORDER_MS_MAX,
    FaultKind,
    whose,
)

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
    "loss",
    "duplicate",
    "reorder",
    "partition",
    "clock_skew",
    "cloud_down",
    "cloud_hung",
    "cloud_slow",
    "crash_before_write",
    "crash_after_write",
    "disk_slow",
    "broker_restart",
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
EVERY_S_MIN = 0.1
SHRUNK_S_MIN = 1.0
BENCHES: Final = "benches"
_NOT_OF_A_DEVICE = ("share_pct", "within_s", "state", "of")


class FaultTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of fault.

    It begins `at_s` after its phase has, and then `every_s` until the phase ends, or `until_s` after
    it has begun (0: once); what befalls new owners' devices once begins when each of them is taken home. Each time a `share_pct`
    of the devices is struck, each at its own moment `within_s` of that time. With a `state` it
    strikes a device when it first enters that state, `within_s` of it. It lasts `for_s`; where it
    `shrinks`, proportionally less in a smaller fleet. Of benches, a share of the operators is drawn,
    and all devices that are handed to one of them are struck together. Who is struck at which moment
    follows from the seed and from `dice`, or from the table's place if that is 0.
    """

    kind: Kind
    during: During
    for_s: Seconds = 0.0
    at_s: Seconds = 0.0
    every_s: Seconds = 0.0
    until_s: Seconds = 0.0
    within_s: Seconds = 0.0
    state: State = ANY
    share_pct: Share = 100
    of: Literal["devices", "benches"] = "devices"
    latency_ms: Annotated[int, Meta(ge=0, le=LATENCY_MS_MAX)] = 0
    late_s: Annotated[float, Meta(ge=0, le=LATE_S_MAX)] = 0.0
    loss_pct: Annotated[int, Meta(ge=0, le=LOSS_PCT_MAX)] = 0
    duplicate_pct: Annotated[int, Meta(ge=0, le=100)] = 0
    reorder_ms: Annotated[int, Meta(ge=0, le=REORDER_MS_MAX)] = 0
    skew_s: Annotated[int, Meta(ge=-SKEW_S_MAX, le=SKEW_S_MAX)] = 0
    after_commits: Annotated[int, Meta(ge=1, le=COMMITS_MAX)] = 1
    within_commits: Annotated[int, Meta(ge=0, le=COMMITS_MAX)] = 0
    by: Literal["kill", "stop"] = "kill"
    shrinks: bool = False
    dice: Annotated[int, Meta(ge=0, le=1_000_000)] = 0

    def turns(self) -> Iterator[int]:
        """Return the numbers of its turns, from 0: it begins `at_s`, and then `every_s`."""
        if not self.every_s:
            return iter(range(1))
        if not self.until_s:
            return count()
        return iter(range(1 + int((self.until_s - self.at_s) / self.every_s)))

    def length_s(self, size: float) -> float:
        """Return how long it lasts in a fleet of `size`, as a part of the scenario's own."""
        if not self.shrinks or size >= 1:
            return self.for_s
        return min(self.for_s, max(SHRUNK_S_MIN, self.for_s * size))

    @property
    def facts(self) -> FaultKind:
        """Return what is known of its kind."""
        return KINDS[self.kind]

    def fault(self, size: float) -> AnyFault:
        """Return what befalls a device; not for what befalls the cloud."""
        assert self.facts.fault is not None, "it befalls the cloud"
        raw = {name: getattr(self, name) for name in _OF_DEVICES} | {"kind": self.kind}
        raw |= {"for_ms": round(1000 * self.length_s(size)), "late_ms": round(1000 * self.late_s)}
        known = {field.name for field in msgspec.structs.fields(self.facts.fault)} | {"kind"}
        fault: AnyFault = msgspec.convert({k: raw[k] for k in raw if k in known}, AnyFault)
        return fault

    def cloud_fault(self, size: float, commits: int) -> CloudFault:
        """Return what befalls the cloud; `commits` is at which transaction, for a crash."""
        for_s = self.length_s(size)
        make: dict[str, Callable[[], CloudFault]] = {
            CLOUD_DOWN: lambda: CloudDown(for_s, politely=self.by == "stop"),
            "cloud_hung": lambda: CloudHung(for_s),
            "cloud_slow": lambda: CloudSlow(for_s, self.latency_ms),
            "crash_before_write": lambda: CloudCrash(for_s, commits, written=False),
            "crash_after_write": lambda: CloudCrash(for_s, commits, written=True),
            "disk_slow": lambda: DiskSlow(for_s, self.latency_ms),
            "broker_restart": lambda: BrokerRestart(for_s),
        }
        return make[self.kind]()


_OF_DEVICES = ("latency_ms", "loss_pct", "duplicate_pct", "reorder_ms", "skew_s")
_DEFAULTS: Mapping[str, Any] = {
    field.name: field.default for field in msgspec.structs.fields(FaultTable)
}
_OWN = tuple(key for key in _DEFAULTS if whose(key))  # keys that mean nothing to most kinds


def only_virtual(tables: tuple[FaultTable, ...]) -> tuple[str, ...]:
    """Return one line for each table that is played in virtual time only."""
    return tuple(
        f"only with --virtual: {table.kind} during {table.during}"
        for table in tables
        if not table.facts.live
    )


def mistake(tables: tuple[FaultTable, ...], *, unbind: bool, shelf: bool = False) -> str | None:
    """Return what is wrong with one of the tables in a scenario that unbinds or does not.

    From a `shelf` there is no way back from homes.
    """
    for number, table in enumerate(tables):
        for key, fault in complaints(table, unbind=unbind, shelf=shelf):
            return f"faults[{number}].{key}: {fault}"
    return None


def complaints(table: FaultTable, *, unbind: bool, shelf: bool = False) -> "Complaints":
    """Yield what is wrong with a table: a key, and what is the matter with it."""
    absent = ("stay",) if unbind else ("return", "reset", "unbind", "rebind")
    if shelf:
        absent = ("stay", "home", "return", "reset")
    for check in _CHECKS:
        yield from check(table, absent)


Complaints = Iterator[tuple[str, str]]  # key, what is wrong
Phases = tuple[str, ...]


def _length(table: FaultTable, _: Phases) -> Complaints:
    if not table.facts.lasts:
        if table.for_s:
            yield "for_s", f"{table.kind} is for ever; allowed: 0"
    elif table.for_s < 0.001:
        yield "for_s", f"{table.kind} has to last some time; allowed: from 0.001"


def _own_keys(table: FaultTable, _: Phases) -> Complaints:
    kind = table.facts
    for key in _OWN:
        value = getattr(table, key)
        if key not in kind.keys:
            if value != _DEFAULTS[key]:
                yield key, f"means nothing to {table.kind}, it is a key of {whose(key)}"
        elif (allowed := kind.keys[key]) is not None and not allowed.admits(value):
            yield key, f"{table.kind} needs one; allowed: {allowed}"
    if kind.fault is None:
        for key in _NOT_OF_A_DEVICE:
            if getattr(table, key) != _DEFAULTS[key]:
                yield key, f"means nothing to {table.kind}, which strikes all devices"


def _repetition(table: FaultTable, _: Phases) -> Complaints:
    if 0 < table.every_s < EVERY_S_MIN:
        yield "every_s", f"{table.every_s:g} is too often; allowed: 0 or from {EVERY_S_MIN:g}"
    if table.every_s and table.state != ANY:
        yield "every_s", "a device enters a state when it does; allowed with state: 0"
    if table.until_s and not table.every_s:
        yield "until_s", "it does not come again; leave it out, or give every_s"
    elif 0 < table.until_s < table.at_s:
        yield "until_s", f"it begins later than that; allowed: 0 or from {table.at_s:g}"
    if table.at_s and table.state != ANY:
        yield "at_s", "a device enters a state when it does; allowed with state: 0"
    if table.facts.fault is None and 0 < table.every_s <= table.for_s:
        yield "every_s", f"the cloud has to come back in between; allowed: above {table.for_s:g}"


def _phase(table: FaultTable, absent: Phases) -> Complaints:
    if table.during in absent:
        allowed = ", ".join(phase for phase in get_args(During) if phase not in absent)
        yield "during", f"this scenario has no phase {table.during!r}; allowed: {allowed}"
    if table.during == "start":
        later = table.at_s or table.every_s or table.within_s or table.state != ANY
        if later or table.facts.fault is None:
            yield "during", "the start is a moment, and takes a cloud; allowed: a later phase"
        elif table.kind == "half_open":
            yield "during", "no connection stands at the start; allowed: a later phase"


_CHECKS: tuple[Callable[[FaultTable, Phases], Complaints], ...] = (
    _length,
    _own_keys,
    _repetition,
    _phase,
)
