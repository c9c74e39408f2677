from pathlib import Path

import msgspec

from fleet.report.command import BY_SIGNAL, FAILED, PASSED, run_scenario
from fleet.report.model import Report
from tests.live.run.support import QUICK, Striker, interrupt


def read(folder: Path) -> Report:
    return msgspec.json.decode((folder / "report.json").read_bytes(), type=Report)


def test_a_run_passes_and_leaves_its_report(tmp_path: Path) -> None:
    screen = Striker("never", interrupt)
    code = run_scenario(QUICK, decoder="zxing", report_dir=tmp_path / "out", console=screen.console)
    assert code == PASSED
    report = read(tmp_path / "out")
    assert report.passed
    assert report.outcomes.unbound == report.devices == 18
    assert f"report: {tmp_path}/out/report.json\npassed  quick" in screen.getvalue()


def test_ctrl_c_leaves_a_partial_report(tmp_path: Path) -> None:
    screen = Striker("  home ", interrupt)
    code = run_scenario(QUICK, decoder="zxing", report_dir=tmp_path, console=screen.console)
    assert code == BY_SIGNAL
    report = read(tmp_path)
    assert report.aborted == "interrupted"
    assert report.phases["boot"].count <= 18


def test_an_expectation_that_is_not_met_is_a_failure(tmp_path: Path) -> None:
    text = Path(QUICK).read_text(encoding="utf-8")
    scenario = tmp_path / "wrong.toml"
    folder = Path(QUICK).parent
    text = text.replace("./", f"{folder}/").replace("token_dead = 1\nno", "no")
    scenario.write_text(text.replace("[trouble]\n", "[trouble]\ntoken_dead = 1\n"), "utf-8")
    screen = Striker("never", interrupt)
    assert run_scenario(str(scenario), decoder="zxing", console=screen.console) == FAILED
    assert "not as expected: refused token_dead: 1, not expected at all" in screen.getvalue()
