import asyncio
import os
from typing import Any, cast

import pytest

from firmware_sim.wire.provisioning import TokenForm
from fleet.app.finder import Found
from fleet.app.handover import Delivery, Outcome
from fleet.app.lan_client import LanSearch
from fleet.run import phones
from fleet.run.phones import SETTLE_S, LanPhones

FOUND = Found("uuid", "127.16.1.1", "pid", "3.1", "127.16.1.1")


class Search:
    async def wait_for(self, uuids: Any, timeout_s: float) -> tuple[Found, ...]:
        assert (list(uuids), timeout_s) == (["uuid"], 3.0)
        return (FOUND,)


def test_phones_listen_together_and_send_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Any, ...]] = []

    async def send(ip: str, token: str, **how: Any) -> Delivery:
        sent.append((ip, token, how))
        return Delivery(ip, Outcome.ACCEPTED, 1)

    monkeypatch.setattr(phones, "send_token", send)
    both = LanPhones(cast("LanSearch", Search()))
    assert asyncio.run(both.wait_for(["uuid"], 3.0)) == (FOUND,)
    assert asyncio.run(both.hand_over(FOUND, "token")).accepted
    assert sent == [
        (
            "127.16.1.1",
            "token",
            {"form": TokenForm.PLAIN, "settle_s": SETTLE_S, "entropy": os.urandom},
        )
    ]
