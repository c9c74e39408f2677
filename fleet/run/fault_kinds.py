"""All kinds of faults that a scenario can name: what they are, which keys are theirs, who plays them.

`KINDS` is the one list. Validation of scenarios, the documentation, random faults and both modes of
a run go by it; a kind that is added here takes part everywhere.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import LOSS_PCT_MAX, SKEW_S_MAX, Fault

LATENCY_MS_MAX = 60_000
ANSWER_MS_MAX = 8_000  # people wait ten seconds for an answer, and somebody has to get one
LATE_S_MAX = 600
REORDER_MS_MAX = 60_000
COMMITS_MAX = 1_000_000


class Range(msgspec.Struct, frozen=True):
    """What a kind takes for a key of its own: numbers, `low` and `high` among them, but never 0.

    Where it is not `needed`, the default of the key is good enough, and may be 0.
    """

    low: float
    high: float
    needed: bool = True

    def admits(self, value: float) -> bool:
        """Say whether a value is in here."""
        return self.low <= value <= self.high and (value != 0 or not self.needed)

    def __str__(self) -> str:
        """Say what is allowed, for people."""
        whole = "a whole number " if isinstance(self.low, int) else ""
        return f"{whole}from {self.low:.10g} to {self.high:.10g}" + ", not 0" * (self.low < 0)


class FaultKind(msgspec.Struct, frozen=True):
    """One kind. `what` is one sentence for people, in Markdown.

    `keys` are those that mean something to this kind and not to all, with what is allowed; None: the
    words that the key itself allows. `fault` is what befalls a device; None: it befalls the cloud,
    and so everybody. `lasts`: it takes a length. `away`: the cloud, or a part of it, serves nobody.
    `live`: it can be played in real time; all can in virtual time.
    """

    what: str
    keys: Mapping[str, Range | None] = {}
    fault: type[Fault] | None = None
    lasts: bool = True
    away: bool = False
    live: bool = True


_LATENCY: Final = {"latency_ms": Range(1, LATENCY_MS_MAX)}
_ANSWER: Final = {"latency_ms": Range(1, ANSWER_MS_MAX)}
_COMMITS: Final = {
    "after_commits": Range(1, COMMITS_MAX, needed=False),
    "within_commits": Range(0, COMMITS_MAX, needed=False),
}

KINDS: Final[Mapping[str, FaultKind]] = {
    "wifi_gone": FaultKind(
        "the access point is not heard for `for_s`; cameras only",
        fault=faults.WifiGone,
    ),
    "cable_pulled": FaultKind(
        "the cable is out for `for_s`; wired devices only",
        fault=faults.CablePulled,
    ),
    "dhcp_late": FaultKind(
        "for `for_s`, who joins gets an address `late_s` later",
        {"late_s": Range(0.001, LATE_S_MAX)},
        faults.DhcpLate,
    ),
    "dns_refused": FaultKind(
        "for `for_s`, the cloud's names do not resolve; sessions that stand go on",
        fault=faults.DnsRefused,
    ),
    "connect_refused": FaultKind(
        "for `for_s`, new connections are refused; sessions that stand go on",
        fault=faults.ConnectRefused,
    ),
    "black_hole": FaultKind(
        "for `for_s`, no packet gets through to the cloud; what was said meanwhile arrives afterwards",
        fault=faults.BlackHole,
    ),
    "slow": FaultKind(
        "for `for_s`, everything to and from the cloud takes `latency_ms` longer, each way",
        _LATENCY,
        faults.Slow,
    ),
    "half_open": FaultKind(
        "the connections of this moment die without a word; each end finds out by its own clock",
        fault=faults.HalfOpen,
        lasts=False,
    ),
    "power_cut": FaultKind("no voltage for `for_s`", fault=faults.PowerCut),
    "loss": FaultKind(
        "for `for_s`, `loss_pct` of its packets to and from cloud and phones are lost: datagrams are "
        "gone, segments of TCP come 1 s later, or 3, 7, 15, 31 s where copies are lost as well",
        {"loss_pct": Range(1, LOSS_PCT_MAX)},
        faults.Loss,
    ),
    "duplicate": FaultKind(
        "for `for_s`, `duplicate_pct` of the datagrams that it says or hears on the LAN come twice",
        {"duplicate_pct": Range(1, 100)},
        faults.Duplicate,
    ),
    "reorder": FaultKind(
        "for `for_s`, each datagram on the LAN takes up to `reorder_ms` longer and may be overtaken",
        {"reorder_ms": Range(1, REORDER_MS_MAX)},
        faults.Reorder,
    ),
    "partition": FaultKind(
        "for `for_s`, no packet gets through between it and the phones of its LAN; the cloud is in reach",
        fault=faults.Partition,
    ),
    "clock_skew": FaultKind(
        "for `for_s`, its clock is ahead by `skew_s`, or behind where that is negative; what it signs "
        "more than five minutes from the cloud's time is refused, and the refusal sets it right",
        {"skew_s": Range(-SKEW_S_MAX, SKEW_S_MAX)},
        faults.ClockSkew,
    ),
    "cloud_down": FaultKind(
        "the cloud's process is ended, and started again `for_s` later on the same ports and data; "
        "outages take turns",
        {"by": None},
        away=True,
    ),
    "cloud_hung": FaultKind(
        "the cloud's process stands still for `for_s`: connections are taken and nothing is answered; "
        "what was said meanwhile is worked off afterwards",
        away=True,
    ),
    "cloud_slow": FaultKind(
        "for `for_s`, whatever the cloud says to anybody comes `latency_ms` later",
        _ANSWER,
        live=False,
    ),
    "crash_before_write": FaultKind(
        "the cloud ends at once as it writes the `after_commits`-th transaction from then on, and up "
        "to `within_commits` later: it is lost, and so is whatever waited; back `for_s` later",
        _COMMITS,
        away=True,
        live=False,
    ),
    "crash_after_write": FaultKind(
        "the same, when that transaction is on the disk and nobody has been told of it",
        _COMMITS,
        away=True,
        live=False,
    ),
    "disk_slow": FaultKind(
        "for `for_s`, each transaction takes `latency_ms` longer to be written",
        _ANSWER,
        live=False,
    ),
    "broker_restart": FaultKind(
        "all connections of the MQTT broker end, and it takes none for `for_s`; sessions are kept by "
        "its rules, and HTTP goes on",
        away=True,
        live=False,
    ),
}


def whose(key: str) -> str:
    """Return the kinds to which a key means something, "" if it does to all."""
    return ", ".join(name for name, kind in KINDS.items() if key in kind.keys)
