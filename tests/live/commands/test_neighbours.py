"""`fleet app search` over loopback: what is printed, and the exit code."""

import asyncio
import io
import json
import socket
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from firmware_sim.wire.discovery import PORT_ENCRYPTED, Announcement, encode_announcement
from fleet.app.lan_caller import LOOPBACK_BROADCAST, Asking
from fleet.commands.neighbours import Plan, plan, search

# Answers come to an address that no other search of this machine has.
ASKING = Asking(answer_ip="127.6.3.250")
PLAN = Plan(0.2, "127.6.3.0/24", ASKING)


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), width=200, markup=False, emoji=False, highlight=False)


def text(screen: Console) -> str:
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def say(ip: str, datagram: bytes, to: tuple[str, int]) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.bind((ip, 0))
        sender.sendto(datagram, to)


def card(ip: str, name: str, version: str, active: int, *, token: bool) -> bytes:
    announcement = Announcement(
        ip=ip,
        gw_id=name,
        active=active,
        encrypt=True,
        product_key="p1",
        version=version,
        token=token,
    )
    return encode_announcement(announcement, bytes(12))


def searched(screen: Console, monkeypatch: pytest.MonkeyPatch, *, as_json: bool) -> int:
    """Search while three devices are there: two say so, one answers."""

    def begin(_: str) -> AbstractContextManager[None]:
        everybody = (LOOPBACK_BROADCAST, PORT_ENCRYPTED)
        say("127.6.3.2", card("127.6.3.2", "u2", "3.3", 0, token=True), everybody)
        say("127.6.3.1", card("127.6.3.1", "d1", "3.4", 2, token=False), everybody)
        say("127.6.3.3", card("127.6.3.3", "d3", "3.5", 2, token=False), (ASKING.answer_ip, 7000))
        say("127.6.3.4", b"noise", everybody)
        return nullcontext()

    monkeypatch.setattr(screen, "status", begin)
    return asyncio.run(search(PLAN, screen, as_json=as_json))


def test_everybody_is_listed_by_address(screen: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    assert searched(screen, monkeypatch, as_json=False) == 0
    lines = [" ".join(line.split()) for line in text(screen).splitlines()]
    assert lines == [
        "device product address version state",
        "d1 p1 127.6.3.1 3.4 activated",
        "u2 p1 127.6.3.2 3.3 waits for a token",
        "d3 p1 127.6.3.3 3.5 activated",
        "devices: 3, waiting for a token: 1",
        "datagrams that were no announcements: 1",
    ]


def test_lines_of_json(
    screen: Console, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert searched(screen, monkeypatch, as_json=True) == 0
    devices = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [device["id"] for device in devices] == ["d1", "u2", "d3"]
    assert devices[2] == {
        "id": "d3",
        "ip": "127.6.3.3",
        "version": "3.5",
        "active": 2,
        "product_id": "p1",
        "token": False,
        "source_ip": "127.6.3.3",
    }
    assert text(screen) == ""


@pytest.mark.parametrize("as_json", [True, False])
def test_nobody_is_an_exit_code(screen: Console, *, as_json: bool) -> None:
    nobody = Plan(0.01, "127.6.9.0/24", ASKING)
    assert asyncio.run(search(nobody, screen, as_json=as_json)) == 1
    assert text(screen) == ("" if as_json else "devices: 0, waiting for a token: 0\n")


def test_a_plan_is_made_of_options(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text('{"console": "http://c", "devices": [{"ip": "10.77.0.9"}]}')
    made = plan(ready, 2.0, ["10.77.255.255"], "10.77.0.1")
    assert made == Plan(2.0, "10.77.0.0/16", Asking(("10.77.255.255",), "10.77.0.1"))
    assert LOOPBACK_BROADCAST in plan(None, 2.0, [], "").asking.broadcasts


@pytest.mark.parametrize(("broadcasts", "answer_ip"), [(["a..b"], ""), ([], "localhost")])
def test_an_address_that_is_none_is_one_clear_line(broadcasts: list[str], answer_ip: str) -> None:
    with pytest.raises(UsageError, match="is no IPv4 address"):
        plan(None, 2.0, broadcasts, answer_ip)
