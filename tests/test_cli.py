"""The command line: what it answers, and that every mistake is one line."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from firmware_sim.errors import Malformed, UsageError
from fleet.__main__ import main, run
from fleet.commands import pages as looking_on
from fleet.report import command
from fleet.run import up as hosting
from fleet.run.scenario import BUILT_IN
from hw_profiles import catalog


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEET_DECODER", raising=False)


# --- the rule about mistakes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("two\nlines  of text"), 2), (Malformed("not ours"), 1)]
)
def test_a_mistake_is_one_line(
    error: Exception,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(catalog, "names", fail)
    assert run(["profiles"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"fleet: {' '.join(str(error).split())}\n"


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalog, "names", interrupt)
    assert run(["profiles"]) == 130


def test_main_takes_the_arguments_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["fleet", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0


@pytest.mark.parametrize(
    "arguments",
    [["--nope"], ["nope"], ["app", "nope"], ["doctor", "--devices", "0"], ["profiles", "x"]],
)
def test_an_unknown_option_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "Usage: fleet" in capsys.readouterr().err


# --- small commands -----------------------------------------------------------------------------


def test_profiles_lists_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(catalog.names())


# --- the fleet ----------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace what runs a fleet by a note of what it was asked; each returns 7."""
    notes: list[tuple[Any, ...]] = []

    def stand_in(*arguments: Any, console: Console, **options: Any) -> int:
        assert console.width > 0
        notes.append((*arguments, options))
        return 7

    monkeypatch.setattr(command, "run_scenario", stand_in)
    monkeypatch.setattr(hosting, "up", stand_in)
    monkeypatch.setattr(looking_on, "pages", lambda *given, **wanted: nullcontext((given, wanted)))
    return notes


def pages(where: str | None = None, file: Path | None = None, *, wanted: bool) -> dict[str, Any]:
    """Return whom a fleet is told to let look on."""
    return {"attendance": ((where, file), {"wanted": wanted})}


IN_THE_CLEAR = {"tls": False, "device_https_port": None, "broker": ""}
ON_LOOPBACK = {"lan": "", "pcap": None} | IN_THE_CLEAR


def test_run_leaves_open_choices_to_the_scenario(asked: list[tuple[Any, ...]]) -> None:
    assert run(["run"]) == 7
    options: dict[str, Any] = {"devices": None, "seed": 1, "decoder": "pyzbar"}
    options |= {"report_dir": Path("report"), "outage_s": None, "shards": None, "data_dir": None}
    options["benches"] = ()
    assert asked == [(BUILT_IN, options | ON_LOOPBACK | pages(wanted=False))]


def test_run_hands_on_every_option(asked: list[tuple[Any, ...]]) -> None:
    text = "run mine.toml --devices 30 --seed 7 --decoder zxing --report out --shards 2 --data d"
    further = "--lan shop --pcap p.pcap --tls --device-https-port 443 --outage-s 60"
    further += " --bench one.toml --bench two.toml"
    seen = "--web 0.0.0.0:80 --web-password-file secret"
    assert run([*text.split(), *further.split(), *seen.split()]) == 7
    options: dict[str, Any] = {"devices": 30, "seed": 7, "decoder": "zxing"}
    options |= {"report_dir": Path("out"), "outage_s": 60.0}
    options["benches"] = [Path("one.toml"), Path("two.toml")]
    lan = {"lan": "shop", "pcap": Path("p.pcap"), "tls": True, "device_https_port": 443}
    lan |= {"broker": ""}
    options |= pages("0.0.0.0:80", Path("secret"), wanted=True)
    assert asked == [("mine.toml", options | {"shards": 2, "data_dir": Path("d")} | lan)]


def test_the_environment_may_name_the_decoder(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_DECODER", "zxing")
    assert run(["run"]) == 7
    assert asked[0][1]["decoder"] == "zxing"
    monkeypatch.setenv("FLEET_DECODER", "eyes")
    assert run(["run"]) == 2


def test_virtual_time_takes_no_option_of_sockets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, Any]] = []

    def stand_in(_: str, *, console: Console, **options: Any) -> int:
        asked.append(options | {"width": console.width})
        return 7

    monkeypatch.setattr(command, "run_virtually", stand_in)
    monkeypatch.setenv("FLEET_BROKER", "mqtt://admin:secret@127.0.0.1")  # is for other runs
    assert run(["run", "--virtual", "--lens", "real", "--outage-s", "3"]) == 7
    assert (asked[0]["lens"], asked[0]["outage_s"]) == ("real", 3.0)
    assert run(["run", "--virtual", "--tls", "--shards", "2"]) == 2
    assert capsys.readouterr().err == (
        "fleet: --shards, --tls: of no use with --virtual; leave it out\n"
    )


def test_a_live_run_takes_no_option_of_virtual_time(
    asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "--lens", "model"]) == 2
    assert asked == []
    assert capsys.readouterr().err == (
        "fleet: --lens: of use with --virtual only; a live run decodes real frames\n"
    )


def test_explain_hands_on_every_option(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.commands.explain.explain", command.run_scenario)  # the stand-in
    assert run(["explain"]) == 7
    assert (
        run(["explain", "mine.toml", "--devices", "9", "--seed", "4", "--device", "3", "--all"])
        == 7
    )
    first = {"devices": None, "seed": 1, "device": None, "everything": False}
    second = {"devices": 9, "seed": 4, "device": 3, "everything": True}
    assert asked == [(BUILT_IN, first), ("mine.toml", second)]


def test_up_hands_on_every_option(asked: list[tuple[Any, ...]]) -> None:
    assert run(["up"]) == 7
    text = "up --devices 5 --profile nvr --state waiting --ready-file r.json --shards 1"
    assert run([*text.split(), "--devices-json", "d.json"]) == 7
    assert run(["up", "--lan", "shop", "--pcap", "p.pcap", "--tls", "--no-web"]) == 7
    assert asked[2][0]["attendance"] == pages(wanted=False)["attendance"]
    assert (asked[2][0]["lan"], asked[2][0]["pcap"]) == ("shop", Path("p.pcap"))
    assert asked[2][0]["tls"]
    common = {"seed": 1, "decoder": "pyzbar", "data_dir": None} | ON_LOOPBACK
    first = {"devices": 1, "profile": None, "state": "bound", "ready_file": None, "shards": None}
    common |= pages(wanted=True)
    assert asked[0] == (first | {"devices_json": None} | common,)
    second = {"devices": 5, "profile": "nvr", "state": "waiting", "shards": 1}
    files = {"ready_file": Path("r.json"), "devices_json": Path("d.json")}
    assert asked[1] == (second | files | common,)


# --- what is written about it -------------------------------------------------------------------

EXAMPLES = [
    line.split()[1:]
    for line in (Path(__file__).parents[1] / "fleet/app/README.md").read_text().splitlines()
    if line.startswith("fleet ")
]


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_examples_use_commands_and_options_that_exist(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    depth = 2 if words[0] == "app" else 1
    assert run([*words[:depth], "--help"]) == 0
    text = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and f"{word} " not in text] == []


@pytest.mark.parametrize("words", [["--help"], ["profiles"]])
def test_a_full_disk_is_one_line(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "fleet", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (
        2,
        "fleet: cannot write the output: No space left on device\n",
    )


def test_a_fault_of_our_own_is_not_taken_for_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "ours")

    monkeypatch.setattr("fleet.cli.cli", fail)
    with pytest.raises(FileNotFoundError):
        run(["profiles"])
