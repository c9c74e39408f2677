"""Reports on file, shown again and compared; that runs write them is tested live."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from fleet.report import command, files
from fleet.report.command import FAILED, PASSED, run_virtually, show_again, show_difference
from fleet.report.comparison import TOLERANCE_PCT
from fleet.report.files import read_report, write_report
from fleet.report.model import Report
from tests.report.support import a_played_report
from tests.report.test_comparison import slower
from tests.run.test_result import a_result

QUICK = """
name = "thresholds"
title = "Two devices and a threshold"
devices = 2
patience_s = 60
products = [{ name = "camera", profile = "ipc-red-green", share = 1 }]
operators = [{ name = "owner@maker", role = "owner", share = 1 }]

[thresholds]
"outcomes.unbound" = ["== 2"]
"unbind.p95_ms" = ["%s"]
"""


def screen() -> Console:
    return Console(file=io.StringIO(), width=160, color_system=None)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def on_file(folder: Path, report: Report) -> Path:
    folder.mkdir()
    write_report(report, folder)
    return folder


@pytest.mark.parametrize(("condition", "code"), [("> 1", PASSED), ("< 1", FAILED)])
def test_thresholds_decide_the_exit_code(tmp_path: Path, condition: str, code: int) -> None:
    file, console = tmp_path / "mine.toml", screen()
    file.write_text(QUICK % condition)
    assert run_virtually(str(file), report_dir=tmp_path / "out", console=console) == code
    report = read_report(tmp_path / "out")
    assert report.passed == (code == PASSED)
    assert (report.unmet, report.violations) == ((), ())
    assert ("threshold missed: unbind.p95_ms < 1, is" in shown(console)) == (code == FAILED)
    for name in ("report.html", "report.json", "junit.xml", "phases.csv", "quotas.csv"):
        assert f"report: {tmp_path}/out/{name}\n" in shown(console)
        assert (tmp_path / "out" / name).stat().st_size > 0


def test_a_report_is_shown_again(tmp_path: Path) -> None:
    folder, console = on_file(tmp_path / "a", a_played_report()), screen()
    assert show_again(folder, console) == PASSED
    assert f"report: {folder}/report.html" in shown(console)
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    on_file(tmp_path / "b", a_played_report(passed=False))
    assert show_again(tmp_path / "b" / "report.json", screen()) == FAILED
    assert (tmp_path / "b" / "junit.xml").is_file()


def fill_disk(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let there be no room for the file of this name."""

    def write(path: Path, data: bytes) -> None:
        if path.name == name:
            raise UsageError(f"{path}: cannot be written: No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr(files, "write_atomically", write)
    monkeypatch.setattr(command, "write_atomically", write)


@pytest.mark.parametrize(
    ("name", "written"),
    [("report.json", []), ("junit.xml", ["report.json", "report.html"])],
)
def test_a_full_disk_does_not_cost_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, written: list[str]
) -> None:
    monkeypatch.setattr(command, "perform_virtual", lambda *_, **__: a_result())
    fill_disk(monkeypatch, name)
    console = screen()
    with pytest.raises(UsageError, match=f"{name}: cannot be written: No space left on device"):
        run_virtually(report_dir=tmp_path, console=console)
    paths = "".join(f"report: {tmp_path / one}\n" for one in written)
    assert shown(console).startswith(paths)
    tables = shown(console).removeprefix(paths)
    assert "report: " not in tables
    run_virtually(console=(whole := screen()))
    assert tables == shown(whole) != ""


def test_what_is_on_file_is_shown_though_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, slow = on_file(tmp_path / "a", a_played_report()), on_file(tmp_path / "b", slower(2))
    fill_disk(monkeypatch, "report.html")
    console = screen()
    with pytest.raises(UsageError, match="No space left"):
        show_again(folder, console)
    assert "report: " not in shown(console)
    assert "passed  " in shown(console)
    console, page = screen(), tmp_path / "report.html"
    with pytest.raises(UsageError, match="No space left"):
        show_difference(folder, slow, console, html=page, tolerance_pct=TOLERANCE_PCT)
    assert "unbind.p95_ms" in shown(console)


def test_two_runs_are_compared(tmp_path: Path) -> None:
    first = on_file(tmp_path / "a", a_played_report())
    second = on_file(tmp_path / "b", slower(2))
    console, page = screen(), tmp_path / "c.html"
    tolerance = TOLERANCE_PCT
    assert show_difference(first, second, console, html=page, tolerance_pct=tolerance) == PASSED
    assert f"comparison: {page}\n" in shown(console)
    assert "unbind.p95_ms" in shown(console)
    assert "1 figure is worse." in page.read_text()
    bad = on_file(tmp_path / "d", a_played_report(passed=False))
    assert show_difference(first, bad, screen(), tolerance_pct=tolerance) == FAILED
    assert sorted(path.name for path in first.iterdir()) == ["report.json"]


def test_what_is_no_report_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the report"):
        show_again(tmp_path, screen())
