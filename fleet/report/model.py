"""The report: one struct, whose keys are what programs may rely on. Units are in the names.

The first block of keys is fixed; further keys may be added after it, none is renamed. What was added
has a default, so reports of older versions can be read.
"""

import msgspec

from fleet.report.details import Expectation, Lights, QuotaUse
from fleet.report.environment import Environment
from fleet.report.health import Health
from fleet.report.over_time import OverTime
from fleet.report.verdicts import ThresholdVerdict


class Outcomes(msgspec.Struct, frozen=True):
    """Devices unbound and rebound; refusals of the cloud and failures before it, by reason."""

    unbound: int
    rebound: int
    refused: dict[str, int]
    failed: dict[str, int]


class Phase(msgspec.Struct, frozen=True):
    """How long one phase took, over all devices that completed it."""

    count: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    p999_ms: float | None = None


class Generator(msgspec.Struct, frozen=True):
    """Whether the simulated devices were the bottleneck; `cpu_pct` of one core, per shard."""

    loop_lag_p99_ms: float
    cpu_pct: float


class Recovery(msgspec.Struct, frozen=True):
    """How the fleet came back after the cloud had been away for `down_s`, `at_s` into the run.

    `back_50_s` and so on: until so many percent of the `devices` that had been online were online
    again and stayed so, from the return of the cloud; null: never. `lost_again` counts sessions
    that did not last. Connects are per device. `cloud_cpu_s` is the cloud's CPU time until all
    were back, `cloud_cpu_pct` that in percent of one core.
    """

    at_s: float
    down_s: float
    devices: int
    back_50_s: float | None
    back_95_s: float | None
    back_100_s: float | None
    lost_again: int
    connects_while_down: float
    connects_after: float
    connects_after_max: int
    cloud_cpu_s: float
    cloud_cpu_pct: float | None


class Traffic(msgspec.Struct, frozen=True):
    """Calls over HTTP and connections to the broker that devices have begun, per device."""

    calls_per_device: float
    calls_max: int
    connects_per_device: float
    connects_max: int


class Retry(msgspec.Struct, frozen=True):
    """What devices tried again and again, by reason.

    `per_device_min_max`: the most that one device tried within a minute. `cloud_cpu_pct`: share of
    the cloud's CPU time, estimated by requests.
    """

    reason: str
    attempts: int
    devices: int
    per_device_min_max: int
    cloud_cpu_pct: float


class Fault(msgspec.Struct, frozen=True):
    """A fault of the scenario, and how often it has struck devices in which state."""

    kind: str
    during: str
    struck: int
    states: dict[str, int]


class Report(msgspec.Struct, frozen=True):
    """One run. `unmet` and `left_out` are the scenario's expectations, in words.

    In virtual time (`mode`) it has lasted `virtual_s`, `speedup` times as long as it took, and the
    same seed gives the same `trace_digest` on any machine; live these are null.
    `unbound_by_day` counts devices by the day of the quota (ISO date), `attacks` what tampered
    firmware tried in vain, by name. `passed`: nothing is violated, every expectation and every
    threshold met, and the run complete. `checked` names the invariants that were checked.
    """

    scenario: str
    seed: int
    mode: str
    devices: int
    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    outcomes: Outcomes
    phases: dict[str, Phase]
    by_method: dict[str, int]
    generator: Generator
    violations: tuple[str, ...]
    # Added keys.
    passed: bool = False
    aborted: str = ""
    unmet: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    decoder: str = ""
    shards: int = 0
    cpu_s_by_process: dict[str, float] = {}
    tickets: int = 0
    frames: int = 0
    frames_decoded: int = 0
    recovery: tuple[Recovery, ...] = ()
    traffic: Traffic | None = None
    retries: tuple[Retry, ...] = ()
    faults: tuple[Fault, ...] = ()
    trace_digest: str | None = None
    virtual_s: float | None = None
    speedup: float | None = None
    unbound_by_day: dict[str, int] = {}
    attacks: dict[str, int] = {}
    title: str = ""
    for_sale: int | None = None
    phases_by_method: dict[str, dict[str, Phase]] = {}
    thresholds: tuple[ThresholdVerdict, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    checked: tuple[str, ...] = ()
    health: Health | None = None
    quotas: tuple[QuotaUse, ...] = ()
    over_time: OverTime | None = None
    lights: Lights | None = None
    scenario_text: str = ""
    environment: Environment | None = None
