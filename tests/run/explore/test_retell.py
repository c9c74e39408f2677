"""A case is told line by line, with the file and row that handled each event."""

import re

import pytest

from fleet.run.explore.outcome import Finding
from fleet.run.explore.retell import LINES_MAX, Cut, concerned, retell, the_last
from fleet.run.explore.trial import play_case
from tests.run.explore.support import CUT, DOWN, case
from tests.run.explore.test_trial import forget_at_crash

LINE = re.compile(r" *(\d+\.\d{3}) s  ")


def told(cut: Cut) -> list[str]:
    lines: list[str] = []
    retell(case(CUT, DOWN), cut, lines.append)
    return lines


def test_everything_is_told_in_order_and_nobody_who_looks_on_changes_it() -> None:
    lines: list[str] = []
    outcome = retell(case(CUT, DOWN), Cut(), lines.append)
    assert outcome.digest == play_case(case(CUT, DOWN)).digest
    times = [float(LINE.match(line)[1]) for line in lines]  # type: ignore[index]
    assert times == sorted(times)
    text = "\n".join(lines)
    assert "[lifecycle OFF -> BOOTING]" in text
    assert re.search(r"firmware_sim/device/lifecycle\.py:\d+$", text, re.MULTILINE)
    assert re.search(r"fleet/cloud/[\w/]+\.py:\d+$", text, re.MULTILINE)
    assert "crash" in text


def test_one_device_and_a_while_can_be_picked() -> None:
    everything, brief = told(Cut()), told(Cut(asides=False))
    assert len(brief) < len(everything)
    one = told(Cut(device=1))
    assert 0 < len(one) < len(everything)
    assert not any("device 0" in line for line in one)
    assert any("crash" in line for line in one), "it befalls all of them"
    some = told(Cut(from_s=3, to_s=8))
    times = [float(LINE.match(line)[1]) for line in some]  # type: ignore[index]
    assert 3 <= min(times) <= max(times) <= 8


def test_the_last_before_a_finding_is_about_the_device_that_it_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = case(DOWN, devices=4)
    forget_at_crash(monkeypatch)
    first = play_case(broken)
    assert first.finding is not None
    lines, again = the_last(broken, first.finding)
    assert (again.digest, again.finding) == (first.digest, first.finding)
    assert 0 < len(lines) <= LINES_MAX
    times = [float(LINE.match(line)[1]) for line in lines]  # type: ignore[index]
    assert max(times) <= first.finding.at_s


def test_a_violation_is_told_where_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_at_crash(monkeypatch)
    lines: list[str] = []
    outcome = retell(case(DOWN, devices=4), Cut(), lines.append)
    assert outcome.finding is not None
    places = [number for number, line in enumerate(lines) if " VIOLATED " in line]
    assert places
    assert outcome.finding.name in lines[places[0]]
    assert places[0] < len(lines) - 1


def test_a_device_is_known_by_its_uuid() -> None:
    unit = case(devices=4).population().units[2]
    assert concerned(case(devices=4), Finding("x", f"{unit.uuid}: bad", 1)) == 2
    assert concerned(case(devices=4), Finding("x", "all of it is bad", 1)) is None
