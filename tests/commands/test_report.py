from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_sim.errors import UsageError
from fleet.cli import cli
from fleet.report.files import write_report
from tests.report.support import a_played_report
from tests.report.test_comparison import slower


def made(folder: Path, **changes: object) -> str:
    folder.mkdir()
    write_report(a_played_report(**changes), folder)
    return str(folder)


def test_one_run_is_shown_again(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["report", made(tmp_path / "a")])
    assert (done.exit_code, "report.html" in done.stdout) == (0, True)
    assert CliRunner().invoke(cli, ["report", made(tmp_path / "b", passed=False)]).exit_code == 1


def test_two_runs_are_compared(tmp_path: Path) -> None:
    first, page = made(tmp_path / "a"), tmp_path / "page.html"
    (tmp_path / "b").mkdir()
    write_report(slower(1.2), tmp_path / "b")
    runs = ["report", first, str(tmp_path / "b")]
    done = CliRunner().invoke(cli, [*runs, "--html", str(page)])
    assert (done.exit_code, page.is_file()) == (0, True)
    assert "1 figure is worse" in done.stdout
    wide = CliRunner().invoke(cli, [*runs, "--tolerance-pct", "25", "--all"])
    assert "no figures are worse" in wide.stdout
    assert "run.wall_s" in wide.stdout


@pytest.mark.parametrize("option", [["--html", "x"], ["--tolerance-pct", "1"], ["--all"]])
def test_what_takes_two_runs(tmp_path: Path, option: list[str]) -> None:
    done = CliRunner().invoke(cli, ["report", str(tmp_path), *option])
    assert isinstance(done.exception, UsageError)
    assert "take two runs; name a second one" in str(done.exception)
