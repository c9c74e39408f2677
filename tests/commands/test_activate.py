"""`fleet app activate`: which token goes where in which form, and how that ends."""

import asyncio
from typing import Any

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from firmware_sim.wire.provisioning import TokenForm
from fleet.app.handover import Delivery, Outcome
from fleet.commands import activate, consumer
from fleet.commands.access import Access
from fleet.commands.activate import Where, with_login, with_token
from tests.app.fake_cloud import FakeCloud

TOKEN = "EUabcdefghpr_0"
IP = "10.0.0.1"
EVE = Access("http://cloud.test", "eve", "pw")


def text(screen: Console) -> str:
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, TokenForm]]:
    """Replace the LAN by a device that takes a token, unless it is at 10.0.0.9."""
    tokens: list[tuple[str, str, TokenForm]] = []

    async def send(ip: str, token: str, *, form: TokenForm) -> Delivery:
        tokens.append((ip, token, form))
        return Delivery(ip, Outcome.REFUSED if ip.endswith(".9") else Outcome.ACCEPTED, 1)

    for module in (activate, consumer):
        monkeypatch.setattr(module, "send_token", send)
    return tokens


@pytest.mark.parametrize(
    ("where", "form"),
    [
        (Where("u1", IP), TokenForm.ECB),
        (Where("u1", IP, "3.1"), TokenForm.PLAIN),
        (Where("u1", IP, "3.5"), TokenForm.ECB),
        (Where("u1", IP, "3.5", "gcm_key3"), TokenForm.GCM_KEY3),
        (Where("u1", IP, form="plain"), TokenForm.PLAIN),
    ],
)
def test_a_token_that_is_given_is_handed_over(
    where: Where, form: TokenForm, sent: list[Any], screen: Console
) -> None:
    assert asyncio.run(with_token(where, TOKEN, screen)) == 0
    assert sent == [(IP, TOKEN, form)]
    assert text(screen) == f"u1  {IP}  token accepted\n"


def test_an_address_that_is_none_is_one_clear_line(sent: list[Any], screen: Console) -> None:
    with pytest.raises(UsageError, match=r"'a\.\.b' is no IPv4 address"):
        asyncio.run(with_token(Where("u1", "a..b"), TOKEN, screen))
    assert sent == []


def test_a_refusal_is_exit_code_1(sent: list[Any], screen: Console) -> None:
    assert asyncio.run(with_token(Where("u1", "10.0.0.9"), TOKEN, screen)) == 1
    assert len(sent) == 1
    assert "token refused" in text(screen)


@pytest.mark.parametrize(("ip", "code"), [(IP, 0), ("10.0.0.9", 1)])
def test_a_token_of_the_cloud_binds_the_device(
    ip: str, code: int, cloud: FakeCloud, sent: list[Any], screen: Console
) -> None:
    cloud.accept({"session": "s"})
    cloud.accept({"token": TOKEN, "expires_ms": 1})
    cloud.accept({"success": [{"uuid": "u1", "dev_id": "d1"}], "failed": []})
    where = Where("u1", ip, form="ecb_hmac")
    assert asyncio.run(with_login(where, EVE, 10, screen)) == code
    assert sent == [(ip, TOKEN, TokenForm.ECB_HMAC)]
    assert ("bound as d1" in text(screen)) is (code == 0)
