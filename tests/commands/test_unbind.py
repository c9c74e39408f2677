"""`fleet app unbind`: what the operator sees, when it ends, and with which exit code."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from fleet.app.finder import Found
from fleet.app.follow import follow
from fleet.app.handover import Delivery, Outcome
from fleet.commands import unbind
from fleet.commands.access import Access
from fleet.commands.unbind import Batch, Wifi, by_qr, by_wire
from tests.app.fake_cloud import FakeCloud

ANN = Access("http://cloud.test", "ann", "pw")
WIFI = Wifi("Café", "s3cret")
DEVICES = [Found(f"u{n}", f"127.0.0.{n}", "p1", "3.3", f"127.0.0.{n}") for n in (1, 2, 3)]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unbind, "follow", lambda *a: follow(*a, poll_s=0))


def token(used: int = 0, *, most: int = 2, left_ms: int = 60_000, **more: Any) -> dict[str, Any]:
    return {
        "token": "EUabcdefghpr_0",
        "batch": "b1",
        "method": "qr",
        "max_devices": most,
        "expires_ms": time.time_ns() // 1_000_000 + left_ms,
        "used": used,
        **more,
    }


def page(*rows: tuple[str, str]) -> dict[str, Any]:
    return {
        "rows": [
            {
                "id": number,
                "time_ms": 1,
                "operation": "unbind",
                "status": "refused" if reason else "ok",
                "uuid": uuid,
                "reason": reason,
            }
            for number, (uuid, reason) in enumerate(rows, 1)
        ],
        "next": None,
    }


def text(screen: Console) -> str:
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def answer(cloud: FakeCloud, *results: Any) -> None:
    for result in ({"session": "s"}, *results):
        cloud.accept(result)


# --- by QR code ---------------------------------------------------------------------------------


def test_a_full_batch_ends_well(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, token(), token(1), page(("u1", "")), token(2), page(("u2", "")))
    assert asyncio.run(by_qr(ANN, WIFI, Batch(2), None, screen)) == 0
    shown = text(screen)
    assert "█" in shown
    assert "u1  ok" in shown
    assert "used 0 of 2" in shown
    assert shown.endswith("unbound 2\n")
    assert cloud.requests[1].content == b'{"method":"qr","max_devices":2}'


def test_nothing_that_is_shown_contains_a_secret(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, token(), token(2), page())
    asyncio.run(by_qr(ANN, WIFI, Batch(2), None, screen))
    for secret in ("s3cret", "EUabcdefghpr_0", ANN.password):
        assert secret not in text(screen)
    assert "s3cret" not in repr(WIFI)


def test_a_refused_device_is_told_with_its_reason(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, token(), token(2), page(("u1", ""), ("u2", ""), ("u3", "token_full")))
    assert asyncio.run(by_qr(ANN, WIFI, Batch(2), None, screen)) == 1
    assert "u3  refused: token_full" in text(screen)
    assert text(screen).endswith("unbound 2, refused token_full 1\n")


def test_what_counts_is_how_a_device_ended(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, token(), token(2), page(("u1", "account_quota"), ("u1", "")))
    assert asyncio.run(by_qr(ANN, WIFI, Batch(2), None, screen)) == 0
    assert text(screen).endswith("unbound 1\n")


@pytest.mark.parametrize("last", [token(1, left_ms=-1), token(1, cancelled=True)])
def test_a_dead_token_ends_the_watch(
    cloud: FakeCloud, screen: Console, last: dict[str, Any]
) -> None:
    answer(cloud, token(), last, page(("u1", "")))
    assert asyncio.run(by_qr(ANN, WIFI, Batch(2), None, screen)) == 0
    assert len(cloud.requests) == 4


def test_watching_can_be_limited(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, token(), token(1), page())
    cloud.accept(token(1))  # repeated for ever, and no page of history any more

    async def story() -> int:
        return await by_qr(ANN, WIFI, Batch(2, wait_s=0), None, screen)

    assert asyncio.run(story()) == 0
    assert "stopped watching batch b1 after 0 s" in text(screen)


def test_a_picture_is_written_too(cloud: FakeCloud, screen: Console, tmp_path: Path) -> None:
    answer(cloud, token(), token(2), page())
    asyncio.run(by_qr(ANN, WIFI, Batch(2), tmp_path / "code.png", screen))
    assert (tmp_path / "code.png").stat().st_size > 100
    assert f"written to {tmp_path / 'code.png'}" in text(screen)


def test_a_wrong_picture_name_is_refused_before_a_token_is_made(
    cloud: FakeCloud, screen: Console, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        asyncio.run(by_qr(ANN, WIFI, Batch(2), tmp_path / "code.gif", screen))
    assert cloud.requests == []


# --- by wire ------------------------------------------------------------------------------------


@pytest.fixture
def lan(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let three devices wait on the LAN; return the list of who was handed a token, per batch."""
    handed: list[list[str]] = []

    async def search(_: float, *, network: str) -> tuple[Found, ...]:
        assert network == ANN.network
        return tuple(reversed(DEVICES))

    async def send_tokens(
        targets: list[Found], _: str, *, on_delivery: Callable[[Found, Delivery], None]
    ) -> tuple[Delivery, ...]:
        handed.append([found.uuid for found in targets])
        deliveries = []
        for found in targets:
            outcome = Outcome.NO_ANSWER if found.uuid == "u3" else Outcome.ACCEPTED
            deliveries.append(Delivery(found.ip, outcome, 1))
            on_delivery(found, deliveries[-1])
        return tuple(deliveries)

    monkeypatch.setattr(unbind, "search", search)
    monkeypatch.setattr(unbind, "send_tokens", send_tokens)
    return handed


