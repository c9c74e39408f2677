"""Calls: what they carry, and how what goes wrong is answered."""

from typing import Any

import msgspec
import pytest
from starlette.responses import Response

from firmware_sim.errors import Malformed, UsageError
from fleet.app.errors import CloudUnreachable
from fleet.web.app import make_app
from fleet.web.routes import Call, NotFound, Room, Route
from tests.web.client import browser

pytestmark = pytest.mark.anyio


class Press(msgspec.Struct, frozen=True):
    hold_ms: int


async def press(call: Call) -> dict[str, str | int]:
    return {"index": call.path["index"], "hold_ms": call.body.hold_ms, "how": call.query["how"]}


async def fail(call: Call) -> object:
    raise {
        "usage": UsageError("the pile is\n empty"),
        "missing": NotFound("no such device"),
        "form": Malformed("JSON: no"),
        "peer": CloudUnreachable("nobody answers"),
    }[call.path["how"]]


async def picture(_: Call) -> Response:
    return Response(b"GIF", media_type="image/gif")


APP = make_app(
    [
        Room(
            "room",
            "Room",
            "login.html",
            (
                Route("POST", "/{index}/press", "Press", press, Press, dict[str, str | int]),
                Route("GET", "/fail/{how}", "Fail", fail),
                Route("GET", "/picture", "Paint", picture),
            ),
        )
    ]
)


async def test_a_body_that_breaks_off_is_no_mistake_of_ours() -> None:
    parts = iter([
        {"type": "http.request", "body": b'{"hold_', "more_body": True},
        {"type": "http.disconnect"},
    ])  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return next(parts)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/room/7/press",
        "query_string": b"how=long",
        "headers": [(b"host", b"127.0.0.1:8420"), (b"x-fleet", b"1")],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8420),
        "scheme": "http",
    }
    await APP(scope, receive, send)
    assert sent[0]["status"] == 400


async def test_a_call_has_path_query_and_body() -> None:
    async with browser(APP, **{"X-Fleet": "1"}) as client:
        reply = await client.post("/api/room/7/press?how=long", json={"hold_ms": 3000})
    assert reply.json() == {"index": "7", "hold_ms": 3000, "how": "long"}


async def test_a_body_of_another_form_is_the_callers_mistake() -> None:
    async with browser(APP, **{"X-Fleet": "1"}) as client:
        reply = await client.post("/api/room/7/press", json={"hold_ms": "long"})
    assert reply.status_code == 400
    assert "hold_ms" in reply.json()["error"]


@pytest.mark.parametrize(
    ("how", "status", "text"),
    [
        ("usage", 400, "the pile is empty"),
        ("missing", 404, "no such device"),
        ("form", 502, "JSON: no"),
        ("peer", 502, "nobody answers"),
    ],
)
async def test_whose_mistake_it_was_is_the_status(how: str, status: int, text: str) -> None:
    async with browser(APP) as client:
        reply = await client.get(f"/api/room/fail/{how}")
    assert (reply.status_code, reply.json()) == (status, {"error": text})


async def test_a_call_may_answer_with_a_picture() -> None:
    async with browser(APP) as client:
        reply = await client.get("/api/room/picture")
    assert (reply.headers["content-type"], reply.content) == ("image/gif", b"GIF")
