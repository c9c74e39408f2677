from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.report import command
from fleet.report.command import BY_SIGNAL, FAILED, PASSED, run_scenario
from fleet.report.model import Report
from tests.live.run.support import QUICK, Striker, interrupt
from tests.run.test_result import a_result


def read(folder: Path) -> Report:
    return msgspec.json.decode((folder / "report.json").read_bytes(), type=Report)


def test_a_run_passes_and_leaves_its_report(tmp_path: Path) -> None:
    screen = Striker("never", interrupt)
    code = run_scenario(QUICK, decoder="zxing", report_dir=tmp_path / "out", console=screen.console)
    assert code == PASSED
    report = read(tmp_path / "out")
    assert report.passed
    assert report.outcomes.unbound == report.devices == 18
    assert f"report: {tmp_path}/out/report.json\nreport: {tmp_path}/out/report.html\n" in (
        screen.getvalue()
    )
    assert "\npassed  quick" in screen.getvalue()
    assert report.over_time is not None
    assert sum(report.over_time.unbound) == 18
    for phase, methods in report.over_time.phases.items():
        assert sum(sum(own.count) for own in methods.values()) == report.phases[phase].count
    assert {"cloud", "runner", "shards/0"} <= set(report.over_time.cpu_pct)
    assert report.health is not None
    assert "0" in report.health.cpu_pct_by_shard
    assert report.lights is not None
    assert report.lights.tracked == 18
    assert sum(use.used for use in report.quotas if use.scope == "account") == 18


def test_ctrl_c_leaves_a_partial_report(tmp_path: Path) -> None:
    screen = Striker("  home ", interrupt)
    code = run_scenario(QUICK, decoder="zxing", report_dir=tmp_path, console=screen.console)
    assert code == BY_SIGNAL
    report = read(tmp_path)
    assert report.aborted == "interrupted"
    assert report.phases["boot"].count <= 18


def test_what_stands_against_a_run_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    for finding in ("unmet", "violations"):
        result = msgspec.structs.replace(a_result(), **{finding: ("the reason",)})
        monkeypatch.setattr(command, "perform", lambda *_, result=result, **__: result)
        screen = Striker("never", interrupt)
        assert run_scenario(QUICK, console=screen.console) == FAILED
        assert ": the reason" in screen.getvalue()
        assert "report:" not in screen.getvalue()


def test_a_place_where_no_report_can_be_is_known_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no report can be written"):
        run_scenario(QUICK, report_dir=tmp_path / "file")
