"""`fleet device` without a network: keys, answers, lines, and where a cloud is."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console

from firmware_sim.device.device import Identity
from firmware_sim.errors import UsageError
from firmware_sim.events import (
    ButtonPressed,
    ButtonReleased,
    ChildJoined,
    ChildLost,
    PowerApplied,
    PowerRemoved,
)
from fleet.app import qr
from fleet.commands import device
from fleet.commands.device import Choice, at_other_cloud, by_keys, by_lines
from fleet.run.population import Network
from tests.commands.notebook import Notebook, make_desk

PAYLOAD = qr.payload("Café", "pw", "EUabcdefghpr_0")


def type_keys(monkeypatch: pytest.MonkeyPatch, profile: str, typed: str) -> tuple[Notebook, str]:
    """Press these keys with a device before one; return what hands did, and the screen."""

    async def keys(_: int) -> AsyncGenerator[str, None]:
        for key in typed:
            await asyncio.sleep(0)
            yield key

    monkeypatch.setattr(device, "keys", keys)
    monkeypatch.setattr("sys.stdin.fileno", lambda: 0)
    desk, world = make_desk(profile)
    screen = Console(file=io.StringIO(), width=200, force_terminal=True, markup=False)
    asyncio.run(by_keys(desk, screen))
    assert isinstance(screen.file, io.StringIO)
    return world, screen.file.getvalue()


def test_keys_are_hands_until_x(monkeypatch: pytest.MonkeyPatch) -> None:
    world, screen = type_keys(monkeypatch, "gateway", "pbb?c pxp")
    told = [PowerApplied(), ButtonPressed(), ButtonReleased(), PowerRemoved()]
    assert world.told == told
    assert world.plugged == [False]
    assert "cable in" in screen


def test_the_end_of_input_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = type_keys(monkeypatch, "gateway", "p")
    assert world.told == [PowerApplied()]


def test_a_picture_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    qr.save(PAYLOAD, tmp_path / "code.png")
    monkeypatch.chdir(tmp_path)
    world, _ = type_keys(monkeypatch, "ipc-red-green", "qcox\x7fde.p\x1bng\rq\rp")
    assert world.shown == [PAYLOAD, None]
    assert world.told == [PowerApplied()]


def test_a_mistake_is_a_happening_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("fleet.commands.device.Face.report", lambda _, __, text: told.append(text))
    world, _ = type_keys(monkeypatch, "ipc-red-green", "qnone.png\rcp")
    assert told == [
        "none.png: cannot be read (No such file or directory)",
        "ipc-red-green has no Ethernet: it is paired by QR code",
    ]
    assert world.told == [PowerApplied()]


def test_a_wired_device_is_not_asked_for_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    world, screen = type_keys(monkeypatch, "gateway", "qp")
    assert world.told == [PowerApplied()]
    assert "take it away" not in screen


def test_a_sub_device_is_asked_for_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("fleet.commands.device.Face.report", lambda _, __, text: told.append(text))
    world, _ = type_keys(monkeypatch, "gateway", "ps\rslose 1\rsadd  2\rshold\rsadd x\rsfind 9\rp")
    assert world.told == [PowerApplied(), ChildLost(0), ChildJoined(1), PowerRemoved()]
    assert told == [
        "hold: say add or remove or lose or find",
        "add x: say which sub-device by its number, from 1",
        "find 9: gateway has 3 sub-devices",
    ]
    world, _ = type_keys(monkeypatch, "ipc-red-green", "sp")
    assert world.told == [PowerApplied()]


async def _lines(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


def test_lines_are_scripts_until_the_end() -> None:
    desk, world = make_desk("gateway")
    asyncio.run(by_lines(desk, _lines("p; c", "", "c # in again")))
    assert world.told == [PowerApplied()]
    assert world.plugged == [False, True]


def test_a_line_may_say_that_it_is_over() -> None:
    desk, world = make_desk("gateway")
    asyncio.run(by_lines(desk, _lines("p", "x", "p")))
    assert world.told == [PowerApplied()]


def test_a_line_that_is_no_script_is_the_end() -> None:
    desk, _ = make_desk("gateway")
    with pytest.raises(UsageError, match="no step 'jump'"):
        asyncio.run(by_lines(desk, _lines("jump")))


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:80", "https://c", "http://", "http://c:x", "http://["]
)
def test_without_a_certificate_another_cloud_must_speak_plain_http(url: str) -> None:
    choice = Choice("gateway", 1, Network("w", "p"), "zxing", bound=True, script="")
    with pytest.raises(UsageError, match=r"expected http://HOST:PORT"):
        asyncio.run(at_other_cloud(choice, url, Identity("u1", "k" * 32, "p1")))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://c:81/x", ("c", 81)),
        ("http://[::1]", ("::1", 80)),
        ("https://c", ("c", 443)),
        ("https://c:8443", ("c", 8443)),
    ],
)
def test_where_a_cloud_is(url: str, address: tuple[str, int]) -> None:
    encrypted = url.startswith("https")
    assert device._host_port(url, encrypted=encrypted) == address


def test_with_a_certificate_another_cloud_must_speak_https(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="together with --ca FILE"):
        _visit("http://c:80", tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read the certificate"),
        ("no certificate", "not one certificate in PEM form"),
        ("é", "not one certificate in PEM form"),
    ],
)
def test_what_is_no_certificate(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=words):
        _visit("https://c", path)


def _visit(url: str, ca_file: Path) -> None:
    choice = Choice("gateway", 1, Network("w", "p"), "zxing", bound=True, script="")
    asyncio.run(at_other_cloud(choice, url, Identity("u1", "k" * 32, "p1"), ca_file))
