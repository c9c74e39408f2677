"""Impatient with an address that nobody answers, patient with a cloud that was there."""

import asyncio

import httpx
import pytest

from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.errors import CloudUnreachable
from fleet.commands import login
from fleet.commands.access import Access
from fleet.commands.login import logged_in
from tests.app.fake_cloud import FakeCloud


def test_patience_comes_with_the_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeCloud()
    links: list[CloudLink] = []

    def open_link(url: str, *, patience_s: float, ca_file: str) -> CloudLink:
        assert ca_file == "ca.pem"
        links.append(CloudLink(url, patience_s=patience_s, transport=httpx.MockTransport(fake)))
        return links[-1]

    async def story() -> None:
        async with logged_in(
            Access("http://c", "ann", "pw", ca_file="ca.pem"), ConsoleClient
        ) as console:
            assert console.name == "ann"
            assert links[-1].patience_s == login.PATIENCE_S

    monkeypatch.setattr(login, "CloudLink", open_link)
    fake.accept({"session": "s", "name": "ann"})
    asyncio.run(story())
    fake.replies.clear()
    fake.fail(httpx.ConnectError)
    monkeypatch.setattr(login, "FIRST_PATIENCE_S", 0.05)
    with pytest.raises(CloudUnreachable, match=r"within 0\.05 s"):
        asyncio.run(story())
