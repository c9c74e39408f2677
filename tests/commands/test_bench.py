"""`fleet bench`: its commands, of which one need not be named, and what its options refuse."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console
from rich.table import Table

from firmware_sim.errors import UsageError
from fleet.__main__ import run
from fleet.commands import bench_host
from fleet.hil.host import Elsewhere, Host, Plan
from fleet.run.population import Network


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bench_host.Choice]:
    choices: list[bench_host.Choice] = []

    def serve(choice: bench_host.Choice, _: object) -> int:
        choices.append(choice)
        return 0

    monkeypatch.setattr(bench_host, "serve", serve)
    return choices


@pytest.mark.parametrize(
    "words",
    [
        ["nvr", "--count", "3", "--rate", "10"],
        ["--rate", "10", "--count", "3", "nvr"],
        ["serve", "nvr", "--count", "3", "--rate", "10"],
    ],
)
def test_a_model_is_enough(words: list[str], asked: list[bench_host.Choice]) -> None:
    assert run(["bench", *words]) == 0
    [choice] = asked
    assert (choice.profile, choice.count, choice.rate) == ("nvr", 3, 10.0)
    assert (choice.port, choice.serial_dir, choice.env_out) == (None, None, None)
    assert choice.bound
    assert choice.elsewhere is None
    assert choice.wifi == Network("workshop", "workshop")


def test_everything_else_can_be_said(asked: list[bench_host.Choice]) -> None:
    words = (
        "bench ipc-new --env-out e.yaml --port 0 --serial-dir s --serial rfc2217 --state waiting"
    )
    more = "--ssid a --wifi-password bcdefghi --seed 4 --decoder zxing --camera /dev/video0"
    assert run([*words.split(), *more.split()]) == 0
    [choice] = asked
    assert (choice.env_out, choice.serial_dir) == (Path("e.yaml"), Path("s"))
    assert (choice.port, choice.serial, choice.bound) == (0, "rfc2217", False)
    assert (choice.seed, choice.decoder, choice.camera) == (4, "zxing", "/dev/video0")
    assert "bcdefghi" not in repr(choice)


def test_a_device_of_another_cloud(asked: list[bench_host.Choice]) -> None:
    where = ["--cloud", "http://x:1", "--uuid", "u", "--auth-key", "k" * 32, "--product-id", "p"]
    assert run(["bench", "nvr", *where]) == 0
    assert asked[0].elsewhere == Elsewhere("http://x:1", "u", "k" * 32, "p")


def test_a_key_in_the_environment_is_not_for_everybody(
    asked: list[bench_host.Choice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_AUTH_KEY", "k" * 32)
    assert run(["bench", "nvr"]) == 0
    assert asked[0].elsewhere is None


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--uuid", "u"], "go with --cloud"),
        (["--cloud", "http://x:1", "--uuid", "u"], "give --uuid, --auth-key and --product-id"),
    ],
)
def test_half_a_device_of_another_cloud_is_refused(
    words: list[str], line: str, asked: list[bench_host.Choice], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "nvr", *words]) == 2
    assert line in capsys.readouterr().err
    assert asked == []


def test_its_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--help"]) == 0
    assert "serve" in capsys.readouterr().out
    assert run(["bench", "serve", "--help"]) == 0
    assert "--env-out" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_found_out_before_anything_starts(tmp_path: Path) -> None:
    assert run(["bench", "nvr", "--env-out", str(tmp_path / "no" / "env.yaml")]) == 2


def test_serial_ports_are_in_a_folder_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert bench_host.own_folder() == tmp_path / "bench"
    monkeypatch.setattr(bench_host, "is_taken", lambda folder: folder.name == "bench")
    assert bench_host.own_folder() == tmp_path / "bench-2"
    monkeypatch.setattr(bench_host, "is_taken", lambda _: True)
    with pytest.raises(UsageError, match="--serial-dir"):
        bench_host.own_folder()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(bench_host, "is_taken", lambda _: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert bench_host.own_folder().parent.parent == tmp_path
    own = bench_host.own_folder().parent
    own.rmdir()
    own.symlink_to(tmp_path)
    with pytest.raises(UsageError, match="somebody else's"):
        bench_host.own_folder()


def test_a_folder_for_serial_ports_that_cannot_be_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no/such", "file", "nowhere"):
        (tmp_path / "file").write_text("")
        if name == "nowhere":
            (tmp_path / name).symlink_to(tmp_path / "gone")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / name))
        with pytest.raises(UsageError, match="name one with --serial-dir"):
            bench_host.own_folder()


@pytest.mark.parametrize(
    ("wifi", "row"),
    [(Network("workshop", "workshop"), "workshop"), (Network("a", "hush"), "as given")],
)
def test_a_password_that_was_given_is_not_printed(tmp_path: Path, wifi: Network, row: str) -> None:
    plan = Plan("nvr", tmp_path, wifi=wifi)
    host = SimpleNamespace(url="http://x", cloud_url="http://y", plan=plan, people=(), stands=())
    where, *_ = bench_host.told(cast("Host", host), None)
    assert isinstance(where, Table)
    console = Console(width=200)
    with console.capture() as printed:
        console.print(where)
    assert f"{wifi.ssid}, password {row}" in printed.get()
    assert "hush" not in printed.get()
