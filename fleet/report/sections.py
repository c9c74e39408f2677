"""The parts of a report that say how a run went: verdict, thresholds, outcomes, times, quotas."""

from collections.abc import Iterator
from math import inf

from fleet.report.details import QuotaUse
from fleet.report.markup import Child, Html, join, table, tag
from fleet.report.model import Phase, Report
from fleet.report.page import badge, folded, section, stack
from fleet.report.words import duration, number, share
from fleet.run.checks.table import INVARIANTS

FINDINGS_MAX = 50  # in the head; all of them are in report.json
SCALE = 1000
HEAT = (0.0, 0.34, 0.67, 1.0)
_HOLDS = {invariant.name: invariant.holds for invariant in INVARIANTS}


def verdict(report: Report) -> Html:
    """Return the head of the page: passed or failed, why, and the figures that matter most."""
    lasted = duration(report.wall_s)
    if report.virtual_s is not None:
        lasted = f"{duration(report.virtual_s)} of virtual time, played in {lasted}"
    played = f"{report.devices:,} devices, seed {report.seed}, {report.mode}, {lasted}"
    kind = "good" if report.passed else "bad"
    return stack(
        tag(
            "div",
            tag(
                "div",
                badge(report.passed, "PASSED" if report.passed else "FAILED"),
                tag("h1", report.scenario),
                class_="word",
            ),
            tag("p", report.title) if report.title else None,
            tag("p", played, class_="soft"),
            _findings(report),
            class_=f"verdict {kind}",
        ),
        tag("ul", *(tile for tile in _tiles(report)), class_="tiles", aria_label="At a glance"),
    )


def _findings(report: Report) -> Html | None:
    lines = [("bad", f"ended early: {report.aborted}")] if report.aborted else []
    lines += [
        (
            "bad",
            f"threshold missed: {one.metric} {one.condition}, {one.note or f'is {number(one.value)}'}",
        )
        for one in report.thresholds
        if one.passed is False
    ]
    lines += [("bad", f"not as expected: {line}") for line in report.unmet]
    lines += [("bad", f"violated: {line}") for line in report.violations]
    if report.health is not None and report.health.bottleneck:
        lines.append(("warn", report.health.sentence))
    lines += [("warn", f"on the way: {line}") for line in report.incidents]
    lines += [("", f"left out: {line}") for line in report.left_out]
    more = len(lines) - FINDINGS_MAX
    shown = [tag("li", line, class_=kind or None) for kind, line in lines[:FINDINGS_MAX]]
    if more > 0:
        shown.append(tag("li", f"and {more} more, see report.json"))
    return tag("ul", *shown) if shown else None


def _tiles(report: Report) -> Iterator[Html]:
    unbound, devices = report.outcomes.unbound, report.devices
    if unbound or report.outcomes.refused or not report.recovery:
        whole = unbound >= devices
        yield _tile(
            "outcomes", share(unbound, devices), f"{unbound:,} of {devices:,} unbound", whole
        )
    outages = [one for one in report.recovery if one.devices]
    if outages:
        worst_s = max((one.back_100_s for one in outages), key=lambda s: inf if s is None else s)
        words = "never" if worst_s is None else duration(worst_s)
        yield _tile("recovery", words, "until all were back", worst_s is not None)
    if report.thresholds:
        yield _count_tile("thresholds", "thresholds", [one.passed for one in report.thresholds])
    if report.expectations:
        yield _count_tile("thresholds", "expectations", [one.met for one in report.expectations])
    if report.checked:
        broken = len({line.partition(":")[0] for line in report.violations})
        words = f"{len(report.checked)} invariants checked"
        yield _tile("thresholds", f"{broken} broken", words, not broken)
    unbind = report.phases.get("unbind")
    if unbind is not None and unbind.count:
        yield _tile("times", f"{number(unbind.p95_ms)} ms", "p95 to unbind one", None)
    if report.health is not None and report.health.bottleneck is not None:
        slow = report.health.bottleneck
        words = "generator was the bottleneck" if slow else "generator not the bottleneck"
        yield _tile("health", "too slow" if slow else "kept up", words, not slow)


def _count_tile(id_: str, what: str, verdicts: list[bool | None]) -> Html:
    good = sum(1 for one in verdicts if one)
    asked = sum(1 for one in verdicts if one is not None)
    return _tile(id_, f"{good} of {asked}", f"{what} met", good == asked)


def _tile(id_: str, big: str, label: str, good: object) -> Html:
    kind = None if good is None else ("good" if good else "bad")
    content = (tag("span", big, class_="big"), tag("span", label, class_="label"))
    return tag("li", tag("a", *content, href=f"#{id_}"), class_=kind)


def thresholds(report: Report) -> Html | None:
    """Return what was asked of the run, and what came of it."""
    return section(
        "thresholds",
        "Verdict",
        _threshold_table(report),
        _expectation_table(report),
        _invariant_table(report),
    )


def _threshold_table(report: Report) -> Html | None:
    rows: list[list[Child]] = [
        [
            tag("code", one.metric),
            one.condition,
            ", ".join(filter(None, ("" if one.value is None else number(one.value), one.note))),
            badge(one.passed),
        ]
        for one in report.thresholds
    ]
    head = ["figure", "threshold", "is", "verdict"]
    return table("Thresholds of the scenario", head, rows) if rows else None


def _expectation_table(report: Report) -> Html | None:
    rows: list[list[Child]] = [
        [one.name, one.wanted, "; ".join(one.told) or "as expected", badge(one.met)]
        for one in report.expectations
    ]
    if not rows:
        return None
    shown = table(
        "Expectations of the scenario", ["what", "wanted", "found", "verdict"], rows, class_="words"
    )
    return folded(
        _held("expectations met", [one.met for one in report.expectations]),
        shown,
        open_=any(one.met is False for one in report.expectations),
    )


