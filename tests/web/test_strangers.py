"""What has been tried against the guard: broken headers, floods of strangers, sessions that are over."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route as Path

from fleet.cloud.brake import FREE_OF_ALL
from fleet.web import guard
from fleet.web.app import make_app
from fleet.web.feed import Feed
from fleet.web.guard import WRONG_FREE, Guard
from fleet.web.routes import Call, Room, Route
from fleet.web.sessions import IDLE_S_MAX, SESSIONS_MAX
from tests.web.client import browser, proof

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse"
FEED = Feed()


async def act(_: Call) -> dict[str, int]:
    return {}


async def feed(_: Call) -> object:
    return FEED.response(b"data: first\n\n")


async def metrics(_: Request) -> PlainTextResponse:
    return PlainTextResponse("figures")


ROOM = Room(
    "room",
    "Room",
    "login.html",
    (
        Route("POST", "/act", "Act", act, bytes, dict[str, int]),
        Route("GET", "/look", "Look", act, None, dict[str, int]),
        Route("GET", "/feed", "Go on looking", feed),
    ),
)


def own(password: str = "") -> Guard:
    return make_app([ROOM], password=password, more=[Path("/metrics", metrics)])


def public() -> Guard:
    return own(PASSWORD)


def visitor(app: Guard, address: str) -> httpx.AsyncClient:
    """Return a browser at another machine."""
    transport = httpx.ASGITransport(app=app, client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://192.0.2.1:8420")


async def log_in(client: httpx.AsyncClient, password: str = PASSWORD) -> int:
    headers = await proof(client)
    reply = await client.post("/api/login", json={"password": password}, headers=headers)
    return reply.status_code


@pytest.mark.parametrize("origin", ["http://[", "null", "", "http://", "http://]:8420", "\xff"])
async def test_an_origin_that_is_none_is_that_of_others(origin: str) -> None:
    async with browser(own()) as client:
        headers = {**(await proof(client)), "Origin": origin}
        raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        assert (await client.get("/api/room/look", headers=raw)).status_code == 403
        assert (await client.post("/api/room/act", headers=raw)).status_code == 403


@pytest.mark.parametrize("host", ["192.0.2.1/static/?", "192.0.2.1/api/login#", "x\\/static/"])
async def test_what_is_open_is_said_by_the_path_alone(host: str) -> None:
    async with browser(public()) as client:
        headers = {"Host": host, "X-Fleet": "1"}
        assert (await client.get("/api/room/look", headers=headers)).status_code == 401
        assert (await client.post("/api/room/act", headers=headers)).status_code == 401
        assert (await client.get("/room", headers=headers)).status_code == 303


async def test_cookies_of_neighbours_that_are_not_well_formed_do_not_hide_ours() -> None:
    async with browser(own()) as client:
        await client.get("/room")
        ours = client.cookies["fleet_session_8420"]
        client.cookies.clear()
        cookies = f'theirs={{"a": [1, "b"]}}; fleet_session_8420={ours}; odd name=1; ='
        reply = await client.get("/room", headers={"Cookie": cookies})
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_of_another_site_does_not_replace_the_session(site: str) -> None:
    """It comes without the cookie, which is for our own pages only."""
    app = own()
    async with browser(app) as client:
        reply = await client.get("/room", headers={"Sec-Fetch-Site": site})
    assert reply.status_code == 200
    assert "set-cookie" not in reply.headers
    assert len(app.sessions) == 0


async def test_with_a_password_no_page_replaces_a_session() -> None:
    async with browser(public()) as client:
        for path in ("/room", "/login"):
            assert "set-cookie" not in (await client.get(path)).headers
        assert "set-cookie" in (await client.get("/api/session")).headers


async def test_whoever_reads_metrics_needs_no_session() -> None:
    app = own()
    async with browser(app) as client:
        assert (await client.get("/metrics")).status_code == 200
    assert len(app.sessions) == 0


async def test_strangers_do_not_push_out_who_has_logged_in() -> None:
    app = public()
    async with browser(app) as client, browser(app) as stranger:
        assert await log_in(client) == 200
        assert (await client.get("/room")).status_code == 200
        for _ in range(SESSIONS_MAX + 10):
            stranger.cookies.clear()
            await stranger.get("/api/session")
        assert (await client.get("/room")).status_code == 200


async def test_strangers_do_not_lock_out_who_was_here_before() -> None:
    app = public()
    async with visitor(app, "192.0.2.7") as owner, browser(app) as local:
        assert await log_in(owner) == 200
        for number in range(WRONG_FREE * FREE_OF_ALL):
            async with visitor(app, f"198.51.100.{number}") as stranger:
                await log_in(stranger, "guess")
        async with visitor(app, "203.0.113.1") as newcomer:
            assert await log_in(newcomer) == 429
        bearer = {"Authorization": f"Bearer {PASSWORD}"}
        assert (await owner.get("/api/room/look", headers=bearer)).status_code == 200
        assert await log_in(owner) == 200
        assert await log_in(local) == 200


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "127.0.0.1"),
        ("fe80::1%eth0", "fe80::2"),
    ],
)
async def test_one_machine_has_one_record_whatever_it_calls_itself(one: str, other: str) -> None:
    app = public()
    async with visitor(app, one) as client, visitor(app, other) as again:
        for _ in range(WRONG_FREE):
            assert await log_in(client, "guess") == 401
        assert await log_in(again) == 429


async def test_a_password_may_have_any_letters() -> None:
    app = own("pässwört")
    async with browser(app) as client:
        headers = {b"Authorization": "Bearer pässwört".encode()}
        assert (await client.get("/api/room/look", headers=headers)).status_code == 200
        assert await log_in(client, "pässwört") == 200


@pytest.mark.parametrize("path", ["/api/room/look", "/api/session", "/api/nowhere", "/metrics"])
async def test_no_cache_keeps_what_a_call_has_told(path: str) -> None:
    async with browser(own()) as client:
        assert (await client.get(path)).headers["cache-control"] == "no-store"


class Stream:
    """A request whose answer goes on, and what has come of it."""

    def __init__(self, app: Guard, cookies: httpx.Cookies) -> None:
        self.messages: list[dict[str, Any]] = []
        self.task = asyncio.create_task(self._run(app, cookies))

    async def _run(self, app: Guard, cookies: httpx.Cookies) -> None:
        said = "; ".join(f"{name}={value}" for name, value in cookies.items())
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "GET",
            "path": "/api/room/feed",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:8420"), (b"cookie", said.encode())],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8420),
            "scheme": "http",
        }
        asked: Iterator[dict[str, Any]] = iter([{"type": "http.request", "body": b""}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            self.messages.append(message)

        await app(scope, receive, send)

    async def begun(self) -> None:
        while not any(b"first" in message.get("body", b"") for message in self.messages):
            await asyncio.sleep(0)

    @property
    def complete(self) -> bool:
        return self.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_logging_out_ends_what_the_browser_still_listens_to() -> None:
    app = public()
    async with browser(app) as client, browser(app) as other:
        await log_in(client)
        await log_in(other)
        mine, others = Stream(app, client.cookies), Stream(app, other.cookies)
        await mine.begun()
        await others.begun()
        await client.post("/api/logout", headers=await proof(client))
        await mine.task
        assert mine.complete
        assert not others.task.done()
        others.task.cancel()
        await asyncio.gather(others.task, return_exceptions=True)
    assert len(FEED) == 0


async def test_a_session_that_is_over_ends_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_EXPIRY_LOOK_S", 0.001)
    now_s = [0.0]
    app = own()
    monkeypatch.setattr(app, "_now_s", lambda: now_s[0])
    async with browser(app) as client:
        await client.get("/room")
        stream = Stream(app, client.cookies)
        await stream.begun()
        now_s[0] = IDLE_S_MAX + 1.0
        await stream.task
    assert stream.complete
    assert len(app.sessions) == 0
