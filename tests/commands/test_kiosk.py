"""Which browser fills the screen, with which words, and that it ends with all its processes."""

import asyncio
import os
from pathlib import Path

import pytest

from fleet.commands import kiosk as kiosk_module
from fleet.commands.kiosk import command, kiosk
from tests.camera.pools import is_alive, until

URL = "http://127.0.0.1:9/monitor"


def program(folder: Path, name: str, text: str = "exit 0") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_chromium_comes_before_firefox(tmp_path: Path) -> None:
    firefox = program(tmp_path / "bin", "firefox-esr")
    with_screen = {"PATH": str(tmp_path / "bin"), "DISPLAY": ":0"}
    assert command(URL, tmp_path, with_screen) == [
        *(str(firefox), "--kiosk", "--new-instance", "--profile", str(tmp_path), URL),
    ]
    chromium = program(tmp_path / "bin", "chromium")
    words = command(URL, tmp_path, with_screen)
    assert words[:2] == [str(chromium), "--kiosk"]
    assert {f"--app={URL}", f"--user-data-dir={tmp_path}"} <= set(words)


@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_goes_without_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    program(tmp_path / "bin", "chromium")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    words = command(URL, tmp_path, {"PATH": str(tmp_path / "bin"), "WAYLAND_DISPLAY": "w"})
    assert ("--no-sandbox" in words) == (user == 0)


@pytest.mark.parametrize("screen", [{}, {"DISPLAY": ""}, {"DISPLAY": ":0"}])
def test_without_a_screen_or_a_browser_there_is_none(
    tmp_path: Path, screen: dict[str, str]
) -> None:
    if "DISPLAY" not in screen or not screen["DISPLAY"]:
        program(tmp_path, "chromium")
    assert command(URL, tmp_path, {"PATH": str(tmp_path), **screen}) == []


@pytest.mark.parametrize("manners", ["", "trap '' TERM;"])
def test_a_browser_ends_with_all_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manners: str
) -> None:
    noted = tmp_path / "pids"
    program(tmp_path / "bin", "chromium", f"{manners} sleep 600 & echo $! $$ > {noted}.new; "
            f"mv {noted}.new {noted}; wait; wait; sleep 600")  # fmt: skip
    monkeypatch.setattr(kiosk_module, "_GRACE_S", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")

    async def story() -> list[int]:
        async with asyncio.timeout(30), kiosk(URL) as shown:
            assert shown
            await until(noted.exists)
            pids = [int(word) for word in noted.read_text().split()]
            assert all(map(is_alive, pids))
        await until(lambda: not any(map(is_alive, pids)))
        return pids

    assert len(asyncio.run(story())) == 2


def test_nothing_is_started_where_there_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    async def story() -> bool:
        async with kiosk(URL) as shown:
            return shown

    assert not asyncio.run(story())
