"""The options of `fleet app ...`: how they reach the work, and what is said when one is missing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet.__main__ import run
from fleet.commands import consumer, history, unbind
from fleet.commands.access import Access
from fleet.commands.history import Filter
from fleet.commands.unbind import Batch, Wifi

WHO = ["--cloud", "http://c", "--account", "ann", "--password", "pw"]
ANN = Access("http://c", "ann", "pw")


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUD", "PASSWORD", "WIFI_PASSWORD"):
        monkeypatch.delenv(f"FLEET_{name}", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)


def test_help_imports_nothing_heavy() -> None:
    """In a process of its own: this one has imported everything already."""
    code = (
        "import sys; before = set(sys.modules); from fleet.__main__ import run; run(['app', '--help']); run(['app', 'unbind', '--help']);"
        "heavy = {'numpy', 'PIL', 'httpx', 'scapy', 'rich', 'uvloop', 'httptools', 'segno', 'asyncio',"
        " 'cryptography', 'sqlite3', 'msgspec'}; sys.exit(', '.join(heavy & set(sys.modules) - before) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--wired" in done.stdout


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace what the phone's commands do by a note of what they were asked; each returns 7."""
    asked: list[tuple[Any, ...]] = []

    def stand_in(name: str) -> Any:
        async def work(*arguments: Any, **options: Any) -> int:
            asked.append((name, *arguments[:-1], *sorted(options.items())))
            return 7

        return work

    for module, names in (
        (unbind, ("by_qr", "by_wire")),
        (history, ("show_history", "show_quotas", "cancel_batch")),
        (consumer, ("new_user", "pair_by_qr", "pair_by_wire", "list_devices")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, stand_in(name))

    async def remove_device(*arguments: Any, wipe: bool) -> int:
        asked.append(("remove_device", *arguments[:-1], wipe))
        return 7

    async def show(*arguments: Any, as_json: bool) -> int:
        asked.append(("show_history", *arguments[:-1], as_json))
        return 7

    monkeypatch.setattr(consumer, "remove_device", remove_device)
    monkeypatch.setattr(history, "show_history", show)
    return asked


WIFI = ["--ssid", "Café", "--wifi-password", "wpw"]


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        (["unbind", "--qr", *WIFI], ("by_qr", ANN, Wifi("Café", "wpw"), Batch(), None)),
        (
            [
                "unbind",
                "--qr",
                *WIFI,
                *["--max-devices", "5", "--life-s", "60", "--wait-s", "9", "--out", "c.png"],
            ],
            ("by_qr", ANN, Wifi("Café", "wpw"), Batch(5, 60, 9.0), Path("c.png")),
        ),
        (["unbind", "--wired"], ("by_wire", ANN, Batch(30, None, 100.0), 6.0, "")),
        (
            ["unbind", "--wired", "--select", "all", "--search-s", "2", "--wait-s", "1"],
            ("by_wire", ANN, Batch(30, None, 1.0), 2.0, "all"),
        ),
        (["history"], ("show_history", ANN, Filter(), False)),
        (
            ["history", "--batch", "b", "--status", "ok", "--limit", "3", "--json"],
            ("show_history", ANN, Filter("b", "ok", 3), True),
        ),
        (["quotas"], ("show_quotas", ANN)),
        (["cancel", "b1"], ("cancel_batch", ANN, "b1")),
        (["register"], ("new_user", ANN)),
        (["pair", "--qr", *WIFI], ("pair_by_qr", ANN, Wifi("Café", "wpw"), None, 100.0)),
        (["pair", "--wired"], ("pair_by_wire", ANN, 6.0, "", 100.0)),
        (["devices"], ("list_devices", ANN)),
        (["remove", "d1"], ("remove_device", ANN, "d1", False)),
        (["remove", "d1", "--wipe"], ("remove_device", ANN, "d1", True)),
    ],
)
def test_options_reach_the_work_and_its_exit_code_the_caller(
    arguments: list[str], call: tuple[Any, ...], calls: list[tuple[Any, ...]]
) -> None:
    assert run(["app", *arguments, *WHO]) == 7
    assert calls == [call]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["unbind"], "which way? give either --qr or --wired"),
        (["pair", "--qr", "--wired"], "which way? give either --qr or --wired"),
        (["unbind", "--qr"], "which Wi-Fi are the devices to join? give --ssid NAME"),
        (
            ["pair", "--qr", "--ssid", "Café"],
            "Wi-Fi password of Café? give --wifi-password or set FLEET_WIFI_PASSWORD",
        ),
    ],
)
def test_what_is_missing_is_asked_for(
    arguments: list[str],
    line: str,
    calls: list[tuple[Any, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["app", *arguments, *WHO]) == 2
    assert capsys.readouterr().err == f"fleet: {line}\n"
    assert calls == []


def test_the_environment_may_answer(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]]
) -> None:
    monkeypatch.setenv("FLEET_CLOUD", "http://c")
    monkeypatch.setenv("FLEET_PASSWORD", "pw")
    monkeypatch.setenv("FLEET_WIFI_PASSWORD", "wpw")
    assert run(["app", "unbind", "--qr", "--account", "ann", "--ssid", "Café"]) == 7
    assert calls == [("by_qr", ANN, Wifi("Café", "wpw"), Batch(), None)]
