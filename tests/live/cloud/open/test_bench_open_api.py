"""The benchmark of the Open API runs from end to end, with a handful of devices."""

from pathlib import Path

import pytest

from tools import bench_open_api

TINY = ("--devices", "30", "--calls", "6", "--connections", "2", "--repeats", "2")


def test_every_figure_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(bench_open_api, "pin", lambda core: None)
    bench_open_api.main([*TINY, "--folder", str(tmp_path)])
    names = [f"{row.name:14}" for row in bench_open_api.ROWS]
    lines = capsys.readouterr().out.splitlines()
    for begin in ("30 devices sown", "RSS at rest", "RSS at the end", *names):
        [line] = [line for line in lines if line.startswith(begin)]
        assert any(figure.isdecimal() for figure in line[len(begin) :])
    assert not list(tmp_path.iterdir())


def test_there_must_be_devices_for_all_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench_open_api.main(["--devices", "5", "--calls", "3", "--repeats", "2"])
    assert "too few" in capsys.readouterr().err
