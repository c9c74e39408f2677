"""What a run has come to, measured and judged; `fleet.report` turns it into files and tables."""

from collections.abc import Iterable

import msgspec

from fleet.cloud.quotas import Quota
from fleet.run.chronicle import OverTime
from fleet.run.expectations import Expected, Outcomes
from fleet.run.histogram import Histogram
from fleet.run.light_log import Track
from fleet.run.messages import Chip
from fleet.run.population import Population
from fleet.run.recovery import Outage
from fleet.run.retries import Retry
from fleet.run.thresholds import Threshold


class Generator(msgspec.Struct, frozen=True):
    """Whether the simulated devices, and not what they talk to, were the bottleneck.

    `loop_lag_p99_ms` over all shards' event loops; `cpu_pct` is the share of one core that the
    shards and their decoders used, over the whole run, per shard.
    """

    loop_lag_p99_ms: float
    cpu_pct: float


class FaultPlayed(msgspec.Struct, frozen=True):
    """One of the scenario's faults: how many devices it has struck, by the state they were in.

    Where it strikes a device several times, each counts. An outage of the cloud strikes all.
    """

    kind: str
    during: str
    states: dict[str, int]


class Traffic(msgspec.Struct, frozen=True):
    """What devices have begun by themselves: calls over HTTP, connections to the broker."""

    devices: int = 0
    calls: int = 0
    calls_max: int = 0
    connects: int = 0
    connects_max: int = 0

    @classmethod
    def of(cls, chips: Iterable[Chip]) -> "Traffic":
        """Add up what the devices were found to have done at the end."""
        calls, connects = [], []
        for chip in chips:
            calls.append(chip.calls)
            connects.append(chip.connects)
        return cls(
            devices=len(calls),
            calls=sum(calls),
            calls_max=max(calls, default=0),
            connects=sum(connects),
            connects_max=max(connects, default=0),
        )


class Virtual(msgspec.Struct, frozen=True):
    """What only a run in virtual time has: its length there, and the digest of its trace."""

    virtual_s: float
    trace_digest: str


class Lights(msgspec.Struct, frozen=True):
    """The lights of some devices. `tracked`: how many were followed, every `every`-th one."""

    tracked: int
    every: int
    tracks: tuple[Track, ...]


class Details(msgspec.Struct, frozen=True):
    """What a report shows beside the figures.

    `cpu_s_by_group`: as in `Meter.by_group`. `checked`: names of the invariants that were checked.
    `for_sale`: devices that were to find a new owner.
    """

    population: Population
    scenario_text: str
    over_time: OverTime
    lights: Lights
    quotas: tuple[Quota, ...]
    expected: tuple[Expected, ...]
    thresholds: tuple[Threshold, ...]
    checked: tuple[str, ...]
    cpu_s_by_group: dict[str, float]
    for_sale: int


class RunResult(msgspec.Struct, frozen=True):
    """Everything about one run. `aborted` says why it ended early, "" if it did not.

    `virtual` is None for a run in real time. `passed` says nothing of thresholds: they ask for
    figures, which are the report's business.
    """

    scenario: str
    seed: int
    devices: int
    decoder: str
    shards: int
    wall_s: float
    cpu_s: dict[str, float]  # by kind of process: runner, cloud, shards
    peak_rss_bytes: int
    outcomes: Outcomes
    phases: dict[str, Histogram]
    by_method: dict[str, int]
    generator: Generator
    violations: tuple[str, ...]
    unmet: tuple[str, ...]
    left_out: tuple[str, ...]
    incidents: tuple[str, ...]
    tickets: int
    frames: int
    decoded: int
    aborted: str = ""
    outages: tuple[Outage, ...] = ()
    traffic: Traffic = Traffic()
    retries: tuple[Retry, ...] = ()
    faults: tuple[FaultPlayed, ...] = ()
    virtual: Virtual | None = None
    unbound_by_day: dict[str, int] = {}
    details: Details | None = None

    @property
    def passed(self) -> bool:
        """Say whether nothing is violated, every expectation met and the run complete."""
        return not (self.violations or self.unmet or self.aborted)
