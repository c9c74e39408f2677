"""A report as tables for a terminal: verdict first, then outcomes, then times."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleet.report.model import Outcomes, Report
from fleet.report.words import number

_GOOD, _BAD = "green", "red"
NOTHING = Outcomes(0, 0, {}, {})
RETRIES_SHOWN_MAX = 12


def render(report: Report) -> RenderableType:
    """Return everything a person wants to know after a run."""
    parts: list[RenderableType] = [verdict(report), ""]
    if report.outcomes != NOTHING or not report.recovery:
        parts += [outcomes(report), ""]
    if len(report.unbound_by_day) > 1:
        parts += [days(report), ""]
    if any(phase.count for phase in report.phases.values()):
        parts += [phases(report), ""]
    if any(one.devices for one in report.recovery):
        parts += [recovery(report), ""]
    if report.faults:
        parts += [faults(report), ""]
    if report.retries:
        parts += [retries(report), ""]
    parts.append(costs(report))
    return Group(*parts)


def verdict(report: Report) -> Text:
    """Return pass or fail, and one line for everything that is behind a fail."""
    text = Text()
    text.append("passed" if report.passed else "FAILED", f"bold {_GOOD if report.passed else _BAD}")
    text.append(f"  {report.scenario}, {report.devices} devices, {report.wall_s:.1f} s")
    if report.virtual_s is not None:
        text.append(f" for {report.virtual_s:,.1f} s of virtual time ({report.speedup:,.0f} times)")
    for style, line in _findings(report):
        text.append(f"\n  {line}", style)
    return text


def _findings(report: Report) -> Iterator[tuple[str, str]]:
    if report.aborted:
        yield _BAD, f"ended early: {report.aborted}"
    for violation in report.violations:
        yield _BAD, f"violated: {violation}"
    for line in _missed(report):
        yield _BAD, line
    for line in report.unmet:
        yield _BAD, f"not as expected: {line}"
    for line in report.incidents:
        yield "yellow", f"on the way: {line}"
    if report.health is not None and report.health.bottleneck:
        yield "yellow", report.health.sentence
    for line in report.left_out:
        yield "dim", f"left out: {line}"
    for fault in report.faults:
        if not fault.struck:
            yield "dim", f"never came to pass: {fault.kind} during {fault.during}"


def _missed(report: Report) -> Iterator[str]:
    for one in report.thresholds:
        if one.passed is False:
            found = one.note or f"is {number(one.value)}"
            yield f"threshold missed: {one.metric} {one.condition}, {found}"


def outcomes(report: Report) -> Table:
    """Return how many devices came to which end, and why others did not at first."""
    table = _table("outcome", "devices")
    methods = ", ".join(f"{method} {count}" for method, count in report.by_method.items())
    table.add_row(f"unbound ({methods})", str(report.outcomes.unbound), style=_GOOD)
    table.add_row("rebound", str(report.outcomes.rebound), style=_GOOD)
    for reason, count in report.outcomes.refused.items():
        table.add_row(f"refused at first: {reason}", str(count))
    for reason, count in report.outcomes.failed.items():
        table.add_row(f"failed: {reason}", str(count))
    for name, count in report.attacks.items():
        table.add_row(f"attack in vain: {name}", str(count))
    if report.tickets:
        table.add_row("tickets", str(report.tickets))
    return table


def days(report: Report) -> Table:
    """Return how many devices were unbound on which day of the quota."""
    table = _table("day", "unbound")
    for day, count in report.unbound_by_day.items():
        table.add_row(day, str(count))
    return table


def phases(report: Report) -> Table:
    """Return how long each phase took, in milliseconds."""
    table = _table("phase (ms)", "count", "p50", "p90", "p95", "p99", "p99.9", "max")
    for name, phase in report.phases.items():
        if not phase.count:
            continue
        times = (phase.p50_ms, phase.p90_ms, phase.p95_ms, phase.p99_ms, phase.p999_ms)
        shown = ("-" if ms is None else f"{ms:,.0f}" for ms in (*times, phase.max_ms))
        table.add_row(name, str(phase.count), *shown)
    return table


def recovery(report: Report) -> Table:
    """Return how the fleet came back after each outage of the cloud."""
    table = _table(
        "cloud away", "back 50 %", "95 %", "100 %", "lost again", "connects", "at most", "cloud CPU"
    )
    for one in report.recovery:
        if not one.devices:
            continue  # nobody was there to come back
        table.add_row(
            f"{one.down_s:,.0f} s, {one.devices} devices",
            *(_seconds(time_s) for time_s in (one.back_50_s, one.back_95_s, one.back_100_s)),
            str(one.lost_again),
            f"{one.connects_while_down:.1f} + {one.connects_after:.1f}",
            str(one.connects_after_max),
            f"{one.cloud_cpu_s:.1f} s",
        )
    return table


def _seconds(time_s: float | None) -> str:
    return "never" if time_s is None else f"{time_s:.1f} s"


def faults(report: Report) -> Table:
    """Return which faults were played, and in which states they struck devices."""
    table = _table("fault", "during", "struck", "in state")
    for fault in report.faults:
        states = ", ".join(f"{state} {count}" for state, count in fault.states.items())
        table.add_row(fault.kind, fault.during, str(fault.struck), states or "-")
    return table


def retries(report: Report) -> Table:
    """Return what devices tried again and again, and what that has cost."""
    table = _table("tried again because of", "times", "devices", "max/min", "cloud CPU")
    for retry in report.retries[:RETRIES_SHOWN_MAX]:
        table.add_row(
            retry.reason,
            str(retry.attempts),
            str(retry.devices),
            str(retry.per_device_min_max),
            f"{retry.cloud_cpu_pct:.0f} %",
        )
    return table


def costs(report: Report) -> Text:
    """Return what the run took, and whether the generator kept up."""
    cpu = ", ".join(f"{name} {cpu_s:.1f}" for name, cpu_s in report.cpu_s_by_process.items())
    digest = f"; trace {report.trace_digest}" if report.trace_digest else ""
    traffic = report.traffic
    told = (
        f"{traffic.calls_per_device:.1f} calls and {traffic.connects_per_device:.1f} connects "
        "per device; "
        if traffic is not None and (traffic.calls_per_device or traffic.connects_per_device)
        else ""  # the run has ended before anybody was asked
    )
    return Text(
        f"{report.cpu_s:.1f} s CPU ({cpu}), {report.peak_rss_mb:.0f} MiB at most, "
        f"{report.frames} frames; {told}"
        f"generator: loop lag p99 {report.generator.loop_lag_p99_ms:.1f} ms, "
        f"{report.generator.cpu_pct:.0f} % of a core per shard{digest}",
        style="dim",
    )


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for column in others:
        table.add_column(column, justify="right")
    return table
