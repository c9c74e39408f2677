"""The tables of a report as CSV (RFC 4180): one file each, for spreadsheets and scripts.

A text that a spreadsheet would take for a formula gets an apostrophe in front of it: names of
products and reasons come from others.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from fleet.report.charts import STATS
from fleet.report.model import Phase, Report
from fleet.report.over_time import OverTime

Cell = str | float | None
Rows = Iterator[Sequence[Cell]]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def tables(report: Report) -> dict[str, str]:
    """Return the text of each file by its name; tables that an older report lacks have heads only."""
    return {name: _text(make(report)) for name, make in _TABLES.items()}


def _text(rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _phases(report: Report) -> Rows:
    yield ["phase", "method", "count", *STATS]
    for name, phase in report.phases.items():
        yield _phase(name, "all", phase)
    for method, phases in report.phases_by_method.items():
        for name, phase in phases.items():
            yield _phase(name, method, phase)


def _phase(name: str, method: str, phase: Phase) -> Sequence[Cell]:
    return [name, method, phase.count, *(getattr(phase, stat) for stat in STATS)]


def _over_time(report: Report) -> Rows:
    columns = dict(_columns(report.over_time)) if report.over_time is not None else {}
    yield ["at_s", *columns]
    if report.over_time is not None:
        for slot, at_s in enumerate(report.over_time.at_s):
            yield [at_s, *(values[slot] for values in columns.values())]


def _columns(over_time: OverTime) -> Iterator[tuple[str, Sequence[Cell]]]:
    yield "unbound", over_time.unbound
    yield "rebound", over_time.rebound
    yield "states", over_time.states
    for name, values in over_time.refused.items():
        yield f"refused.{name}", values
    for name, values in over_time.attempts.items():
        yield f"attempts.{name}", values
    for name, values in over_time.lights.items():
        yield f"lights.{name}", values
    for name, shares in over_time.cpu_pct.items():
        yield f"cpu_pct.{name}", shares
    yield "loop_lag_p99_ms", over_time.loop_lag_p99_ms
    for phase, methods in over_time.phases.items():
        for method, own in methods.items():
            for stat in ("count", *STATS):
                yield f"{phase}.{method}.{stat}", getattr(own, stat)


def _outcomes(report: Report) -> Rows:
    yield ["kind", "name", "count"]
    yield ["devices", "all", report.devices]
    yield ["outcome", "unbound", report.outcomes.unbound]
    yield ["outcome", "rebound", report.outcomes.rebound]
    yield ["outcome", "tickets", report.tickets]
    for kind, counts in (
        ("method", report.by_method),
        ("refused", report.outcomes.refused),
        ("failed", report.outcomes.failed),
        ("attack", report.attacks),
        ("day", report.unbound_by_day),
    ):
        for name, count in counts.items():
            yield [kind, name, count]


def _lights(report: Report) -> Rows:
    yield ["device", "uuid", "product", "profile", "why", "at_s", "light"]
    for device in report.lights.devices if report.lights is not None else ():
        own = (device.device, device.uuid, device.product, device.profile, device.why)
        for at_s, light in device.changes:
            yield [*own, at_s, light]


def _quotas(report: Report) -> Rows:
    yield ["scope", "name", "day", "used", "limit"]
    for use in report.quotas:
        yield [use.scope, use.name, use.day, use.used, use.limit]


_TABLES: dict[str, Callable[[Report], Rows]] = {
    "phases.csv": _phases,
    "over_time.csv": _over_time,
    "outcomes.csv": _outcomes,
    "lights.csv": _lights,
    "quotas.csv": _quotas,
}
