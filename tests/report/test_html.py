import json
import re

import msgspec
import pytest

from fleet.report.html import render
from fleet.report.making import make_report
from fleet.report.model import Report
from fleet.report.page import static
from fleet.report.verdicts import ThresholdVerdict
from tests.report.support import MACHINE, NASTY, OLDEST, SECRET, Page, a_played_report
from tests.run.test_result import a_bad_day

SECTIONS = [
    "thresholds",
    "outcomes",
    "times",
    "over-time",
    "quotas",
    "lights",
    "health",
    "recovery",
    "scenario",
    "environment",
]


def test_the_page_is_well_formed_and_in_order() -> None:
    page = Page(render(a_played_report()))
    assert page.wrong == []
    sections = [attributes["id"] for name, attributes in page.elements if name == "section"]
    assert sections == SECTIONS
    assert page.text.index("PASSED") < page.text.index("Verdict") < page.text.index("Outcomes and")
    assert page.count("h1") == 1


def test_whoever_cannot_see_finds_everything() -> None:
    page = Page(render(a_played_report()))
    named = {attributes.get("id") for _, attributes in page.elements}
    links = [attributes["href"] or "" for name, attributes in page.elements if name == "a"]
    assert links
    assert {link.removeprefix("#") for link in links} <= named
    labels = [a["aria-labelledby"] for name, a in page.elements if name == "section"]
    assert set(labels) <= named
    charts = [a for name, a in page.elements if name == "div" and "data-chart" in a]
    assert len(charts) == page.count("figure") >= 3
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    tables = "".join(static("static/report.js") + render(a_played_report()))
    assert tables.count("<summary>Table: ") > len(charts), "one more for the lights"
    assert page.count("caption") == page.count("table")
    assert page.elements[0] == ("html", {"lang": "en"})


def test_names_of_others_stay_texts() -> None:
    report = a_played_report(unmet=(NASTY,), incidents=(NASTY,), decoder=NASTY)
    text = render(report)
    page = Page(text)
    assert page.wrong == []
    assert page.count("img") == 0
    assert page.count("script") == 3, "data, uPlot, and what draws"
    assert NASTY in page.text
    assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;|\\u003c.*?\\u003e", "", text)
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    assert not any(name == "style" for _, a in page.elements for name in a)


def test_nothing_is_asked_for() -> None:
    text = render(a_played_report())
    page = Page(text)
    asked = [a[key] for _, a in page.elements for key in ("src", "href", "action") if key in a]
    assert [where for where in asked if not (where or "").startswith("#")] == []
    assert not re.search(r"@import|url\(", text)
    [policy] = [a["content"] for _, a in page.elements if a.get("http-equiv")]
    assert (policy or "").startswith("default-src 'none'")
    assert "unsafe" not in (policy or "")


def test_no_secret_is_on_the_page() -> None:
    text = render(a_played_report())
    assert SECRET not in text
    assert "password = &quot;***&quot;" in text


def test_the_charts_know_what_the_tables_know() -> None:
    text = render(a_played_report())
    data = re.search(r'<script type="application/json" id="charts">(.*?)</script>', text)
    assert data is not None
    charts = {chart["id"]: chart for chart in json.loads(data[1])}
    assert list(charts)[:3] == ["done", "times", "lights"]
    [unbound, _] = charts["done"]["choices"][0]["series"]
    assert unbound["values"][-1] == 8
    assert all(
        len(series["values"]) == len(chart["x_s"])
        for chart in charts.values()
        for choice in chart["choices"]
        for series in choice["series"]
    )


def test_a_run_that_failed_says_so_and_why_first() -> None:
    missed = ThresholdVerdict("unbind.p95_ms", "< 1", 5.0, passed=False, note="")
    report = a_played_report(
        passed=False, thresholds=(missed,), violations=("one_owner: x: two",), aborted="disk full"
    )
    text = Page(render(report)).text
    head = text[: text.index("At a glance") if "At a glance" in text else text.index("Verdict")]
    for words in (
        "FAILED",
        "ended early: disk full",
        "threshold missed: unbind.p95_ms < 1, is 5",
        "violated: one_owner: x: two",
    ):
        assert words in head


def test_more_findings_than_fit_are_counted() -> None:
    text = Page(
        render(a_played_report(violations=tuple(f"quotas_kept: {n}" for n in range(80))))
    ).text
    assert "violated: quotas_kept: 49" in text
    assert "and 30 more, see report.json" in text


def test_a_bad_day_is_told() -> None:
    text = Page(render(make_report(a_bad_day(), MACHINE))).text
    for words in ("1 min", "never", "power_cut", "booting 1, resetting 2", "TOKEN_DEAD", "3.33"):
        assert words in text


def test_a_report_of_the_oldest_version_is_a_page() -> None:
    page = Page(render(msgspec.convert(OLDEST, Report)))
    assert page.wrong == []
    sections = [attributes["id"] for name, attributes in page.elements if name == "section"]
    assert sections == ["thresholds", "outcomes", "times", "health", "scenario"]
    assert page.count("script") == 0
    assert "violated: one_owner: somebody: has two" in page.text


@pytest.mark.parametrize("name", ["static/report.js", "static/report.css"])
def test_our_own_files_ask_for_nothing_and_write_no_html(name: str) -> None:
    text = static(name)
    for word in ("innerHTML", "http://", "https://", "eval(", "fetch(", "document.write"):
        assert word not in text
