"""Calls without a socket: what is taken, what is answered, and who is turned away."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import httpx
import msgspec
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp

from firmware_sim.bench.capabilities import Missing, NotSeen
from firmware_sim.bench.endpoints.calls import (
    Call,
    Line,
    NotFound,
    TooLarge,
    Unreadable,
    make_app,
    problem,
)
from firmware_sim.errors import PeerError, UsageError

Reply = tuple[int, str]


class Order(msgspec.Struct):
    """A body."""

    count: int


async def echo(call: Call) -> object:
    return {"content": call.text(), "query": dict(call.query)}


async def order(call: Call) -> object:
    return call.body(Order).count + call.asked(Order).count


async def nothing(_: Call) -> object:
    return None


async def page(_: Call) -> object:
    return Response("as it is", media_type="text/plain")


async def number(call: Call) -> object:
    return call.number("index")


def failing(error: Exception) -> Line:
    async def fail(_: Call) -> object:
        raise error

    return Line("GET", "/fails", fail)


APP = make_app(
    [
        Line("PUT", "/echo", echo, 8),
        Line("GET", "/echo", nothing),
        Line("POST", "/order", order),
        Line("GET", "/page", page),
        Line("GET", "/numbers/{index}", number),
    ]
)


def client(app: ASGIApp = APP, host: str = "127.0.0.1:8440") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{host}")


def call(method: str, path: str, app: ASGIApp = APP, **more: Any) -> Reply:
    async def work() -> Reply:
        async with client(app, more.pop("host", "127.0.0.1:8440")) as caller:
            reply = await caller.request(method, path, **more)
        return reply.status_code, reply.text

    return run(work())


def run(work: Coroutine[Any, Any, Reply]) -> Reply:
    return asyncio.run(work)


def test_a_call_takes_query_and_body_and_answers_json() -> None:
    assert call("PUT", "/echo?a=1", content="hälf") == (
        200,
        '{"content":"hälf","query":{"a":"1"}}',
    )
    assert call("POST", "/order?count=2", content=b'{"count": 40}') == (200, "42")


def test_nothing_is_204_and_a_response_stays_as_it_is() -> None:
    assert call("GET", "/echo") == (204, "")
    assert call("GET", "/page") == (200, "as it is")
    assert call("HEAD", "/page")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "words"),
    [
        ("PUT", "/echo", b"\xff", 400, "body: no text in UTF-8"),
        ("PUT", "/echo", b"123456789", 413, "at most 8 bytes"),
        ("POST", "/order?count=1", b"{", 400, "body: "),
        ("POST", "/order?count=1", b'{"count": "x"}', 400, "body: "),
        ("POST", "/order?count=x", b'{"count": 1}', 400, "query: "),
        ("POST", "/order", b'{"count": 1}', 400, "query: "),
        ("GET", "/numbers/x", b"", 404, "no number of a device"),
        ("GET", "/numbers/%D9%A1", b"", 404, "no number of a device"),
        ("GET", "/numbers/-1", b"", 404, "no number of a device"),
        ("GET", "/numbers/9999999999", b"", 404, "no number of a device"),
        ("GET", "/nowhere", b"", 404, "there is nothing at /nowhere"),
        ("DELETE", "/echo", b"", 405, "/echo is not called by DELETE"),
    ],
)
def test_a_mistake_is_one_sentence(
    method: str, path: str, content: bytes, status: int, words: str
) -> None:
    answered, text = call(method, path, content=content)
    assert (answered, words in text) == (status, True)
    assert list(msgspec.json.decode(text)) == ["problem"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("gone"), 404),
        (Missing("none here"), 404),
        (TooLarge("fat"), 413),
        (Unreadable("no code"), 422),
        (NotSeen("nobody came"), 504),
        (PeerError("the cloud says no"), 502),
        (UsageError("wrong"), 400),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    answer = call("GET", "/fails", make_app([failing(error)]))
    assert answer == (status, f'{{"problem":"{error}"}}')


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "127.9.8.7", "[::1]:8440"])
def test_it_is_served_to_this_machine(host: str) -> None:
    assert call("GET", "/echo", host=host)[0] == 204


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.1", "[::2]"])
def test_a_name_that_was_made_to_point_here_is_turned_away(host: str) -> None:
    assert call("GET", "/echo", host=host)[0] == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8440"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9"}, 403),  # another program of this machine
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_pages_of_others_can_do_nothing(headers: dict[str, str], status: int) -> None:
    assert call("PUT", "/echo", content=b"x", headers=headers)[0] == status


def test_a_request_without_one_host_is_turned_away() -> None:
    async def answered(hosts: list[tuple[bytes, bytes]]) -> int:
        said: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        scope = {"type": "http", "method": "GET", "path": "/echo", "headers": hosts}
        await APP({**scope, "query_string": b"", "root_path": ""}, receive, send)
        return int(said[0]["status"])

    assert asyncio.run(answered([])) == 403
    assert asyncio.run(answered([(b"host", b"localhost"), (b"host", b"evil.example")])) == 403


def test_a_body_that_comes_in_pieces_is_counted() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"1234"

    assert call("PUT", "/echo", content=pieces())[0] == 413


def test_what_is_no_request_is_let_be() -> None:
    async def work() -> None:
        async def never(*_: Any) -> Any:
            raise AssertionError

        await APP({"type": "websocket"}, never, never)

    asyncio.run(work())


def test_a_problem_is_one_line() -> None:
    assert problem(400, "two\nlines").body == b'{"problem":"two lines"}'


def test_bodies_of_all_callers_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.bench.endpoints.calls.BODIES_MAX", 10)
    app = make_app([Line("PUT", "/echo", echo, 8)])

    async def work() -> list[int]:
        going = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"123456"
            await going.wait()
            yield b"78"

        async with client(app) as caller:
            first = asyncio.create_task(caller.put("/echo", content=slow()))
            await asyncio.sleep(0.01)
            codes = [(await caller.put("/echo", content=b"12345")).status_code]
            codes.append((await caller.put("/echo", content=b"1234")).status_code)
            going.set()
            codes.append((await first).status_code)
            codes.append((await caller.put("/echo", content=b"12345678")).status_code)
        return codes

    assert asyncio.run(work()) == [503, 200, 200, 200]
