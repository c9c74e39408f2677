from xml.etree import ElementTree as ET

import msgspec

from fleet.report.details import Expectation
from fleet.report.junit import document
from fleet.report.model import Report
from fleet.report.verdicts import ThresholdVerdict
from tests.report.support import MACHINE, NASTY, OLDEST, a_played_report

# What both schemas in use want (windyroad/JUnit-Schema, jenkinsci/xunit-plugin).
SUITE = {"name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "time"}
CASE = {"name", "classname", "time"}


def suites(report: Report) -> dict[str, ET.Element]:
    root = ET.fromstring(document(report))
    assert root.tag == "testsuites"
    return {suite.attrib["name"]: suite for suite in root}


def test_every_threshold_expectation_and_invariant_is_a_case() -> None:
    report = a_played_report()
    found = suites(report)
    assert list(found) == ["run", "thresholds", "expectations", "invariants"]
    names = {
        name: [case.attrib["name"] for case in s.iter("testcase")] for name, s in found.items()
    }
    assert names["run"] == ["complete"]
    assert names["thresholds"] == [
        "outcomes.unbound_pct >= 100",
        "unbind.qr.p95_ms < 60000",
        "generator.cpu_pct < 90",
    ]
    assert [name.partition(":")[0] for name in names["expectations"]] == [
        "unbound",
        "rebound",
        "failed wifi_password",
        "reasons",
    ]
    assert names["invariants"] == list(report.checked)
    assert len(report.checked) == 14


def test_the_document_has_the_form_that_ci_servers_read() -> None:
    for suite in suites(a_played_report()).values():
        assert suite.attrib.keys() >= SUITE
        assert [child.tag for child in suite if child.tag != "testcase"] == [
            "properties",
            "system-out",
            "system-err",
        ]
        assert suite[0].tag == "properties"
        cases = list(suite.iter("testcase"))
        assert suite.attrib["timestamp"] == "2026-01-02T03:04:05"
        assert int(suite.attrib["tests"]) == len(cases)
        assert all(case.attrib.keys() == CASE and len(case) <= 1 for case in cases)


def test_what_failed_says_why_and_what_was_not_judged_is_skipped() -> None:
    report = a_played_report(
        aborted="disk full",
        thresholds=(
            ThresholdVerdict("unbind.p95_ms", "< 1", 2.0, passed=False, note=""),
            ThresholdVerdict("run.speedup", "> 1", None, passed=None, note="not in a live run"),
        ),
        expectations=(Expectation("unbound", "100 %", met=False, told=(NASTY,)),),
        violations=("one_owner: a: two", "one_owner: b: two"),
    )
    found = suites(report)
    counts = {name: (s.attrib["failures"], s.attrib["skipped"]) for name, s in found.items()}
    assert counts == {
        "run": ("1", "0"),
        "thresholds": ("1", "1"),
        "expectations": ("1", "0"),
        "invariants": ("1", "0"),
    }
    [threshold] = found["thresholds"].iter("failure")
    assert (threshold.attrib["message"], threshold.attrib["type"]) == ("is 2", "thresholds")
    [skipped] = found["thresholds"].iter("skipped")
    assert skipped.attrib["message"] == "not in a live run"
    [expectation] = found["expectations"].iter("failure")
    assert expectation.text == NASTY
    [invariant] = found["invariants"].iter("failure")
    assert invariant.text == "one_owner: a: two\none_owner: b: two"


def test_what_xml_cannot_hold_is_replaced() -> None:
    report = a_played_report(aborted="a\x00b\x1b[31m\ud800c\uffff")
    [failure] = suites(report)["run"].iter("failure")
    assert failure.text == "a\ufffdb\ufffd[31m\ufffdc\ufffd"


def test_a_report_that_somebody_has_changed_is_still_xml() -> None:
    machine = msgspec.structs.replace(MACHINE, written_at="\x00")
    found = suites(a_played_report(environment=machine, mode="\x01"))
    assert found["run"].attrib["timestamp"] == "\ufffd"


def test_an_old_report_has_the_cases_that_failed() -> None:
    old = msgspec.convert(OLDEST | {"unmet": ["unbound: 2 of 3"]}, Report)
    found = suites(old)
    assert [case.attrib["name"] for case in found["expectations"].iter("testcase")] == ["unbound"]
    assert [case.attrib["name"] for case in found["invariants"].iter("testcase")] == ["one_owner"]
    assert found["run"].attrib["timestamp"] == "1970-01-01T00:00:00"
