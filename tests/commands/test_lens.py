"""`fleet lens`: its options reach the work, and mistakes are one line."""

from pathlib import Path

import pytest

from fleet.__main__ import run
from fleet.commands import lens_bench
from fleet.commands.lens_bench import Wanted


@pytest.mark.parametrize(
    ("options", "wanted", "path"),
    [
        ([], Wanted("", 20, (), extra=False), None),
        (
            ["--decoder", "zxing", "--frames-per-level", "3", "--axis", "tilt", "--axis", "glare"],
            Wanted("zxing", 3, ("tilt", "glare"), extra=False),
            None,
        ),
        (["--extra", "--json", "x.json"], Wanted("", 20, (), extra=True), Path("x.json")),
    ],
)
def test_what_is_asked_for(
    options: list[str], wanted: Wanted, path: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def note(*what: object) -> int:
        asked.append(what[:2])
        return 1

    monkeypatch.setattr(lens_bench, "run", note)
    assert run(["lens", "bench", *options]) == 1
    assert asked == [(wanted, path)]


@pytest.mark.parametrize(
    "options", [["--decoder", "eagle"], ["--frames-per-level", "0"], ["--nope"]]
)
def test_options_that_make_no_sense(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lens", "bench", *options]) == 2
    assert "Usage: fleet lens bench" in capsys.readouterr().err


def test_an_unknown_axis_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lens", "bench", "--axis", "fog"]) == 2
    assert capsys.readouterr().err.startswith("fleet: axis 'fog' is unknown: use one of 'module'")
