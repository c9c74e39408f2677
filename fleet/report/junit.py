"""`junit.xml`: each threshold, expectation and invariant is a test case, as CI servers read them.

The elements and attributes are those that the two schemas in use agree on (windyroad/JUnit-Schema,
JUnit.xsd, and jenkinsci/xunit-plugin, junit-10.xsd). A run that ended early is an error of its own
case.
"""

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

import msgspec

from fleet.report.model import Report
from fleet.report.words import number

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NO_TIME = "1970-01-01T00:00:00"  # of a report of an older version


class Case(msgspec.Struct, frozen=True):
    """A test case. `verdict` is None if it could not be judged; `told` says why, or why it failed."""

    name: str
    verdict: bool | None
    told: str = ""


def document(report: Report) -> bytes:
    """Return the file: four suites, of the run, its thresholds, its expectations, its invariants."""
    suites = (
        ("run", [Case("complete", not report.aborted, report.aborted)]),
        ("thresholds", _thresholds(report)),
        ("expectations", _expectations(report)),
        ("invariants", _invariants(report)),
    )
    root = ET.Element("testsuites")
    for number_, (name, cases) in enumerate(suites):
        root.append(_suite(report, number_, name, cases))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _thresholds(report: Report) -> list[Case]:
    return [
        Case(
            f"{one.metric} {one.condition}",
            one.passed,
            one.note or f"is {number(one.value)}",
        )
        for one in report.thresholds
    ]


def _expectations(report: Report) -> list[Case]:
    if not report.expectations:  # of a report that lists only what was not met
        return [Case(line.partition(":")[0], verdict=False, told=line) for line in report.unmet]
    return [
        Case(f"{one.name}: {one.wanted}", one.met, "; ".join(one.told))
        for one in report.expectations
    ]


def _invariants(report: Report) -> list[Case]:
    broken: dict[str, list[str]] = {}
    for line in report.violations:
        broken.setdefault(line.partition(":")[0], []).append(line)
    names = dict.fromkeys((*report.checked, *broken))
    return [Case(name, name not in broken, "\n".join(broken.get(name, []))) for name in names]


def _suite(report: Report, number_: int, name: str, cases: Iterable[Case]) -> ET.Element:
    listed = list(cases)
    at = report.environment.written_at.rstrip("Z") if report.environment is not None else NO_TIME
    suite = ET.Element(
        "testsuite",
        {
            "name": name,
            "package": _clean(f"fleet.{report.scenario}"),
            "id": str(number_),
            "timestamp": _clean(at),
            "hostname": "localhost",
            "tests": str(len(listed)),
            "failures": str(sum(case.verdict is False for case in listed)),
            "errors": "0",
            "skipped": str(sum(case.verdict is None for case in listed)),
            "time": f"{report.wall_s if name == 'run' else 0:.3f}",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in (("seed", report.seed), ("devices", report.devices), ("mode", report.mode)):
        ET.SubElement(properties, "property", {"name": key, "value": _clean(str(value))})
    for case in listed:
        suite.append(_case(report, name, case))
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")
    return suite


def _case(report: Report, suite: str, case: Case) -> ET.Element:
    element = ET.Element(
        "testcase",
        {
            "name": _clean(case.name),
            "classname": _clean(f"fleet.{report.scenario}.{suite}"),
            "time": f"{report.wall_s if suite == 'run' else 0:.3f}",
        },
    )
    if case.verdict is None:
        ET.SubElement(element, "skipped", {"message": _clean(case.told)})
    elif not case.verdict:
        head = _clean(case.told.partition("\n")[0])
        ET.SubElement(element, "failure", {"message": head, "type": suite}).text = _clean(case.told)
    return element


def _clean(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
