import msgspec

from firmware_sim.device.indicator import LIGHTS
from fleet.report.charts import charts, figures, health_chart
from fleet.report.over_time import OverTime
from fleet.report.page import static
from tests.report.support import NASTY, Page, a_played_report


def played() -> OverTime:
    over_time = a_played_report().over_time
    assert over_time is not None
    return over_time


def test_charts_of_what_there_was() -> None:
    found = {chart.id: chart for chart in charts(played())}
    assert list(found) == ["done", "times", "lights", "attempts"]
    assert [choice.name for choice in found["done"].choices] == ["so far", "per second"]
    assert found["times"].choices[0].name == "unbind, qr"
    assert [series.label for series in found["times"].choices[0].series] == [
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "max",
    ]


def test_what_never_happened_has_no_chart() -> None:
    slots = len(played().at_s)
    still = msgspec.structs.replace(
        played(), unbound=(0,) * slots, rebound=(0,) * slots, attempts={}, phases={}
    )
    assert [chart.id for chart in charts(still)] == ["lights"]


def test_cpu_and_loops_are_of_live_runs() -> None:
    assert health_chart(played()) is None
    slots = len(played().at_s)
    live = msgspec.structs.replace(
        played(),
        cpu_pct={"cloud": (5.0,) * slots, "runner": (0.0,) * slots},
        loop_lag_p99_ms=(None, *(1.5,) * (slots - 1)),
    )
    chart = health_chart(live)
    assert chart is not None
    assert [choice.name for choice in chart.choices] == [
        "CPU, % of a core",
        "how late event loops were, ms",
    ]


def test_the_table_behind_a_chart_has_its_sums_and_no_empty_rows() -> None:
    over_time = msgspec.structs.replace(played(), refused={NASTY: played().unbound})
    found = charts(over_time)
    for chart, html in zip(found, figures(over_time, found), strict=True):
        page = Page(html)
        assert page.wrong == []
        assert page.count("table") == 1
        if chart.id == "refused":
            shown = sum(1 for count in over_time.unbound if count)
            assert page.count("tr") == shown + 1
            assert NASTY in page.text


def test_each_light_has_a_colour_of_its_own_in_the_style_sheet() -> None:
    assert {
        light for light in LIGHTS if f"--l-{light}:" not in static("static/report.css")
    } == set()
    [lights] = [chart for chart in charts(played()) if chart.id == "lights"]
    assert all(one.colour == f"--l-{one.label}" for one in lights.choices[0].series)