def test_selected_devices_get_a_token_and_are_followed(
    cloud: FakeCloud, screen: Console, lan: list[list[str]]
) -> None:
    answer(cloud, token(), token(1), page(("u1", "")), token(2), page(("u2", "")))
    assert asyncio.run(by_wire(ANN, Batch(wait_s=100), 1, "1-2", screen)) == 0
    assert lan == [["u1", "u2"]]
    assert "u2  127.0.0.2  token accepted" in text(screen)
    assert text(screen).endswith("unbound 2\n")
    assert cloud.requests[1].content == b'{"method":"wired","max_devices":2}'


def test_a_device_that_does_not_answer_is_missing(
    cloud: FakeCloud, screen: Console, lan: list[list[str]]
) -> None:
    answer(cloud, token(), token(2), page(("u1", ""), ("u2", "product_quota")))
    assert asyncio.run(by_wire(ANN, Batch(wait_s=100), 1, "all", screen)) == 1
    assert "u3  127.0.0.3  token no_answer" in text(screen)
    assert text(screen).endswith("unbound 1, refused product_quota 1, not seen 1\n")


def test_more_than_one_token_can_release_are_several_batches(
    cloud: FakeCloud, screen: Console, lan: list[list[str]]
) -> None:
    answer(cloud, token(), token(2), page(("u1", ""), ("u2", "")), token())
    assert asyncio.run(by_wire(ANN, Batch(2, wait_s=100), 1, "all", screen)) == 1
    assert lan == [["u1", "u2"], ["u3"]]  # u3 never answers, so nobody waits for it


def test_nothing_found_is_one_line(
    cloud: FakeCloud, screen: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def search(_: float, *, network: str) -> tuple[Found, ...]:
        assert network == ANN.network
        return ()

    monkeypatch.setattr(unbind, "search", search)
    answer(cloud)
    cloud.accept(token())
    with pytest.raises(UsageError, match=r"no device waits .* \(searched 0\.5 s\)"):
        asyncio.run(by_wire(ANN, Batch(), 0.5, "all", screen))


@pytest.mark.usefixtures("lan")
def test_who_does_not_say_which_is_asked(
    cloud: FakeCloud, screen: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    answer(cloud)
    with pytest.raises(UsageError, match="which devices"):
        asyncio.run(by_wire(ANN, Batch(), 1, "", screen))
    cloud.replies.clear()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "1")
    answer(cloud, token(), token(1), page(("u1", "")))
    assert asyncio.run(by_wire(ANN, Batch(wait_s=100), 1, "", screen)) == 0
