"""What the phone's commands print, and that names from strangers are printed as they are."""

import io
from collections import Counter

import pytest
from rich.console import Console, RenderableType

from fleet.app.finder import Found, Heard
from fleet.app.handover import Delivery, Outcome
from fleet.app.messages import (
    HistoryRow,
    OwnedDevice,
    ProductQuota,
    Quota,
    Quotas,
    UnbindToken,
)
from fleet.commands import screen

OK = HistoryRow(1, 1_700_000_000_000, "unbind", "ok", uuid="u1", batch="b1", product_id="p1")
REFUSED = HistoryRow(2, 1_700_000_001_000, "unbind", "refused", dev_id="d2", reason="token_full")


def printed(*renderables: RenderableType) -> list[str]:
    console = Console(file=io.StringIO(), width=200, markup=False, emoji=False)
    for renderable in renderables:
        console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_a_happening_is_one_line() -> None:
    assert printed(screen.happening(OK)) == ["22:13:20Z u1 ok"]
    assert printed(screen.happening(REFUSED)) == ["22:13:21Z d2 refused: token_full"]


def test_an_unknown_status_is_shown_as_it_is() -> None:
    assert screen.outcome(HistoryRow(1, 1, "unbind", "pending")).plain == "pending"


def test_history() -> None:
    assert printed(screen.history_table([OK, REFUSED])) == [
        "time (UTC) operation method batch device product outcome",
        "2023-11-14 22:13:20Z unbind b1 u1 p1 ok",
        "2023-11-14 22:13:21Z unbind d2 refused: token_full",
    ]


def test_what_is_left_of_a_token() -> None:
    token = UnbindToken("EUabcdefghpr_0", "b1", "qr", 30, 65_999, used=3)
    assert screen.token_status(token, 0) == "batch b1: used 3 of 30, expires in 1:05"
    assert screen.token_status(token, 99_000).endswith("expires in 0:00")


def test_quotas() -> None:
    quotas = Quotas("2026-01-02", Quota(3, 100), (ProductQuota("p1", 60, 50),))
    assert printed(screen.quota_table(quotas)) == [
        "scope name used limit left",
        "account 3 100 97",
        "product p1 60 50 0",
        "day 2026-01-02",
    ]


def test_found_devices_are_numbered_and_a_foreign_source_is_told() -> None:
    near = Found("u1", "127.0.0.2", "p1", "3.3", "127.0.0.2")
    odd = Found("u2", "127.0.0.3", "p1", "3.3", "127.0.0.9")
    assert printed(screen.found_table([near, odd])) == [
        "no. uuid product address",
        "1 u1 p1 127.0.0.2",
        "2 u2 p1 127.0.0.3 announced from 127.0.0.9",
    ]


def test_everybody_on_the_lan_is_listed_with_a_state() -> None:
    ip = "127.0.0.2"
    states = {(0, True): "u", (0, False): "x", (2, True): "d", (3, False): "y"}
    devices = [
        Heard(name, ip, "3.5", active, "p1", token, ip) for (active, token), name in states.items()
    ]
    devices.append(Heard("z", ip, "3.1", 2, "p1", False, "127.0.0.9"))
    assert printed(screen.heard_table(devices)) == [
        "device product address version state",
        "u p1 127.0.0.2 3.5 waits for a token",
        "x p1 127.0.0.2 3.5 not activated",
        "d p1 127.0.0.2 3.5 activated",
        "y p1 127.0.0.2 3.5 active 3",
        "z p1 127.0.0.2 3.1 activated announced from 127.0.0.9",
    ]


def test_devices_of_an_end_user() -> None:
    devices = [
        OwnedDevice("d1", "u1", "p1", "[red]cam[/] :smile:", online=True),
        OwnedDevice("d2", "u2", "p1"),
    ]
    assert printed(screen.owned_table(devices)) == [
        "device uuid product name",
        "d1 u1 p1 [red]cam[/] :smile: online",
        "d2 u2 p1 offline",
    ]


@pytest.mark.parametrize(
    ("delivery", "text"),
    [
        (Delivery("127.0.0.2", Outcome.ACCEPTED, 1), "u1 127.0.0.2 token accepted"),
        (
            Delivery("127.0.0.2", Outcome.REFUSED, 1, "code 1"),
            "u1 127.0.0.2 token refused (code 1)",
        ),
    ],
)
def test_a_delivery_is_one_line(delivery: Delivery, text: str) -> None:
    found = Found("u1", "127.0.0.2", "p1", "3.3", "127.0.0.2")
    assert printed(screen.delivery_line(found, delivery)) == [text]


def test_a_summary_begins_with_the_most() -> None:
    assert screen.summary(Counter({"refused x": 1, "unbound": 5})) == "unbound 5, refused x 1"
    assert screen.summary(Counter()) == "no device came"


def test_into_a_pipe_rows_are_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    assert screen.make_screen().width > 200
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert screen.make_screen().width == 80
