"""The figures of a run that have a name: what `[thresholds]` may ask for and what runs are compared by.

A table. Names are those of the report's keys where they are a key; what they are worth is read from
a report (`fleet.report.figures`). Units are last in the names.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, get_args

from fleet.run.fault_kinds import KINDS
from fleet.run.phases import PHASES
from fleet.run.reasons import Attack, Failure, Refusal
from fleet.run.tally import QR, WIRED

METHODS: Final = (QR, WIRED)
LEFT_BEHIND: Final = ("not_unbound", "not_rebound")

Mode = Literal["both", "live", "virtual"]
LESS, NEITHER, MORE = -1, 0, 1


class Metric(NamedTuple):
    """A figure: what it is, and whether `LESS` of it is better, `MORE`, or `NEITHER`.

    A figure that is `exact` gets worse with any change; others vary from run to run. `mode` says in
    which kind of run there is such a figure.
    """

    what: str
    better: int
    exact: bool = False
    mode: Mode = "both"


_STATS = {
    "count": ("how many devices have completed it", NEITHER),
    "p50_ms": ("what half of them took at most", LESS),
    "p90_ms": ("what 90 % took at most", LESS),
    "p95_ms": ("what 95 % took at most", LESS),
    "p99_ms": ("what 99 % took at most", LESS),
    "p999_ms": ("what 99.9 % took at most", LESS),
    "max_ms": ("what the slowest took", LESS),
}

_PLAIN = {
    "outcomes.unbound": Metric("devices unbound", MORE, exact=True),
    "outcomes.unbound_pct": Metric("of all devices", MORE, exact=True),
    "outcomes.rebound": Metric("devices bound to a new owner", MORE, exact=True),
    "outcomes.rebound_pct": Metric("of those that were to find one", MORE, exact=True),
    "outcomes.qr": Metric("devices unbound by QR code", NEITHER),
    "outcomes.wired": Metric("devices unbound over the LAN", NEITHER),
    "outcomes.refused": Metric("refusals by the cloud, of any reason", LESS),
    "outcomes.failed": Metric("failures before the cloud was asked", LESS),
    "outcomes.tickets": Metric("tickets filed for more quota", NEITHER),
    "outcomes.days": Metric("days of the quota on which devices were unbound", NEITHER),
    "rates.unbound_per_s": Metric("devices unbound per second of the run", MORE),
    "rates.unbound_peak_per_s": Metric("the same in the busiest slot of time", MORE),
    "rates.rebound_per_s": Metric("devices bound anew per second of the run", MORE),
    "recovery.back_50_s": Metric("until half were online again, after the worst outage", LESS),
    "recovery.back_95_s": Metric("until 95 % were", LESS),
    "recovery.back_100_s": Metric("until all were", LESS),
    "recovery.lost_again": Metric("sessions lost after they had come back", LESS),
    "recovery.connects_after_max": Metric("connects of the most eager device", LESS),
    "traffic.calls_per_device": Metric("calls over HTTP", LESS),
    "traffic.calls_max": Metric("calls of the most eager device", LESS),
    "traffic.connects_per_device": Metric("connections to the broker", LESS),
    "traffic.connects_max": Metric("connections of the most eager device", LESS),
    "retries.attempts": Metric("attempts that have failed", LESS),
    "retries.per_device_min_max": Metric("the most of one device within a minute", LESS),
    "faults.struck": Metric("how often faults have struck devices", NEITHER),
    "generator.loop_lag_p99_ms": Metric("how late event loops of shards were", LESS, mode="live"),
    "generator.cpu_pct": Metric("of a core, per shard", LESS, mode="live"),
    "generator.cpu_pct_max": Metric("of a core, the busiest shard", LESS, mode="live"),
    "run.wall_s": Metric("how long it took", LESS),
    "run.cpu_s": Metric("CPU time of all processes", LESS),
    "run.peak_rss_mb": Metric("memory of all processes, MiB", LESS),
    "run.violations": Metric("violated invariants, lines", LESS, exact=True),
    "run.incidents": Metric("processes that died and came back, lines", LESS, exact=True),
    "run.virtual_s": Metric("how long it lasted in virtual time", LESS, mode="virtual"),
    "run.speedup": Metric("virtual time per real time", MORE, mode="virtual"),
}


def _phases() -> Iterator[tuple[str, Metric]]:
    for phase in PHASES:
        for name in (phase, *(f"{phase}.{method}" for method in METHODS)):
            for stat, (what, better) in _STATS.items():
                yield f"{name}.{stat}", Metric(what, better)


def _reasons() -> Iterator[tuple[str, Metric]]:
    for reason in get_args(Refusal):
        yield f"outcomes.refused.{reason}", Metric("refusals for this reason", LESS)
    for reason in get_args(Failure):
        yield f"outcomes.failed.{reason}", Metric("failures for this reason", LESS)
    for reason in LEFT_BEHIND:
        yield f"outcomes.failed.{reason}", Metric("devices left behind", LESS, exact=True)
    for attack in get_args(Attack):
        yield f"attacks.{attack}", Metric("attacks of this kind that were refused", NEITHER)
    for kind in KINDS:
        yield f"faults.{kind}", Metric("how often this fault has struck", NEITHER)


METRICS: Final[dict[str, Metric]] = dict([*_phases(), *_reasons(), *_PLAIN.items()])


def listing() -> Iterator[tuple[str, str]]:
    """Return all names in short form, each with what it is, for people to read."""
    yield "`PHASE.STAT`", "one phase, over all devices: " + _words(PHASES)
    yield "`PHASE.METHOD.STAT`", "devices that are unbound by one method: " + _words(METHODS)
    for stat, (what, _) in _STATS.items():
        yield f"... `{stat}`", what
    yield "`outcomes.refused.REASON`", _words(get_args(Refusal))
    yield "`outcomes.failed.REASON`", _words((*get_args(Failure), *LEFT_BEHIND))
    yield "`attacks.NAME`", _words(get_args(Attack))
    yield "`faults.KIND`", "how often it has struck; kinds are listed in `fleet/run/README.md`"
    for name, metric in _PLAIN.items():
        only = "" if metric.mode == "both" else f" ({metric.mode} runs only)"
        yield f"`{name}`", metric.what + only


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
