"""A report as tables for a terminal: verdict first, then outcomes, then times."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleet.report.model import Report

_GOOD, _BAD = "green", "red"


def render(report: Report) -> RenderableType:
    """Return everything a person wants to know after a run."""
    parts: list[RenderableType] = [verdict(report), "", outcomes(report), ""]
    if any(phase.count for phase in report.phases.values()):
        parts += [phases(report), ""]
    parts.append(costs(report))
    return Group(*parts)


def verdict(report: Report) -> Text:
    """Return pass or fail, and one line for everything that is behind a fail."""
    text = Text()
    text.append("passed" if report.passed else "FAILED", f"bold {_GOOD if report.passed else _BAD}")
    text.append(f"  {report.scenario}, {report.devices} devices, {report.wall_s:.1f} s")
    for style, line in _findings(report):
        text.append(f"\n  {line}", style)
    return text


def _findings(report: Report) -> Iterator[tuple[str, str]]:
    if report.aborted:
        yield _BAD, f"ended early: {report.aborted}"
    for violation in report.violations:
        yield _BAD, f"violated: {violation}"
    for line in report.unmet:
        yield _BAD, f"not as expected: {line}"
    for line in report.incidents:
        yield "yellow", f"on the way: {line}"
    for line in report.left_out:
        yield "dim", f"not expected of so few devices: {line}"


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
    return table


def phases(report: Report) -> Table:
    """Return how long each phase took, in milliseconds."""
    table = _table("phase (ms)", "count", "p50", "p90", "p95", "p99", "max")
    for name, phase in report.phases.items():
        times = (phase.p50_ms, phase.p90_ms, phase.p95_ms, phase.p99_ms, phase.max_ms)
        table.add_row(name, str(phase.count), *(f"{time_ms:,.0f}" for time_ms in times))
    return table


def costs(report: Report) -> Text:
    """Return what the run took, and whether the generator kept up."""
    cpu = ", ".join(f"{name} {cpu_s:.1f}" for name, cpu_s in report.cpu_s_by_process.items())
    return Text(
        f"{report.cpu_s:.1f} s CPU ({cpu}), {report.peak_rss_mb:.0f} MiB at most, "
        f"{report.frames} frames; generator: loop lag p99 {report.generator.loop_lag_p99_ms:.1f} ms, "
        f"{report.generator.cpu_pct:.0f} % of a core per shard",
        style="dim",
    )


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for column in others:
        table.add_column(column, justify="right")
    return table
