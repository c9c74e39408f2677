"""Where a command logs in and as whom: what is given, else the ready file, else a question."""

from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.commands import access
from fleet.commands.access import Access, ReadyDevice, resolve

READY = """{"console": "http://127.0.0.1:8100", "mqtt": "mqtt://127.0.0.1:1883",
"accounts": [{"name": "ann", "password": "apw", "role": "owner"}, {"name": "bob"}]}"""


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.json"
    path.write_text(READY)
    return path


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)


def test_everything_given() -> None:
    assert resolve("http://c", None, "ann", "pw") == Access("http://c", "ann", "pw")


def test_the_ready_file_fills_in(ready: Path) -> None:
    assert resolve("", ready, "ann", "") == Access("http://127.0.0.1:8100", "ann", "apw")


def test_what_is_given_wins(ready: Path) -> None:
    assert resolve("http://c", ready, "ann", "x") == Access("http://c", "ann", "x")


@pytest.mark.usefixtures("no_terminal")
def test_without_cloud_or_account_or_password_there_is_a_way_out(ready: Path) -> None:
    with pytest.raises(UsageError, match=r"which cloud.*FLEET_CLOUD"):
        resolve("", None, "ann", "pw")
    with pytest.raises(UsageError, match=r"which account\? give --account NAME$"):
        resolve("http://c", None, "", "pw")
    with pytest.raises(UsageError, match=r"which account.*one of ann, bob"):
        resolve("", ready, "", "")
    with pytest.raises(
        UsageError, match=r"Password of bob\? give --password or set FLEET_PASSWORD"
    ):
        resolve("", ready, "bob", "")


def test_a_terminal_is_asked_for_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def prompt(text: str, **options: object) -> str:
        asked.append((text, options["hide_input"]))
        return "typed"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", prompt)
    assert resolve("http://c", None, "ann", "").password == "typed"
    assert asked == [("Password of ann", True)]


def test_a_missing_ready_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the ready file \(No such file"):
        resolve("", tmp_path / "none.json", "ann", "pw")


BAD_IPS = [
    f'{{"console": "http://c", "devices": [{{"ip": "{ip}"}}]}}'
    for ip in ("x", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.4\\n")
]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"console": 5}', '{"accounts": []}', '"\xff"', *BAD_IPS]
)
def test_another_file_is_no_ready_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match="not a ready file"):
        resolve("", path, "ann", "pw")


def test_a_phone_is_on_the_lan_of_the_fleet_it_was_told_of(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text('{"console": "http://c", "devices": [{"ip": "127.16.1.1"}]}')
    assert resolve("", path, "ann", "pw").network == "127.16.0.0/16"
    path.write_text('{"console": "http://c"}')
    assert resolve("", path, "ann", "pw").network == resolve("http://c", None, "a", "b").network


def test_a_command_without_a_cloud_knows_the_lan_too(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text('{"console": "http://c", "devices": [{"ip": "127.16.1.1"}]}')
    assert access.network_of(path) == "127.16.0.0/16"
    assert access.network_of(None) == "0.0.0.0/0"


def test_what_is_needed_to_speak_with_a_device_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text(
        '{"console": "http://c", "devices": [{"ip": "127.16.1.1", "id": "d1", "uuid": "u1", '
        '"local_key": "0123456789abcdef", "version": "3.5"}, {"ip": "127.16.1.2"}]}'
    )
    first, second = access.read_ready(path).devices
    assert first == ReadyDevice("127.16.1.1", "d1", "0123456789abcdef", "3.5")
    assert second == ReadyDevice("127.16.1.2")
    assert "0123456789abcdef" not in repr(first)


def test_no_struct_shows_a_password(ready: Path) -> None:
    assert "apw" not in repr(access.read_ready(ready))
    assert "apw" not in repr(Access("http://c", "ann", "apw"))
