"""`fleet bench` as people use it: it says where everything is, and ends when it is told to."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from fleet.__main__ import run


def test_it_says_where_everything_is_and_leaves_nothing_behind(tmp_path: Path) -> None:
    env, serial = tmp_path / "env.yaml", tmp_path / "serial"
    words = ["nvr", "--count", "2", "--rate", "10", "--port", "0"]
    words += ["--serial-dir", str(serial), "--env-out", str(env)]
    process = subprocess.Popen(
        [sys.executable, "-m", "fleet", "bench", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C ends it" not in said:
        line = process.stdout.readline()
        assert line, process.communicate()
        said += line
    assert f"pytest --lg-env {env}" in said
    assert "workshop, password workshop" in said
    url = re.search(r"(http://\S+)/devices/0/power", said)
    assert url is not None
    with urllib.request.urlopen(f"{url[1]}/clock") as reply:
        assert b'"rate":10.0' in reply.read()
    assert sorted(path.name for path in serial.iterdir() if path.is_symlink()) == [
        "feasa0",
        "feasa1",
        "uart0",
        "uart1",
    ]
    assert f"{url[1]}/devices/1/led" in env.read_text()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert [path for path in serial.iterdir() if path.is_symlink()] == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["teapot"], "teapot"),
        (["nvr", "--rate", "1000"], "rate 1000: time can pass 0.1 to 100 times as fast"),
        (["nvr", "--camera", "/dev/video0"], "nvr has no lens"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *words, "--port", "0", "--serial-dir", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1
    assert [path for path in tmp_path.iterdir() if path.is_symlink()] == []
