"""The charts of a report, and the tables behind them."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from fleet.report.markup import Child, Html, table
from fleet.report.over_time import PERCENTILES, Counts, OverTime, PhaseOverTime
from fleet.report.page import Chart, Choice, Series, figure
from fleet.report.words import duration, number

STATS = {
    "p50_ms": "p50",
    "p90_ms": "p90",
    "p95_ms": "p95",
    "p99_ms": "p99",
    "p999_ms": "p99.9",
    "max_ms": "max",
}
assert list(STATS)[:-1] == list(PERCENTILES), "each percentile has its heading"


def charts(over_time: OverTime) -> tuple[Chart, ...]:
    """Return all charts that have something to show."""
    found = (
        _chart(over_time, "done", "Devices unbound and bound anew", "devices", _done(over_time)),
        _chart(over_time, "times", "How long phases took", "ms", _phases(over_time)),
        _chart(over_time, "lights", "What lights showed", "devices", _lights(over_time)),
        _chart(over_time, "refused", "Refusals by reason", "per slot", _counts(over_time.refused)),
        _chart(
            over_time,
            "attempts",
            "Attempts that failed, by kind",
            "per slot",
            _counts(over_time.attempts),
        ),
    )
    return tuple(chart for chart in found if chart is not None)


def health_chart(over_time: OverTime) -> Chart | None:
    """Return what processes and event loops had to bear; None where nobody has measured it."""
    cpu = tuple(Series(name, values) for name, values in over_time.cpu_pct.items() if any(values))
    choices = []
    if cpu and any(name != "runner" for name in over_time.cpu_pct):
        choices.append(Choice("CPU, % of a core", cpu))
    if any(value is not None for value in over_time.loop_lag_p99_ms):
        lag = Series("p99", over_time.loop_lag_p99_ms)
        choices.append(Choice("how late event loops were, ms", (lag,)))
    return _chart(over_time, "health", "CPU and event loops", "", choices)


def figures(over_time: OverTime, found: Sequence[Chart]) -> Iterator[Html]:
    """Return the places of the charts, each with its table."""
    note = f"Slots of {duration(over_time.slot_s)}."
    for chart in found:
        if chart.id == "times":
            yield figure(chart, _times_table(over_time), f"{note} Of what ended in each of them.")
        else:
            yield figure(chart, _chart_table(over_time, chart), note)


def _chart(
    over_time: OverTime, id_: str, title: str, unit: str, choices: Sequence[Choice]
) -> Chart | None:
    return Chart(id_, title, unit, over_time.at_s, tuple(choices)) if choices else None


def _done(over_time: OverTime) -> list[Choice]:
    named = [("unbound", over_time.unbound), ("bound anew", over_time.rebound)]
    there = [(name, counts) for name, counts in named if any(counts)]
    if not there:
        return []
    so_far = tuple(Series(name, tuple(accumulate(counts))) for name, counts in there)
    rates = tuple(
        Series(f"{name} per s", _per_s(counts, over_time.slot_s), bars=True)
        for name, counts in there
    )
    return [Choice("so far", so_far), Choice("per second", rates)]


def _per_s(counts: Counts, slot_s: float) -> tuple[float, ...]:
    return tuple(round(count / slot_s, 4) for count in counts)


def _phases(over_time: OverTime) -> list[Choice]:
    found = [
        (phase, method, columns)
        for phase, methods in over_time.phases.items()
        for method, columns in methods.items()
    ]
    found.sort(key=lambda one: (one[0] != "unbind", one[0] != "rebind"))
    return [
        Choice(
            f"{phase}, {method}",
            tuple(Series(word, getattr(columns, stat)) for stat, word in STATS.items()),
        )
        for phase, method, columns in found
    ]


def _lights(over_time: OverTime) -> list[Choice]:
    lit = [(light, counts) for light, counts in over_time.lights.items() if any(counts)]
    lit.sort(key=lambda one: -max(one[1]))
    lines = tuple(Series(light, counts, colour=f"--l-{light}") for light, counts in lit)
    return [Choice("all", lines)] if lit else []


def _counts(by_name: dict[str, Counts]) -> list[Choice]:
    there = [(name, counts) for name, counts in by_name.items() if any(counts)]
    there.sort(key=lambda one: -sum(one[1]))
    series = tuple(Series(name, counts, bars=len(there) == 1) for name, counts in there)
    return [Choice("all", series)] if series else []


def _chart_table(over_time: OverTime, chart: Chart) -> Html:
    columns = [series for choice in chart.choices for series in choice.series]
    rows: list[list[Child]] = [
        [duration(at_s), *(number(series.values[slot]) for series in columns)]
        for slot, at_s in enumerate(over_time.at_s)
        if any(series.values[slot] for series in columns)
    ]
    return table(chart.title, ["from", *(series.label for series in columns)], rows)


def _times_table(over_time: OverTime) -> Html:
    rows = [
        row
        for phase, methods in over_time.phases.items()
        for method, columns in methods.items()
        for row in _phase_rows(over_time, f"{phase}, {method}", columns)
    ]
    head = ["phase", "from", "count", *(f"{word}, ms" for word in STATS.values())]
    return table("How long phases took, slot by slot", head, rows)


def _phase_rows(over_time: OverTime, name: str, columns: PhaseOverTime) -> Iterator[list[Child]]:
    for slot, count in enumerate(columns.count):
        if count:
            figures_ms = (number(getattr(columns, stat)[slot]) for stat in STATS)
            yield [name, duration(over_time.at_s[slot]), str(count), *figures_ms]
