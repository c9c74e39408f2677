import io

import msgspec
from rich.console import Console

from fleet.report.comparison import compare
from fleet.report.comparison_shown import as_page, for_terminal
from fleet.report.model import Report
from tests.report.support import NASTY, Page, a_played_report
from tests.report.test_comparison import slower, verdicts


def printed(before: Report, after: Report, *, everything: bool = False) -> str:
    console = Console(file=io.StringIO(), width=140, color_system=None)
    console.print(for_terminal(compare(before, after), everything=everything), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_is_worse_is_marked() -> None:
    text = printed(a_played_report(), slower(2))
    assert "1 figure is worse" in text
    [line] = [line for line in text.splitlines() if line.startswith("unbind.p95_ms")]
    assert line.split()[-3:] == ["+100.0", "%", "worse"]
    assert "run.wall_s" not in text
    assert "figures are as they were, or only one run has them" in text


def test_everything_is_shown_on_request() -> None:
    text = printed(a_played_report(), a_played_report(), everything=True)
    assert "run.wall_s" in text
    assert "no figures are worse" in text


def test_verdicts_and_what_differs_are_told() -> None:
    before = a_played_report(thresholds=verdicts(True))
    after = a_played_report(thresholds=verdicts(False), passed=False, seed=5)
    text = printed(before, after)
    assert "first   passed" in text
    assert "second  FAILED" in text
    assert "not the same: seed: 1 and 5" in text
    assert "threshold run.wall_s < 0: passed, now FAILED" in text


def test_the_page_says_the_same_and_escapes() -> None:
    before = a_played_report(scenario=NASTY, thresholds=verdicts(True))
    after = msgspec.structs.replace(
        slower(2), scenario=NASTY, decoder=NASTY, thresholds=verdicts(False), passed=False
    )
    page = Page(as_page(compare(before, after)))
    assert page.wrong == []
    assert (page.count("img"), page.count("script")) == (0, 0)
    assert NASTY in page.text
    for words in ("regressed", "1 figure is worse.", "run.wall_s < 0", "+100.0 % worse"):
        assert words in page.text
    assert any(a.get("class") == "worse" for name, a in page.elements if name == "td")


def test_two_runs_that_are_alike() -> None:
    page = Page(as_page(compare(a_played_report(), a_played_report())))
    assert "held" in page.text
    assert "No figure has changed." in page.text


def test_what_one_scenario_did_not_ask_is_not_called_unjudged() -> None:
    before = a_played_report(thresholds=verdicts(None))
    after = a_played_report(thresholds=verdicts(True, True))
    told = (
        "threshold run.wall_s < 0: not judged, now passed",
        "run.wall_s < 1: not asked, now passed",
    )
    text = printed(before, after)
    assert all(words in text for words in told)
    page = Page(as_page(compare(before, after)))
    assert "not judged" in page.text
    assert "not asked" in page.text
