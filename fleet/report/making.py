"""From the result of a run to its report: figures are rounded, named, and held against thresholds."""

import msgspec

from fleet.report import details, health, over_time, verdicts
from fleet.report.environment import Environment
from fleet.report.figures import figures
from fleet.report.model import (
    Fault,
    Generator,
    Outcomes,
    Phase,
    Recovery,
    Report,
    Retry,
    Traffic,
)
from fleet.run import retries as run_retries
from fleet.run.histogram import Histogram
from fleet.run.recovery import Outage
from fleet.run.result import Details, RunResult

MEBIBYTE = 1 << 20


def make_report(result: RunResult, environment: Environment | None = None) -> Report:
    """Return the report of a run; `environment` is on what it was played."""
    report = _figures(result)
    if result.details is None:
        return msgspec.structs.replace(report, environment=environment)
    report = _with_details(report, result, result.details, environment)
    judged = verdicts.judge(result.details.thresholds, figures(report), report.mode, report.aborted)
    passed = report.passed and all(one.passed is not False for one in judged)
    return msgspec.structs.replace(report, thresholds=judged, passed=passed)


def _with_details(
    report: Report, result: RunResult, more: Details, environment: Environment | None
) -> Report:
    return msgspec.structs.replace(
        report,
        title=more.population.scenario.title,
        for_sale=more.for_sale,
        phases_by_method={
            method: {name: _phase(histogram) for name, histogram in phases.items()}
            for method, phases in sorted(more.over_time.by_method().items())
        },
        expectations=details.expectations(result),
        checked=more.checked,
        health=health.judge(
            virtual=result.virtual is not None,
            loop_lag_p99_ms=result.generator.loop_lag_p99_ms,
            cpu_s_by_group=more.cpu_s_by_group,
            wall_s=result.wall_s,
            cores=environment.cores if environment is not None else 1,
        ),
        quotas=details.quota_uses(more.population, more.quotas),
        over_time=over_time.columns(more.over_time),
        lights=details.lights(more),
        scenario_text=more.scenario_text,
        environment=environment,
    )


def _figures(result: RunResult) -> Report:
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
        return round(float(histogram.percentile(percent)), 1)

    return Phase(
        count=histogram.count,
        p50_ms=percentile(50),
        p90_ms=percentile(90),
        p95_ms=percentile(95),
        p99_ms=percentile(99),
        max_ms=round(float(histogram.max_ms), 1),
        p999_ms=percentile(99.9),
    )
