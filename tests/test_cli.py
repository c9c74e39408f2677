"""The command line: what it answers, and that every mistake is one line."""

import sys
from pathlib import Path

import pytest

from firmware_sim.errors import Malformed, UsageError
from fleet.__main__ import main, run
from fleet.commands.access import Access
from hw_profiles import catalog

WHO = ["--cloud", "http://c", "--account", "ann", "--password", "pw"]
ANN = Access("http://c", "ann", "pw")


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUD", "PASSWORD", "WIFI_PASSWORD", "DECODER"):
        monkeypatch.delenv(f"FLEET_{name}", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)


# --- the rule about mistakes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("two\nlines  of text"), 2), (Malformed("not ours"), 1)]
)
def test_a_mistake_is_one_line(
    error: Exception,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(catalog, "names", fail)
    assert run(["profiles"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"fleet: {' '.join(str(error).split())}\n"


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalog, "names", interrupt)
    assert run(["profiles"]) == 130


def test_main_takes_the_arguments_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["fleet", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0


@pytest.mark.parametrize(
    "arguments",
    [["--nope"], ["nope"], ["app", "nope"], ["doctor", "--devices", "0"], ["profiles", "x"]],
)
def test_an_unknown_option_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "Usage: fleet" in capsys.readouterr().err


# --- small commands -----------------------------------------------------------------------------


def test_profiles_lists_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(catalog.names())


# --- what is written about it -------------------------------------------------------------------

EXAMPLES = [
    line.split("#")[0].split("fleet ", 1)[1].split()
    for path in ("README.md", "fleet/app/README.md")
    for line in (Path(__file__).parents[1] / path).read_text(encoding="utf-8").splitlines()
    if line.startswith(("fleet ", "tools/fleet "))
]


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_examples_use_commands_and_options_that_exist(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    depth = 2 if words[0] == "app" else 1
    assert run([*words[:depth], "--help"]) == 0
    text = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and f"{word} " not in text] == []
