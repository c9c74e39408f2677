"""The consumer app's commands: what they print and how they end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from firmware_sim.wire.provisioning import TokenForm
from fleet.app.finder import Found
from fleet.app.handover import Delivery, Outcome
from fleet.commands import consumer
from fleet.commands.access import Access
from fleet.commands.unbind import Wifi
from tests.app.fake_cloud import FakeCloud

EVE = Access("http://cloud.test", "eve", "pw")
WIFI = Wifi("Café", "s3cret")
TOKEN = {"token": "EUabcdefghpr_0", "expires_ms": 9}
NOBODY: dict[str, Any] = {"success": [], "failed": []}
BOUND = {"success": [{"uuid": "u1", "dev_id": "d1"}], "failed": []}
REFUSED = {"success": [], "failed": [{"uuid": "u1", "code": "already_bound", "msg": "bound"}]}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "POLL_S", 0)


def text(screen: Console) -> str:
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def answer(cloud: FakeCloud, *results: Any) -> None:
    for result in ({"session": "s"}, *results):
        cloud.accept(result)


def test_a_new_user(cloud: FakeCloud, screen: Console) -> None:
    cloud.accept({"uid": "eu7"})
    assert asyncio.run(consumer.new_user(EVE, screen)) == 0
    assert text(screen) == "eve is registered as eu7\n"


def test_pairing_ends_with_the_first_device(
    cloud: FakeCloud, screen: Console, tmp_path: Path
) -> None:
    answer(cloud, TOKEN, NOBODY, BOUND)
    picture = tmp_path / "code.svg"
    assert asyncio.run(consumer.pair_by_qr(EVE, WIFI, picture, 10, screen)) == 0
    assert "u1  bound as d1" in text(screen)
    assert picture.exists()


def test_a_refused_device_is_told(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, TOKEN, REFUSED)
    assert asyncio.run(consumer.pair_by_qr(EVE, WIFI, None, 10, screen)) == 1
    assert "u1  already_bound: bound" in text(screen)


def test_pairing_does_not_wait_for_ever(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, TOKEN, NOBODY)
    assert asyncio.run(consumer.pair_by_qr(EVE, WIFI, None, 0.05, screen)) == 1
    assert "no device came within 0.05 s" in text(screen)


def test_a_wrong_picture_name_is_refused_first(cloud: FakeCloud, screen: Console) -> None:
    with pytest.raises(UsageError, match="QR picture"):
        asyncio.run(consumer.pair_by_qr(EVE, WIFI, Path("code"), 10, screen))
    assert cloud.requests == []


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.ACCEPTED, 0), (Outcome.REFUSED, 1)])
def test_pairing_by_wire(
    cloud: FakeCloud,
    screen: Console,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Outcome,
    code: int,
) -> None:
    async def choose(*_: object) -> list[Found]:
        return [Found("u1", "127.0.0.1", "p1", "3.3", "127.0.0.1")]

    async def send(ip: str, token: str, *, form: TokenForm) -> Delivery:
        assert (token, form) == (TOKEN["token"], TokenForm.ECB)
        return Delivery(ip, outcome, 1)

    monkeypatch.setattr(consumer, "choose_wired", choose)
    monkeypatch.setattr(consumer, "send_token", send)
    answer(cloud, TOKEN, BOUND)
    assert asyncio.run(consumer.pair_by_wire(EVE, 1, "all", 10, screen)) == code
    assert f"token {outcome.value}" in text(screen)
    assert ("bound as d1" in text(screen)) is (code == 0)


def test_devices_are_listed(cloud: FakeCloud, screen: Console) -> None:
    answer(cloud, [{"dev_id": "d1", "uuid": "u1", "product_id": "p1", "name": "n", "online": True}])
    assert asyncio.run(consumer.list_devices(EVE, screen)) == 0
    assert "d1" in text(screen)


@pytest.mark.parametrize("wipe", [True, False])
def test_a_device_is_removed(cloud: FakeCloud, screen: Console, *, wipe: bool) -> None:
    answer(cloud, True)
    assert asyncio.run(consumer.remove_device(EVE, "d1", screen, wipe=wipe)) == 0
    assert cloud.asked[1] == f"DELETE /app/v1/devices/d1?wipe={int(wipe)}"
    assert ("wiped" in text(screen)) is wipe
