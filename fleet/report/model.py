"""The report: one struct, whose keys are what programs may rely on. Units are in the names.

The first block of keys is fixed; further keys may be added after it, none is renamed.
"""

import msgspec

from fleet.run.histogram import Histogram
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


class Report(msgspec.Struct, frozen=True):
    """One run. `unmet` and `left_out` are the scenario's expectations, in words."""

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


def make_report(result: RunResult) -> Report:
    """Return the report of a run."""
    return Report(
        scenario=result.scenario,
        seed=result.seed,
        mode="live",
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
