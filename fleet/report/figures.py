"""The named figures of a report: for thresholds, and to compare runs. Names are in `fleet.run.metrics`.

A figure that a run does not have is left out. What never came to pass, such as the return of all
devices, took for ever.
"""

from collections.abc import Iterator
from math import inf

from fleet.report.model import Phase, Recovery, Report

Figures = dict[str, float]


def figures(report: Report) -> Figures:
    """Return all figures that a report has, by name."""
    found = dict([*_run(report), *_outcomes(report), *_phases(report), *_trouble(report)])
    if report.mode == "live":
        found["generator.loop_lag_p99_ms"] = report.generator.loop_lag_p99_ms
        found["generator.cpu_pct"] = report.generator.cpu_pct
        if report.health is not None and report.health.cpu_pct_by_shard:
            found["generator.cpu_pct_max"] = max(report.health.cpu_pct_by_shard.values())
    return found


def _run(report: Report) -> Iterator[tuple[str, float]]:
    yield "run.wall_s", report.wall_s
    yield "run.cpu_s", report.cpu_s
    yield "run.peak_rss_mb", report.peak_rss_mb
    yield "run.violations", len(report.violations)
    yield "run.incidents", len(report.incidents)
    if report.virtual_s is not None:
        yield "run.virtual_s", report.virtual_s
    if report.speedup is not None:
        yield "run.speedup", report.speedup


def _outcomes(report: Report) -> Iterator[tuple[str, float]]:
    outcomes = report.outcomes
    lasted_s = report.wall_s if report.virtual_s is None else report.virtual_s
    yield "outcomes.unbound", outcomes.unbound
    yield "outcomes.rebound", outcomes.rebound
    if report.devices:
        yield "outcomes.unbound_pct", 100 * outcomes.unbound / report.devices
    if report.for_sale is not None:  # of nobody, all are bound anew
        sold = max(1, report.for_sale)
        yield "outcomes.rebound_pct", 100 * (outcomes.rebound / sold if report.for_sale else 1)
    for method, count in report.by_method.items():
        yield f"outcomes.{method}", count
    yield "outcomes.refused", sum(outcomes.refused.values())
    yield "outcomes.failed", sum(outcomes.failed.values())
    yield "outcomes.tickets", report.tickets
    yield "outcomes.days", len(report.unbound_by_day)
    for reason, count in outcomes.refused.items():
        yield f"outcomes.refused.{reason}", count
    for reason, count in outcomes.failed.items():
        yield f"outcomes.failed.{reason}", count
    if lasted_s > 0:
        yield "rates.unbound_per_s", outcomes.unbound / lasted_s
        yield "rates.rebound_per_s", outcomes.rebound / lasted_s
    over_time = report.over_time
    if over_time is not None and over_time.unbound:
        yield "rates.unbound_peak_per_s", max(over_time.unbound) / over_time.slot_s


def _phases(report: Report) -> Iterator[tuple[str, float]]:
    for name, phase in report.phases.items():
        yield from _phase(name, phase)
    for method, phases in report.phases_by_method.items():
        for name, phase in phases.items():
            yield from _phase(f"{name}.{method}", phase)


def _phase(name: str, phase: Phase) -> Iterator[tuple[str, float]]:
    yield f"{name}.count", phase.count
    if not phase.count:
        return
    for stat in ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms"):
        value = getattr(phase, stat)
        if value is not None:
            yield f"{name}.{stat}", value


def _trouble(report: Report) -> Iterator[tuple[str, float]]:
    if report.recovery:
        for percent in (50, 95, 100):
            yield f"recovery.back_{percent}_s", max(_back(one, percent) for one in report.recovery)
        yield "recovery.lost_again", sum(one.lost_again for one in report.recovery)
        yield "recovery.connects_after_max", max(one.connects_after_max for one in report.recovery)
    if report.traffic is not None:
        for name in ("calls_per_device", "calls_max", "connects_per_device", "connects_max"):
            yield f"traffic.{name}", getattr(report.traffic, name)
    yield "retries.attempts", sum(one.attempts for one in report.retries)
    yield (
        "retries.per_device_min_max",
        max((r.per_device_min_max for r in report.retries), default=0),
    )
    yield "faults.struck", sum(fault.struck for fault in report.faults)
    struck: dict[str, float] = {}
    for fault in report.faults:
        struck[f"faults.{fault.kind}"] = struck.get(f"faults.{fault.kind}", 0) + fault.struck
    yield from struck.items()
    for name, count in report.attacks.items():
        yield f"attacks.{name}", count


def _back(recovery: Recovery, percent: int) -> float:
    if not recovery.devices:
        return 0.0  # nobody was there to come back
    back_s: float | None = getattr(recovery, f"back_{percent}_s")
    return inf if back_s is None else back_s
