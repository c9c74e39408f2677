"""The options of `fleet led` are handed on."""

from pathlib import Path

import pytest
from rich.console import Console

from fleet.__main__ import run
from fleet.commands import lamps
from fleet.commands.lamps import Pictures


def test_every_option_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def stand_in(*arguments: object) -> int:
        assert isinstance(arguments[-1], Console)
        asked.append(arguments[:-1])
        return 7

    monkeypatch.setattr(lamps, "show", stand_in)
    assert run(["led", "nvr"]) == 7
    files = "--gif a.gif --apng a.png --png b.png --svg b.svg"
    assert run(["led", "nvr", "--state", "online", *files.split(), "--seconds", "1.5"]) == 7
    pictures = Pictures(Path("a.gif"), Path("a.png"), Path("b.png"), Path("b.svg"))
    assert asked == [("nvr", None, Pictures(), None), ("nvr", "online", pictures, 1.5)]


def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["led", "toaster"]) == 2
    assert capsys.readouterr().err.startswith("fleet: no profile 'toaster'; allowed: ")
