"""Whoever runs a cloud, on the line with it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from firmware_sim.errors import Malformed, UsageError
from fleet.app.errors import CloudUnreachable
from fleet.cloud.api.admin_api import UUIDS_MAX
from fleet.run import admin
from fleet.run.admin import AdminLink, read
from fleet.run.growth import grow, newcomers
from tests.run.fakes import small


def on_the_line(answer: Callable[[httpx.Request], httpx.Response]) -> AdminLink:
    """Return a link to a cloud that answers like that."""
    link = AdminLink("http://cloud", "s3cret")
    link._http._transport = httpx.MockTransport(answer)
    return link


def ask(answer: Callable[[httpx.Request], httpx.Response], call: str, *given: object) -> object:
    async def run() -> object:
        link = on_the_line(answer)
        try:
            return await getattr(link, call)(*given)
        finally:
            await link.close()

    return asyncio.run(run())


def success(result: object) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "result": result, "t": 1})


def test_it_says_who_it_is_and_reads_what_it_is_told() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return success([{"scope": "account", "name": "a", "day": "d", "used": 1, "limit": 2}])

    quotas: Any = ask(answer, "quotas")
    (quota,) = quotas
    assert (quota.name, quota.used) == ("a", 1)
    assert asked[0].url.path == "/admin/v1/quotas"
    assert asked[0].headers["Authorization"] == "Bearer s3cret"


def test_newcomers_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "DEVICES_PER_CALL", 2)
    before = small(6)
    new = newcomers(before, grow(before, "gateway", 3), bound=True)
    bodies: list[dict[str, list[object]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return success({"devices": 0})

    ask(answer, "add", new)
    assert bodies[0]["products"], "what they are sold under comes first"
    assert [len(body.get("users", [])) for body in bodies[1:3]] == [2, 1]
    devices = [device for body in bodies for device in body.get("devices", [])]
    assert len(devices) == len(new.devices)
    assert max(len(body.get("devices", [])) for body in bodies) == 2
    assert all(body["again"] for body in bodies), "it may have failed half way before"


def test_devices_leave() -> None:
    bodies: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return success({"devices": 1})

    ask(answer, "remove", ("a", "b"))
    assert bodies == [{"uuids": ["a", "b"]}]


def test_however_many_leave_they_leave_in_parts_that_the_cloud_takes() -> None:
    bodies: list[dict[str, list[str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return success({"devices": 1})

    uuids = tuple(f"u{number}" for number in range(UUIDS_MAX + 1))
    ask(answer, "remove", uuids)
    assert [len(body["uuids"]) for body in bodies] == [UUIDS_MAX, 1]
    assert [uuid for body in bodies for uuid in body["uuids"]] == list(uuids)


def test_a_cloud_that_is_away() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too late")

    with pytest.raises(CloudUnreachable, match="no answer"):
        ask(answer, "stats")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no JSON", Malformed),
        (b'{"success": true, "result": 5}', Malformed),
        (b'{"success": false, "code": "bad_request", "msg": "body: no"}', UsageError),
    ],
)
def test_answers_that_are_none(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(content, list[str])
