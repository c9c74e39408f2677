"""The bench of decoders: its table, its JSON, and when it fails."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from firmware_sim.camera.graded.measure import Tally, Way
from firmware_sim.camera.graded.table import Level
from firmware_sim.errors import UsageError
from fleet.commands import lens_bench
from fleet.commands.lens_bench import Result, Wanted, run

TILT = Wanted("zxing", 4, ("tilt at 2.5",), extra=False)
READ, HALF, WRONG = Tally(4, 4, cpu_ns=8_000_000), Tally(4, 2), Tally(4, 3, wrong=1)


def bench(
    wanted: Wanted,
    monkeypatch: pytest.MonkeyPatch,
    tally: Tally,
    path: Path | None = None,
) -> tuple[int, str]:
    """Run it with the same tally for each way and level; return its code and what it printed."""

    def measure(
        levels: Sequence[Level], ways: list[Way], frames: int, workers: int, done: Any
    ) -> None:
        assert frames == wanted.frames
        assert workers >= 1
        for level in reversed(levels):  # workers end in any order
            done(level, {way: msgspec.structs.replace(tally) for way in ways})

    monkeypatch.setattr(lens_bench, "measure", measure)
    text = io.StringIO()
    code = run(wanted, path, Console(file=text, width=200))
    return code, text.getvalue()


def test_a_row_for_each_level_in_the_order_of_the_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = bench(TILT, monkeypatch, READ)
    assert code == 0
    head, *rows = text.splitlines()
    assert head.split() == ["axis", "level", "zxing", "%", "ms", "strategy", "%", "ms"]
    assert rows[0].split() == ["tilt", "at", "2.5", "px", "0", "deg", "100", "2.0", "100", "2.0"]
    assert [row.split()[0] for row in rows[1:6]] == ["15", "30", "40", "45", "50"]
    assert rows[6].split() == ["all", "100", "2.0", "100", "2.0"]
    assert "zxing, strategy: 100.0 % of 24 frames, 0 wrong, 0 lost, 2.0 ms of CPU" in text
    assert "below" not in text


def test_both_decoders_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = bench(Wanted("", 4, ("motion",), extra=False), monkeypatch, READ)
    assert text.splitlines()[0].split().count("strategy") == 2
    assert "pyzbar, plain" in text
    assert "zxing, strategy" in text


def test_levels_that_are_to_be_read_and_are_not_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, text = bench(Wanted("", 4, ("noise at 4",), extra=False), monkeypatch, HALF)
    assert code == 0
    (pyzbar, zxing) = (line for line in text.splitlines() if "below 90 %" in line)
    assert pyzbar.endswith("noise at 4 px 0, noise at 4 px 5, noise at 4 px 10, noise at 4 px 15")
    assert zxing.endswith("noise at 4 px 40")


def test_a_wrong_text_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = bench(TILT, monkeypatch, WRONG)
    assert code == 1
    assert "6 wrong" in text


def test_further_pictures_have_no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = bench(Wanted("", 1, (), extra=True), monkeypatch, HALF)
    assert code == 0
    assert "field of finders" in text
    assert "JPEG at 2 px" not in text
    assert "below" not in text


def test_json_holds_what_was_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    bench(TILT, monkeypatch, READ, path)
    result = msgspec.json.decode(path.read_bytes(), type=Result)
    assert (result.frames_per_level, len(result.rows)) == (4, 6)
    assert result.rows[5].level == 50
    assert result.rows[5].within_limit == {"zxing": True}
    assert [figure.strategy for figure in result.rows[0].figures] == [False, True]
    assert (result.total.figures[0].frames, result.total.figures[0].cpu_ms) == (24, 2.0)


def test_a_file_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        bench(TILT, monkeypatch, READ, tmp_path)


def test_a_folder_that_is_not_there_is_said_before_all_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lens_bench, "measure", lambda *_: pytest.fail("it was measured"))
    with pytest.raises(UsageError, match="there is no folder"):
        run(
            Wanted("zxing", 1, (), False), tmp_path / "none" / "x.json", Console(file=io.StringIO())
        )


def test_the_real_work_on_one_axis() -> None:
    text = io.StringIO()
    wanted = Wanted("zxing", 1, ("light on dark",), extra=False)
    assert run(wanted, None, Console(file=text, width=200)) == 0
    rows = text.getvalue().splitlines()
    assert rows[1].split()[4::2] == ["100", "100"]
    assert rows[2].split()[1::2] == ["0", "100"]
