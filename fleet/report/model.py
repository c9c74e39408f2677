"""The report: one struct, whose keys are what programs may rely on. Units are in the names.

The first block of keys is fixed; further keys may be added after it, none is renamed.
"""

import msgspec

from fleet.run import retries as run_retries
from fleet.run.histogram import Histogram
from fleet.run.recovery import Outage
from fleet.run.result import RunResult

MEBIBYTE = 1 << 20


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
    firmware tried in vain, by name.
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
    passed: bool
    aborted: str
    unmet: tuple[str, ...]
    left_out: tuple[str, ...]
    incidents: tuple[str, ...]
    decoder: str
    shards: int
    cpu_s_by_process: dict[str, float]
    tickets: int
    frames: int
    frames_decoded: int
    recovery: tuple[Recovery, ...]
    traffic: Traffic
    retries: tuple[Retry, ...]
    faults: tuple[Fault, ...]
    trace_digest: str | None
    virtual_s: float | None
    speedup: float | None
    unbound_by_day: dict[str, int]
    attacks: dict[str, int]


def make_report(result: RunResult) -> Report:
    """Return the report of a run."""
    virtual = result.virtual
    return Report(
        scenario=result.scenario,
        seed=result.seed,
        mode="live" if virtual is None else "virtual",
        devices=result.devices,
        wall_s=round(result.wall_s, 3),
        cpu_s=round(sum(result.cpu_s.values()), 2),
        peak_rss_mb=round(result.peak_rss_bytes / MEBIBYTE, 1),
        outcomes=Outcomes(
            unbound=result.outcomes.unbound,
            rebound=result.outcomes.rebound,
            refused=dict(sorted(result.outcomes.refused.items())),
            failed=dict(sorted(result.outcomes.failed.items())),
        ),
        phases={name: _phase(histogram) for name, histogram in result.phases.items()},
        by_method=result.by_method,
        generator=Generator(
            loop_lag_p99_ms=round(result.generator.loop_lag_p99_ms, 2),
            cpu_pct=round(result.generator.cpu_pct, 1),
        ),
        violations=result.violations,
        passed=result.passed,
        aborted=result.aborted,
        unmet=result.unmet,
        left_out=result.left_out,
        incidents=result.incidents,
        decoder=result.decoder,
        shards=result.shards,
        cpu_s_by_process={name: round(cpu_s, 2) for name, cpu_s in result.cpu_s.items()},
        tickets=result.tickets,
        frames=result.frames,
        frames_decoded=result.decoded,
        recovery=tuple(_recovery(outage) for outage in result.outages),
        traffic=_traffic(result),
        retries=tuple(_retry(retry) for retry in result.retries),
        faults=tuple(
            Fault(
                kind=fault.kind,
                during=fault.during,
                struck=sum(fault.states.values()),
                states=dict(sorted(fault.states.items())),
            )
            for fault in result.faults
        ),
        trace_digest=virtual.trace_digest if virtual is not None else None,
        virtual_s=round(virtual.virtual_s, 3) if virtual is not None else None,
        speedup=round(virtual.virtual_s / result.wall_s, 1) if virtual is not None else None,
        unbound_by_day=result.unbound_by_day,
        attacks=dict(sorted(result.outcomes.attacks.items())),
    )


def _recovery(outage: Outage) -> Recovery:
    back = {percent: round(time_s, 2) for percent, time_s in outage.recovered_s.items()}
    devices = max(1, outage.devices)
    whole_s = outage.recovered_s.get(100)
    return Recovery(
        at_s=round(outage.at_s, 1),
        down_s=round(outage.down_s, 1),
        devices=outage.devices,
        back_50_s=back.get(50),
        back_95_s=back.get(95),
        back_100_s=back.get(100),
        lost_again=outage.lost_again,
        connects_while_down=round(outage.attempts_while_down / devices, 2),
        connects_after=round(outage.attempts_after / devices, 2),
        connects_after_max=outage.attempts_after_max,
        cloud_cpu_s=round(outage.cloud_cpu_s, 2),
        cloud_cpu_pct=round(100 * outage.cloud_cpu_s / whole_s, 1) if whole_s else None,
    )


def _traffic(result: RunResult) -> Traffic:
    traffic = result.traffic
    devices = max(1, traffic.devices)
    return Traffic(
        calls_per_device=round(traffic.calls / devices, 2),
        calls_max=traffic.calls_max,
        connects_per_device=round(traffic.connects / devices, 2),
        connects_max=traffic.connects_max,
    )


def _retry(retry: run_retries.Retry) -> Retry:
    return Retry(
        reason=retry.reason,
        attempts=retry.attempts,
        devices=retry.devices,
        per_device_min_max=retry.per_device_min,
        cloud_cpu_pct=round(retry.cloud_cpu_pct, 1),
    )


def _phase(histogram: Histogram) -> Phase:
    def percentile(percent: float) -> float:
        return round(histogram.percentile(percent), 1)

    return Phase(
        count=histogram.count,
        p50_ms=percentile(50),
        p90_ms=percentile(90),
        p95_ms=percentile(95),
        p99_ms=percentile(99),
        max_ms=round(histogram.max_ms, 1),
    )
