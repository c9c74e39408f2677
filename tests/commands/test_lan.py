"""`fleet lan`: what is asked for, and what is said about it."""

from pathlib import Path
from typing import Any

import pytest

from fleet.__main__ import run
from fleet.commands import traffic
from fleet.lan import control, macvlan, namespace, record
from fleet.lan.record import Record, Records


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """Replace what does the work by a note of what it was asked."""
    notes: list[tuple[Any, ...]] = []

    def up_veth(*words: Any) -> object:
        notes.append(words)
        return namespace.plan(*words)

    def up_macvlan(*words: Any) -> object:
        notes.append(words)
        return macvlan.plan(*words[:3])

    monkeypatch.setattr(control, "up_veth", up_veth)
    monkeypatch.setattr(control, "up_macvlan", up_macvlan)
    monkeypatch.setattr(control, "down", lambda *words: notes.append(words))
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    return notes


def test_up_makes_a_lan_inside_and_says_where(
    asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["lan", "up", "shop"]) == 0
    assert run(["lan", "up", "shop", "--devices", "5", "--network", "10.78.0.0/16"]) == 0
    assert asked == [("shop", 10_000, "10.77.0.0/16"), ("shop", 5, "10.78.0.0/16")]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        "LAN shop: devices 10.78.0.10 to 10.78.0.14, cloud 10.78.0.2, broadcast 10.78.255.255",
        "fleet up --lan shop    (remove it: fleet lan down shop)",
    ]


def test_up_with_a_parent_makes_one_on_its_wire(asked: list[tuple[Any, ...]]) -> None:
    words = ["lan", "up", "hall", "--parent", "eth7", "--first", "192.168.1.100/24"]
    assert run(words) == 0
    assert run([*words, "--devices", "9"]) == 0
    assert asked == [
        ("hall", 50, "192.168.1.100/24", "eth7"),
        ("hall", 9, "192.168.1.100/24", "eth7"),
    ]


@pytest.mark.parametrize(
    "options",
    [
        "--parent eth7",
        "--first 192.168.1.100/24",
        "--parent eth7 --first 192.168.1.100/24 --network 10.0.0.0/8",
    ],
)
def test_options_that_do_not_go_together(
    options: str, asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["lan", "up", "hall", *options.split()]) == 2
    assert "give --parent and --first together" in capsys.readouterr().err
    assert asked == []


def test_down(asked: list[tuple[Any, ...]]) -> None:
    assert run(["lan", "down", "shop"]) == 0
    assert asked == [("shop",)]


@pytest.mark.usefixtures("asked")
def test_list_shows_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    Records().create(Record(namespace.plan("shop", 5, "10.77.0.0/16")))
    Records().create(
        Record(macvlan.plan("hall", 2, "192.168.1.7/24"), "eth7", number=1, whole=True)
    )
    assert run(["lan", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1][:4] == ["hall", "macvlan", "gone", "192.168.1.0/24"]
    assert rows[1][-1] == "eth7"
    assert rows[2][:5] == ["shop", "veth", "half-made", "10.77.0.0/16", "10.77.0.2"]


@pytest.mark.parametrize("seconds", ["-1", "1e12", "inf", "nan"])
def test_capture_ends_within_days(seconds: str, tmp_path: Path) -> None:
    assert run(["lan", "capture", str(tmp_path / "a.pcap"), "--seconds", seconds]) == 2
    assert not (tmp_path / "a.pcap").exists()


def test_capture_and_dissect_hand_on_every_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notes: list[tuple[Any, ...]] = []

    def stand_in(path: Path, **options: Any) -> int:
        notes.append((path, options))
        return 7

    monkeypatch.setattr(traffic, "capture", stand_in)
    monkeypatch.setattr(traffic, "dissect", stand_in)
    file, ready = tmp_path / "a.pcap", tmp_path / "ready.json"
    file.touch()
    ready.touch()
    nothing = {"ready": None, "interface": "", "lan": "", "seconds": None, "packets_max": None}
    assert run(["lan", "capture", str(file)]) == 7
    limits = ["--seconds", "2.5", "--packets", "9"]
    where = ["--ready", str(ready), "--interface", "lo", "--lan", "shop"]
    assert run(["lan", "capture", str(file), *where, *limits]) == 7
    assert run(["lan", "dissect", str(file)]) == 7
    assert run(["lan", "dissect", str(file), "--devices", str(ready), "--json"]) == 7
    everything = {"ready": ready, "interface": "lo", "lan": "shop"}
    assert notes == [
        (file, nothing),
        (file, everything | {"seconds": 2.5, "packets_max": 9}),
        (file, {"devices": None, "as_json": False}),
        (file, {"devices": ready, "as_json": True}),
    ]