def _invariant_table(report: Report) -> Html | None:
    broken: dict[str, int] = {}
    for line in report.violations:
        broken[line.partition(":")[0]] = broken.get(line.partition(":")[0], 0) + 1
    names = list(dict.fromkeys((*report.checked, *broken)))
    rows: list[list[Child]] = [
        [name, _HOLDS.get(name, ""), str(broken.get(name, 0)), badge(name not in broken)]
        for name in names
    ]
    if not rows:
        return None
    shown = table(
        "Invariants that were checked",
        ["name", "what holds", "violations", "verdict"],
        rows,
        class_="words",
    )
    held = _held("invariants held", [name not in broken for name in names])
    return folded(held, shown, open_=bool(broken))


def _held(what: str, verdicts: list[bool | None]) -> str:
    good = sum(1 for one in verdicts if one)
    open_ = sum(1 for one in verdicts if one is None)
    left = f", {open_} not judged" if open_ else ""
    return f"{good} of {len(verdicts) - open_} {what}{left}"


def outcomes(report: Report) -> Html | None:
    """Return how many devices came to which end, and why others did not at first."""
    found = report.outcomes
    ends = [("unbound", found.unbound), ("bound to a new owner", found.rebound)]
    ends += [(f"unbound by {method}", count) for method, count in report.by_method.items()]
    ends += [("tickets for more quota", report.tickets)] if report.tickets else []
    whole = max(report.devices, 1)
    rows: list[list[Child]] = [
        [name, f"{count:,}", share(count, whole), _bar(count, whole)] for name, count in ends
    ]
    reasons = [("refused", reason, count) for reason, count in found.refused.items()]
    reasons += [("failed", reason, count) for reason, count in found.failed.items()]
    most = max((count for *_, count in reasons), default=1)
    why: list[list[Child]] = [
        [f"{kind}: {reason}", f"{count:,}", _bar(count, most)] for kind, reason, count in reasons
    ]
    head = ["outcome", "devices", "share", "of all devices"]
    return section(
        "outcomes",
        "Outcomes and reasons",
        table("Devices by outcome", head, rows),
        table(
            "Why not at first: refusals of the cloud, failures before it",
            ["reason", "times", "compared"],
            why,
        )
        if why
        else tag("p", "Nothing was refused, and nothing failed."),
    )


def _bar(part: float, whole: float, within: float | None = None) -> Html:
    """Return a cell with a bar: `part` of `whole`, and a paler one up to `within`."""
    width = round(SCALE * min(1.0, part / whole)) if whole else 0
    outer = None if within is None or not whole else round(SCALE * min(1.0, within / whole))
    bars = [
        tag("rect", class_="back", width=SCALE, height=12),
        tag("rect", class_="whole", width=outer, height=12) if outer else None,
        tag("rect", class_="part", width=width, height=12),
    ]
    drawn = tag(
        "svg",
        *bars,
        class_="bar",
        viewBox=f"0 0 {SCALE} 12",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    return tag("td", drawn, class_="fill")


def times(report: Report) -> Html | None:
    """Return how long phases took, over all devices and by method."""
    named = []
    for name, phase in report.phases.items():
        own = {
            method: phases[name]
            for method, phases in report.phases_by_method.items()
            if name in phases and phases[name].count
        }
        if len(own) != 1:  # else all of them are of that method
            named.append((name, "all", phase))
        named += [(name, method, part) for method, part in own.items()]
    most = max((phase.max_ms for _, _, phase in named), default=0.0)
    rows = [_phase(name, method, phase, most) for name, method, phase in named if phase.count]
    head = ["phase", "method", "count", "p50", "p90", "p95", "p99", "p99.9", "max", "p50, p95"]
    return section(
        "times",
        "How long it took",
        table("Durations in milliseconds; bars: p50, and paler p95", head, rows) if rows else None,
    )


def _phase(name: str, method: str, phase: Phase, most: float) -> list[Child]:
    stats = (phase.p50_ms, phase.p90_ms, phase.p95_ms, phase.p99_ms, phase.p999_ms, phase.max_ms)
    cells = [number(value) if value is None else f"{value:,.0f}" for value in stats]
    return [name, method, f"{phase.count:,}", *cells, _bar(phase.p50_ms, most, phase.p95_ms)]


def quotas(report: Report) -> Html | None:
    """Return how much of each quota was used on which day."""
    days = sorted({use.day for use in report.quotas})
    tables = []
    for scope in sorted({use.scope for use in report.quotas}):
        by_name: dict[str, dict[str, QuotaUse]] = {}
        for use in report.quotas:
            if use.scope == scope:
                by_name.setdefault(use.name, {})[use.day] = use
        rows: list[list[Child]] = [
            [name, *(_use(uses.get(day)) for day in days)] for name, uses in by_name.items()
        ]
        caption = f"Devices unbound per {scope} and day, of how many that may be"
        tables.append(table(caption, [scope, *days], rows))
    if len(report.unbound_by_day) > 1:
        every: list[list[Child]] = [[day, f"{n:,}"] for day, n in report.unbound_by_day.items()]
        tables.append(table("Devices unbound per day", ["day", "devices"], every))
    return section("quotas", "Quotas", join(tables) if tables else None)


def _use(use: QuotaUse | None) -> Html:
    if use is None:
        return tag("td", "-")
    part = use.used / use.limit if use.limit else 1.0
    heat = sum(1 for step in HEAT if part >= step and use.used)
    return tag("td", f"{use.used:,} / {use.limit:,}", class_=f"heat{heat}")
