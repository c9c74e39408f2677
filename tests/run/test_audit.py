import asyncio

import httpx
import msgspec
import pytest

from firmware_sim.errors import Malformed
from fleet.app.carrier import Request
from fleet.app.cloud_link import CloudLink
from fleet.app.errors import CloudUnreachable
from fleet.cloud.api.admin_api import Audit, AuditedDevice
from fleet.run import audit
from fleet.run.audit import APPS_MAX, fetch_apps, fetch_audit, fetch_history, read_audit
from fleet.run.checks.evidence import App
from tests.run.fakes import MiniCloud, MiniConsole, small

AUDIT = Audit([AuditedDevice("u", "d", "p", "o", online=True, pending_reset="")], [], [])
REPLY = msgspec.json.encode({"success": True, "result": AUDIT, "t": 1})


def test_an_audit_is_read() -> None:
    assert read_audit(REPLY) == AUDIT


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "audit: "),
        (b'{"success":false,"code":"no_session","t":1}', "refused .no_session."),
        (REPLY[:40], "audit: "),
        (REPLY.replace(b'"uuid"', b'"uid"'), "audit: "),
    ],
)
def test_what_is_no_audit(body: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read_audit(body)


def answering(monkeypatch: pytest.MonkeyPatch, transport: httpx.MockTransport) -> None:
    client = httpx.AsyncClient

    def make(**how: object) -> httpx.AsyncClient:
        assert how == {"timeout": audit.TIMEOUT_S, "trust_env": False, "verify": True}
        return client(transport=transport)

    monkeypatch.setattr(httpx, "AsyncClient", make)


def test_it_is_fetched_with_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://cloud/admin/v1/audit"
        assert request.headers["Authorization"] == "Bearer secret"
        return httpx.Response(200, content=REPLY)

    answering(monkeypatch, httpx.MockTransport(answer))
    assert asyncio.run(fetch_audit("http://cloud", "secret")) == AUDIT


def test_a_cloud_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    answering(monkeypatch, httpx.MockTransport(answer))
    with pytest.raises(CloudUnreachable, match="no audit"):
        asyncio.run(fetch_audit("http://cloud", "secret"))


def test_the_history_is_fetched_whole() -> None:
    population = small(4)
    cloud = MiniCloud(population)
    console = MiniConsole(cloud, "owner@maker")
    token = asyncio.run(console.unbind_token("qr"))
    for unit in population.units:
        cloud.activate(unit.uuid, token.token)
    assert asyncio.run(fetch_history(console.client)) == cloud.rows


class Homes:
    """A cloud in which everybody has one device, named like its owner."""

    async def exchange(self, request: Request) -> bytes:
        result: object = [{"dev_id": "", "uuid": request.session, "product_id": ""}]
        if request.target == "/app/v1/login":
            result = {"session": msgspec.json.decode(request.body)["name"]}
        return msgspec.json.encode({"success": True, "result": result})

    async def close(self) -> None:
        """Nothing is open."""


def test_some_owners_are_asked_what_their_apps_show() -> None:
    population = small(60)
    sold = [unit.index for unit in population.units if unit.new_owner is not None]
    assert len(sold) > APPS_MAX

    async def ask() -> tuple[App, ...]:
        async with CloudLink("http://cloud", carrier=Homes()) as link:
            return await fetch_apps(link, population, reversed(sold))

    apps = asyncio.run(ask())
    first = [App(index, new=False, uuids=(f"first-owner-{index}",)) for index in range(APPS_MAX)]
    following = [App(index, new=True, uuids=(f"next-owner-{index}",)) for index in sold[:APPS_MAX]]
    assert apps == (*first, *following)
