from fleet.report import sections
from fleet.report.details import Expectation, QuotaUse
from fleet.report.health import Health
from fleet.report.making import make_report
from fleet.report.markup import Html
from fleet.report.model import Report
from tests.report.support import NASTY, Page, a_played_report
from tests.run.test_result import a_bad_day


def text_of(part: Html | None) -> str:
    assert part is not None
    page = Page(part)
    assert page.wrong == []
    return page.text


def tiles(report: Report) -> list[str | None]:
    page = Page(sections.verdict(report))
    return [a.get("class") for name, a in page.elements if name == "li"]


def test_a_glance_is_enough_for_a_good_run() -> None:
    text = text_of(sections.verdict(a_played_report()))
    for words in (
        "PASSED",
        "100 % 8 of 8 unbound",
        "2 of 2 thresholds met",
        "4 of 4 expectations met",
        "0 broken 14 invariants checked",
        "kept up generator not the bottleneck",
    ):
        assert words in text
    assert "bad" not in tiles(a_played_report())


def test_a_glance_is_enough_for_a_bad_one() -> None:
    slow = Health(True, "It was too slow.", 99.0, {"0": 99.0}, 99.0)
    report = a_played_report(passed=False, devices=9, violations=("one_owner: x",), health=slow)
    text = text_of(sections.verdict(report))
    for words in ("FAILED", "violated: one_owner: x", "It was too slow.", "1 broken", "too slow"):
        assert words in text
    assert tiles(report).count("bad") == 4


def test_the_worst_outage_is_on_a_tile() -> None:
    assert "never until all were back" in text_of(sections.verdict(make_report(a_bad_day())))


def test_what_failed_is_unfolded() -> None:
    missed = Expectation("unbound", "100 %", met=False, told=(NASTY,))
    page = Page(str(sections.thresholds(a_played_report(expectations=(missed,)))))
    assert [("open" in a) for name, a in page.elements if name == "details"] == [True, False]
    assert "0 of 1 expectations met" in page.text
    assert NASTY in page.text
    broken = Page(str(sections.thresholds(a_played_report(violations=("one_owner: x",)))))
    assert "13 of 14 invariants held" in broken.text
    assert [("open" in a) for name, a in broken.elements if name == "details"] == [False, True]


def test_reasons_are_told() -> None:
    text = text_of(sections.outcomes(a_played_report()))
    assert "failed: wifi_password 1" in text
    quiet = make_report(a_bad_day())
    assert "refused: token_full 1" in text_of(sections.outcomes(quiet))


def test_phases_are_told_by_method_where_there_are_several() -> None:
    report = a_played_report()
    page = Page(str(sections.times(report)))
    rows = page.text
    assert "unbind all 8" in rows
    assert "unbind qr 5" in rows
    assert "unbind wired 3" in rows
    assert "scan all" not in rows
    assert "p99.9" in rows


def test_quotas_are_told_by_day() -> None:
    uses = tuple(
        QuotaUse("account", NASTY, f"2026-01-0{day}", used, 100)
        for day, used in ((1, 100), (2, 40), (3, 0))
    )
    page = Page(str(sections.quotas(a_played_report(quotas=uses, unbound_by_day={"a": 1, "b": 2}))))
    assert page.wrong == []
    heat = [a["class"] for name, a in page.elements if name == "td" and "class" in a]
    assert heat == ["heat4", "heat2", "heat0"]
    assert NASTY in page.text
    assert page.count("table") == 2
    assert sections.quotas(a_played_report(quotas=(), unbound_by_day={})) is None
