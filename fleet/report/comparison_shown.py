"""A comparison of two runs for people: as tables for a terminal, and as a page."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleet.report.comparison import Comparison, Difference
from fleet.report.markup import Child, Html, table, tag
from fleet.report.model import Report
from fleet.report.page import badge, folded, page, section, stack
from fleet.report.words import number

_STYLES = {"worse": "red", "better": "green", "other": "", "same": "dim"}
_VERDICTS = {True: "passed", False: "FAILED", None: "not judged"}
_HEAD = ("figure", "first", "second", "change", "so it is")


def for_terminal(comparison: Comparison, *, everything: bool) -> RenderableType:
    """Return verdicts, and the figures that have changed, or all of them."""
    parts: list[RenderableType] = [_verdict(comparison), ""]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(_HEAD):
        shown.add_column(column, justify="right" if 0 < place < 4 else "left")
    found = comparison.differences if everything else comparison.changed
    for one in found:
        shown.add_row(*_cells(one), style=_STYLES[one.change])
    if found:
        parts.append(shown)
    left = len(comparison.differences) - len(found)
    if left:
        parts.append(Text(f"{left} figures are as they were, or only one run has them", "dim"))
    return Group(*parts)


def _verdict(comparison: Comparison) -> Text:
    before, after = comparison.before, comparison.after
    text = Text()
    for word, report in (("first ", before), ("second", after)):
        style = "bold green" if report.passed else "bold red"
        text.append(f"{word}  ")
        text.append("passed" if report.passed else "FAILED", style)
        text.append(f"  {report.scenario}, seed {report.seed}, {report.devices} devices\n")
    for line in comparison.warnings:
        text.append(f"not the same: {line}\n", "yellow")
    for one in comparison.turned:
        style = "red" if one.after is False else "green"
        was = _word(before, one.threshold, passed=one.before)
        words = f"{was}, now {_word(after, one.threshold, passed=one.after)}"
        text.append(f"threshold {one.threshold}: {words}\n", style)
    text.append(_count(comparison), "red" if comparison.worse else "green")
    return text


def _count(comparison: Comparison) -> str:
    count = len(comparison.worse)
    return "1 figure is worse" if count == 1 else f"{count or 'no'} figures are worse"


def _cells(one: Difference) -> Sequence[str]:
    change = "" if one.change_pct is None else f"{one.change_pct:+.1f} %"
    word = {"worse": "worse", "better": "better", "other": "", "same": ""}[one.change]
    return (one.metric, number(one.before), number(one.after), change, word)


def as_page(comparison: Comparison) -> str:
    """Return the comparison as one HTML file, of the same make as the report."""
    kind = "bad" if comparison.regressed else "good"
    head = tag(
        "div",
        tag(
            "div",
            badge(not comparison.regressed, "regressed" if comparison.regressed else "held"),
            tag("h1", f"{comparison.before.scenario}: two runs"),
            class_="word",
        ),
        tag("p", f"{_count(comparison)}."),
        tag(
            "ul",
            *(tag("li", f"not the same: {line}", class_="warn") for line in comparison.warnings),
        ),
        class_=f"verdict {kind}",
    )
    main = tag(
        "main",
        section("runs", "Verdicts", _runs(comparison), _turned(comparison)),
        section("figures", "Figures", *_figures(comparison)),
        id="main",
    )
    body = stack(tag("header", head, class_="top"), main)
    return page(f"two runs of {comparison.before.scenario}", body)


def _runs(comparison: Comparison) -> Html:
    rows: list[list[Child]] = [
        [
            word,
            report.scenario,
            str(report.seed),
            f"{report.devices:,}",
            report.mode,
            report.environment.written_at if report.environment is not None else "-",
            badge(report.passed),
        ]
        for word, report in (("first", comparison.before), ("second", comparison.after))
    ]
    head = ["run", "scenario", "seed", "devices", "mode", "written", "verdict"]
    return table("The two runs", head, rows)


def _word(report: Report, threshold: str, *, passed: bool | None) -> str:
    """Return a verdict in words; a run of another scenario may not have been asked."""
    asked = any(f"{one.metric} {one.condition}" == threshold for one in report.thresholds)
    return _VERDICTS[passed] if asked else "not asked"


def _turned(comparison: Comparison) -> Html | None:
    runs = (comparison.before, comparison.after)
    rows: list[list[Child]] = [
        [
            one.threshold,
            *(
                badge(passed, "" if passed is not None else _word(run, one.threshold, passed=None))
                for run, passed in zip(runs, (one.before, one.after), strict=True)
            ),
        ]
        for one in comparison.turned
    ]
    caption = "Thresholds with another verdict"
    return table(caption, ["threshold", "first", "second"], rows) if rows else None


def _figures(comparison: Comparison) -> Iterator[Html]:
    changed = comparison.changed
    same = [one for one in comparison.differences if one not in changed]
    if changed:
        yield table("Figures that have changed", _HEAD, map(_row, changed))
    else:
        yield tag("p", "No figure has changed.")
    if same:
        caption = "Figures that are as they were, or that only one run has"
        yield folded(caption, table(caption, _HEAD, map(_row, same)))


def _row(one: Difference) -> list[Child]:
    name, *cells = _cells(one)
    kind = one.change if one.change in ("worse", "better") else None
    return [tag("code", name), *(tag("td", cell, class_=kind) for cell in cells)]
