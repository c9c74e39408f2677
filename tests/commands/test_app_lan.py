"""The options of `fleet app search, status, set, activate`: how they reach the work."""

from pathlib import Path
from typing import Any

import pytest

from fleet.__main__ import run
from fleet.app.lan_caller import Asking
from fleet.commands import activate, control, neighbours
from fleet.commands.access import Access
from fleet.commands.activate import Where
from fleet.commands.neighbours import Plan
from fleet.commands.targets import Target

KEY = "0123456789abcdef"
DIRECT = ["--key", KEY, "--version", "3.5", "--ip", "10.0.0.1"]
D1 = Target("d1", "10.0.0.1", KEY, "3.5")
OWN = ("127.255.255.255", "10.0.0.255")
TOKEN = "EUabcdefghpr_0"
LOGIN = ["--cloud", "http://c", "--account", "eve", "--password", "pw"]
EVE = Access("http://c", "eve", "pw")


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUD", "PASSWORD", "LOCAL_KEY"):
        monkeypatch.delenv(f"FLEET_{name}", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    monkeypatch.setattr(neighbours, "own_broadcasts", lambda: OWN)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace the work by a note of what was asked for; each returns 7."""
    asked: list[tuple[Any, ...]] = []

    def stand_in(name: str) -> Any:
        async def work(*arguments: Any, **options: Any) -> int:
            asked.append((name, *arguments[:-1], *options.values()))
            return 7

        return work

    for module, name in (
        (neighbours, "search"),
        (control, "show"),
        (control, "change"),
        (activate, "with_token"),
        (activate, "with_login"),
    ):
        monkeypatch.setattr(module, name, stand_in(name))
    return asked


EVERYBODY = "0.0.0.0/0"


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        (["search"], ("search", Plan(6.0, EVERYBODY, Asking(OWN)), False)),
        (
            ["search", "--search-s", "2", "--broadcast", "10.0.0.255", "--answer-to", "10.0.0.7"],
            ("search", Plan(2.0, EVERYBODY, Asking(("10.0.0.255",), "10.0.0.7")), False),
        ),
        (["status", "d1", *DIRECT], ("show", [D1], None, False)),
        (
            ["status", "d1", *DIRECT, "--cid", "c1", "--json"],
            ("show", [D1], "c1", True),
        ),
        (["set", "d1", "1=true", *DIRECT], ("change", D1, {1: True}, None, False)),
        (
            ["set", "d1", "1=true", "102=warm", *DIRECT, "--cid", "c1", "--json"],
            ("change", D1, {1: True, 102: "warm"}, "c1", True),
        ),
        (["activate", "u1", "--token", TOKEN], ("with_token", Where("u1"), TOKEN)),
        (
            ["activate", "u1", "--token", TOKEN, "--ip", "10.0.0.1", "--version", "3.1"],
            ("with_token", Where("u1", "10.0.0.1", "3.1"), TOKEN),
        ),
        (
            ["activate", "u1", "--form", "gcm", "--search-s", "2", *LOGIN],
            ("with_login", Where("u1", form="gcm", search_s=2.0), EVE, 100.0),
        ),
    ],
)
def test_options_reach_the_work_and_its_exit_code_the_caller(
    arguments: list[str], call: tuple[Any, ...], calls: list[tuple[Any, ...]]
) -> None:
    assert run(["app", *arguments]) == 7
    assert calls == [call]


def test_a_fleet_is_searched_on_its_own_lan(tmp_path: Path, calls: list[tuple[Any, ...]]) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text('{"console": "http://c", "devices": [{"ip": "127.16.1.1"}]}')
    assert run(["app", "search", "--ready", str(ready)]) == 7
    assert run(["app", "activate", "u1", "--token", TOKEN, "--ready", str(ready)]) == 7
    (_, plan, _), (_, where, _) = calls
    assert plan.network == where.network == "127.16.0.0/16"


def test_the_environment_may_hold_the_key(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]]
) -> None:
    monkeypatch.setenv("FLEET_LOCAL_KEY", KEY)
    assert run(["app", "status", "d1", *DIRECT[2:]]) == 7
    assert calls == [("show", [D1], None, False)]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["status", "d1"],
            (
                "device d1: its address is not known; give --ip, or a file that has it with "
                "--devices or --ready"
            ),
        ),
        (["set", "d1", "1", *DIRECT], "'1' sets nothing: expected DP=VALUE, such as 1=true"),
        (["activate", "u1"], "which cloud? give --cloud URL or --ready FILE, or set FLEET_CLOUD"),
    ],
)
def test_what_is_missing_is_asked_for(
    arguments: list[str],
    line: str,
    calls: list[tuple[Any, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["app", *arguments]) == 2
    assert capsys.readouterr().err == f"fleet: {line}\n"
    assert calls == []


@pytest.mark.parametrize("command", ["status", "set"])
def test_a_device_and_its_values_have_to_be_named(command: str) -> None:
    assert run(["app", command]) == 2
