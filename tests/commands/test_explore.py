"""`fleet explore` and `fleet replay` hand on every option."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fleet.__main__ import run
from fleet.run.explore import command
from fleet.run.explore import replay as again
from fleet.run.explore.command import Search
from fleet.run.explore.retell import FOREVER_S, Cut


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace what explores and replays by a note of what it was asked; each returns 7."""
    notes: list[tuple[Any, ...]] = []

    def stand_in(*arguments: Any) -> int:
        assert isinstance(arguments[-1], Console)
        notes.append(arguments[:-1])
        return 7

    monkeypatch.setattr(command, "explore", stand_in)
    monkeypatch.setattr(again, "replay", stand_in)
    return notes


def test_explore(asked: list[tuple[Any, ...]]) -> None:
    assert run(["explore"]) == 7
    text = (
        "explore flaky-wan --seeds 9 --first-seed 4 --devices 5 --workers 2 --keep-going --shrink"
    )
    assert run([*text.split(), "--shrink-runs", "8", "--case-out", "c.json"]) == 7
    assert asked == [
        (Search("batch-unbind"),),
        (Search("flaky-wan", 9, 4, 5, 2, True, True, 8, Path("c.json")),),
    ]


def test_replay(asked: list[tuple[Any, ...]]) -> None:
    assert run(["replay", "case.json"]) == 7
    text = "replay power-cut --seed 3 --devices 5 --device 2 --from-s 1.5 --to-s 9 --brief"
    assert run(text.split()) == 7
    assert asked == [
        ("case.json", None, None, Cut(None, 0.0, FOREVER_S, True)),
        ("power-cut", 3, 5, Cut(2, 1.5, 9.0, False)),
    ]
