"""`fleet cloud`: what is asked for."""

from pathlib import Path
from typing import Any

import pytest

from fleet.__main__ import run
from fleet.cloud.external import parse_address
from fleet.cloud.settings import Settings
from fleet.cloud.toml_file import demo_seed
from fleet.commands import cloud_seed, cloud_serve
from fleet.commands.cloud_serve import Wish

BROKER = "mqtt://admin:secret@mosquitto.test"


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> list[Wish]:
    """Replace the server by a note of what it was asked."""
    notes: list[Wish] = []
    monkeypatch.setattr(cloud_serve, "serve", notes.append)
    monkeypatch.delenv("FLEET_DATA", raising=False)
    monkeypatch.delenv("FLEET_BROKER", raising=False)
    return notes


def test_by_default_it_forgets_and_is_for_this_host_only(wishes: list[Wish]) -> None:
    assert run(["cloud"]) == 0
    assert wishes == [Wish()]


def test_every_option_is_handed_on(wishes: list[Wish], tmp_path: Path) -> None:
    (tmp_path / "set.toml").write_text("product_quota_per_day = 3")
    words = ["--data", "shop", "--demo", "--settings", str(tmp_path / "set.toml")]
    words += ["--region-port", "us=8081", "--region-port", "IN=0"]
    words += ["--ready-file", "ready.json", "--host", "0.0.0.0", "--told-host", "10.0.0.9"]
    assert run(["cloud", *words, "--port", "8080", "--mqtt-port", "1883"]) == 0
    (wish,) = wishes
    assert wish.settings == Settings(product_quota_per_day=3)
    assert wish.seed == demo_seed()
    assert (wish.data, wish.ready_file) == ("shop", Path("ready.json"))
    assert (wish.host, wish.told_host) == ("0.0.0.0", "10.0.0.9")
    assert (wish.port, wish.mqtt_port) == (8080, 1883)
    assert wish.region_ports == {"AZ": 8081, "IN": 0}


def test_addresses_may_come_from_the_environment(
    wishes: list[Wish], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_DATA", "postgresql://me:secret@h/d")
    monkeypatch.setenv("FLEET_BROKER", BROKER)
    assert run(["cloud"]) == 0
    assert wishes == [Wish(data="postgresql://me:secret@h/d", broker=parse_address(BROKER))]


def test_a_broker_that_is_none(wishes: list[Wish], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cloud", "--broker", "mqtt://admin:hidden@"]) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert "a host and a port as HOST:PORT" in said
    assert "hidden" not in said
    assert wishes == []


def test_seed_reads_both_files_and_says_what_was_done(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    wishes: list[Wish],
) -> None:
    asked: list[Any] = []

    def put(*words: Any) -> str:
        asked.append(words)
        return "added: 1 accounts"

    monkeypatch.setattr(cloud_seed, "put", put)
    file, settings = tmp_path / "shop.toml", tmp_path / "set.toml"
    file.write_text('[[accounts]]\nname = "maker"\n')
    settings.write_text("password_iterations = 7")
    words = ["cloud", "seed", str(file), "--data", "shop"]
    assert run(words) == 0
    assert run([*words, "--settings", str(settings)]) == 0
    (first, second) = asked
    assert ([one.name for one in first[0].accounts], *first[1:]) == (
        ["maker"],
        str(file),
        "shop",
        None,
    )
    assert second[3] == Settings(password_iterations=7)
    assert capsys.readouterr().out == "added: 1 accounts\n" * 2
    assert wishes == []


@pytest.mark.usefixtures("wishes")
def test_seed_has_to_be_told_where_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.toml").touch()
    assert run(["cloud", "seed", str(tmp_path / "shop.toml")]) == 2
    assert capsys.readouterr().err.startswith("fleet: where to? give --data")


def test_a_mistake_in_a_file_is_one_line_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('[[accounts]]\nname = ""\n')
    assert run(["cloud", "seed", str(file), "--data", "shop"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fleet: {file}: accounts[0].name: Expected `str`")
