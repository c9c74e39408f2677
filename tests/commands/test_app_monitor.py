"""The options of `fleet app show`: how they reach the work, and what is refused."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fleet.__main__ import run
from fleet.commands import app_show, consumer, unbind
from fleet.commands.access import Access
from fleet.commands.app_show import Wish
from fleet.commands.unbind import Batch, Wifi
from fleet.web.monitor import Look

WHO = ["--cloud", "http://c", "--account", "ann", "--password", "pw"]
WIFI = ["--ssid", "Café", "--wifi-password", "wpw"]
ANN = Access("http://c", "ann", "pw")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace the work by a note of what it was asked for; it returns 7."""
    wishes: list[tuple[Any, ...]] = []

    def show(*words: Any) -> int:
        wishes.append(words)
        return 7

    monkeypatch.setattr(app_show, "show", show)
    return wishes


def test_a_picture_and_how_it_is_shown(asked: list[tuple[Any, ...]]) -> None:
    words = ["--picture", "c.png", "--size", "50", "--brightness", "60", "--invert", "--black"]
    code = run(["app", "show", *words, "--no-browser", "--decoder", "zxing", "--web", "0"])
    assert code == 7
    wish = Wish(Look(50, 60, True, True), "zxing", picture=Path("c.png"), browser=False)
    assert asked[0][:3] == (wish, "0", None)


def test_nothing_yet(asked: list[tuple[Any, ...]]) -> None:
    assert run(["app", "show"]) == 7
    assert asked[0][:3] == (Wish(Look(), "pyzbar"), None, None)


@pytest.mark.parametrize(
    ("how", "module", "name", "arguments"),
    [
        ("--unbind", unbind, "by_qr", (ANN, Wifi("Café", "wpw"), Batch(), None)),
        ("--pair", consumer, "pair_by_qr", (ANN, Wifi("Café", "wpw"), None, 100.0)),
    ],
)
def test_a_code_of_an_account(
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    module: Any,
    name: str,
    arguments: tuple[Any, ...],
) -> None:
    called: list[tuple[Any, ...]] = []

    async def work(*words: Any) -> int:
        called.append(words)
        return 3

    monkeypatch.setattr(module, name, work)
    assert run(["app", "show", how, *WHO, *WIFI]) == 7
    follow = asked[0][0].follow
    assert asyncio.run(follow(print)) == 3
    (words,) = called
    assert (words[: len(arguments)], words[-1]) == (arguments, print)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--text", "x", "--picture", "c.png"], "one code at a time"),
        (["--unbind", "--pair"], "one code at a time"),
        (["--unbind", *WHO], "which Wi-Fi"),
    ],
)
def test_what_is_refused(
    asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    assert run(["app", "show", *words]) == 2
    assert why in capsys.readouterr().err
    assert asked == []
