"""Who may come in: on loopback, with a password, from pages of others, with too large a body."""

import base64

import pytest

from fleet.web.app import make_app
from fleet.web.guard import WRONG_FREE, Guard, is_loopback
from fleet.web.routes import BODY_MAX, Call, Room, Route
from tests.web.client import browser, proof

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse"


async def count(call: Call) -> dict[str, int]:
    return {"bytes": len(call.body)}


async def look(_: Call) -> dict[str, int]:
    return {}


ROOM = Room(
    "room",
    "Room",
    "login.html",
    (
        Route("POST", "/count", "Count the bytes", count, bytes, dict[str, int]),
        Route("POST", "/large", "Count more", count, bytes, dict[str, int], body_max=1_000_000),
        Route("GET", "/look", "Look", look, None, dict[str, int]),
    ),
)


def own() -> Guard:
    return make_app([ROOM])


def public() -> Guard:
    return make_app([ROOM], password=PASSWORD)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "localhost.evil.example", ""])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost:8420", "[::1]:8420"])
async def test_names_of_loopback_are_served(host: str) -> None:
    async with browser(own(), host) as client:
        assert (await client.get("/room")).status_code == 200


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1.evil.example:8420", "[", ""])
async def test_a_foreign_name_is_not_served_without_a_password(host: str) -> None:
    async with browser(own()) as client:
        reply = await client.get("/room", headers={"Host": host})
    assert reply.status_code == 421
    assert "Room" not in reply.text


async def test_the_cookie_is_for_http_of_this_place_only() -> None:
    async with browser(own()) as client:
        cookie = (await client.get("/room")).headers["set-cookie"]
    assert cookie.startswith("fleet_session_8420=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


async def test_what_changes_something_needs_the_proof_of_the_session() -> None:
    app = own()
    async with browser(app) as client, browser(app) as other:
        await client.get("/room")
        assert (await client.post("/api/room/count")).status_code == 403
        assert (await client.post("/api/room/count", headers=await proof(other))).status_code == 403
        reply = await client.post("/api/room/count", content=b"abc", headers=await proof(client))
    assert reply.json() == {"bytes": 3}


@pytest.mark.parametrize(
    "foreign", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_pages_of_others_change_and_read_nothing(foreign: dict[str, str]) -> None:
    async with browser(own()) as client:
        headers = await proof(client) | foreign
        assert (await client.post("/api/room/count", headers=headers)).status_code == 403
        assert (await client.get("/api/room/look", headers=headers)).status_code == 403


async def test_a_page_on_another_port_of_this_machine_is_a_page_of_others() -> None:
    async with browser(own()) as client:
        headers = await proof(client) | {"Origin": "http://127.0.0.1:9999"}
        assert (await client.post("/api/room/count", headers=headers)).status_code == 403


async def test_a_program_on_this_machine_says_so_and_gets_no_session() -> None:
    app = own()
    async with browser(app) as client:
        reply = await client.post("/api/room/count", headers={"X-Fleet": "1"})
    assert reply.status_code == 200
    assert "set-cookie" not in reply.headers
    assert len(app.sessions) == 0


@pytest.mark.parametrize(
    ("password", "header"),
    [("", {"X-Fleet": "1"}), (PASSWORD, {"Authorization": f"Bearer {PASSWORD}"})],
)
async def test_a_program_that_asks_for_a_session_gets_one(
    password: str, header: dict[str, str]
) -> None:
    app = make_app([ROOM], password=password)
    async with browser(app, **header) as client:
        for _ in range(2):
            assert (await client.get("/api/session")).status_code == 200
            assert (await client.post("/api/room/count")).status_code == 200
    assert len(app.sessions) == 1
    [begun] = (app.sessions._known or app.sessions._new).values()
    assert begun.trusted == (not password), "the cookie alone lets nobody in"


@pytest.mark.parametrize("path", ["/", "/room", "/api/room/look", "/api/openapi.json", "/metrics"])
async def test_with_a_password_nothing_is_open(path: str) -> None:
    async with browser(public(), "192.0.2.7:8420") as client:
        reply = await client.get(path)
        program = await client.get(path, headers={"X-Fleet": "1"})
    assert reply.status_code in (303, 401)
    assert reply.headers.get("location", "/login") == "/login"
    assert program.status_code in (303, 401)


async def test_who_knows_the_password_comes_in_with_a_new_name() -> None:
    async with browser(public(), "192.0.2.7:8420") as client:
        headers = await proof(client)
        before = client.cookies["fleet_session_8420"]
        reply = await client.post("/api/login", json={"password": PASSWORD}, headers=headers)
        assert reply.status_code == 200
        assert client.cookies["fleet_session_8420"] != before
        assert (await client.get("/room")).status_code == 200
        assert (await client.post("/api/room/count", headers=headers)).status_code == 403
        assert (
            await client.post("/api/room/count", headers=await proof(client))
        ).status_code == 200
        await client.post("/api/logout", headers=await proof(client))
        assert (await client.get("/room")).status_code == 303


async def test_guessing_is_slowed_down_and_then_even_the_right_one_waits() -> None:
    async with browser(public()) as client:
        headers = await proof(client)
        replies = [
            await client.post("/api/login", json={"password": guess}, headers=headers)
            for guess in [*(f"guess {number}" for number in range(WRONG_FREE)), PASSWORD]
        ]
    assert [reply.status_code for reply in replies] == [401] * WRONG_FREE + [429]
    assert replies[-1].headers["retry-after"] == "1"


async def test_guessing_as_a_program_is_slowed_down_too() -> None:
    async with browser(public()) as client:

        async def guess(password: str) -> int:
            headers = {"Authorization": f"Bearer {password}"}
            return (await client.get("/api/room/look", headers=headers)).status_code

        assert await guess(PASSWORD) == 200
        assert [await guess(f"guess {number}") for number in range(WRONG_FREE)] == [
            401
        ] * WRONG_FREE
        assert await guess(PASSWORD) == 401


async def test_a_password_that_is_no_text_is_refused() -> None:
    async with browser(public()) as client:
        reply = await client.post("/api/login", content=b"{\xff", headers=await proof(client))
    assert reply.status_code == 400


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("Basic " + base64.b64encode(b"any:correct horse").decode(), 200),
        ("basic " + base64.b64encode(b":correct horse").decode(), 200),
        ("Basic " + base64.b64encode(b"correct horse").decode(), 401),
        ("Basic " + base64.b64encode(b"correct horse:").decode(), 401),
        ("Basic !", 401),
        ("Digest correct horse", 401),
    ],
)
async def test_a_password_in_a_url_is_as_good(given: str, status: int) -> None:
    """Clients make `Authorization: Basic` of http://any:PASSWORD@host (RFC 7617)."""
    async with browser(public(), Authorization=given) as client:
        assert (await client.get("/api/room/look")).status_code == status


BENCH = Room(
    "bench",
    "",
    "",
    (
        Route("PUT", "/frame", "Show", count, bytes, dict[str, int]),
        Route("POST", "/frame", "Show", count, bytes, dict[str, int]),
    ),
    root="/devices/0",
)


async def test_calls_of_test_scripts_need_no_proof_where_browsers_ask_first() -> None:
    async with browser(make_app([BENCH])) as client:
        reply = await client.put("/devices/0/frame", content=b"abc")
        assert (reply.status_code, reply.json()) == (200, {"bytes": 3})
        assert "set-cookie" not in reply.headers
        assert (await client.post("/devices/0/frame", content=b"abc")).status_code == 403
        foreign = {"origin": "http://evil.example"}
        assert (await client.put("/devices/0/frame", headers=foreign)).status_code == 403
    async with browser(make_app([BENCH], password=PASSWORD)) as client:
        reply = await client.put("/devices/0/frame", content=b"abc")
        assert (reply.status_code, "log in" in reply.json()["error"]) == (401, True)


async def test_a_body_has_a_bound_that_a_route_may_raise() -> None:
    async with browser(own(), **{"X-Fleet": "1"}) as client:
        large = b"x" * (BODY_MAX + 1)
        assert (await client.post("/api/room/count", content=large)).status_code == 413
        assert (await client.post("/api/room/large", content=large)).status_code == 200
        assert (await client.post("/api/room/large", content=b"x" * 1_000_001)).status_code == 413


@pytest.mark.parametrize("path", ["/room", "/api/room/look", "/static/base.css", "/nowhere"])
async def test_every_reply_tells_the_browser_what_a_page_may_do(path: str) -> None:
    async with browser(own()) as client:
        headers = (await client.get(path)).headers
    assert "script-src 'self';" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


async def test_other_kinds_of_connection_are_not_served() -> None:
    async def never() -> dict[str, object]:
        raise AssertionError

    async def send(_: object) -> None:
        raise AssertionError

    await own()({"type": "websocket"}, never, send)


async def test_a_broken_cookie_is_no_session() -> None:
    async with browser(own()) as client:
        reply = await client.get("/room", headers={"Cookie": "a\x01b=\x02; ]["})
    assert reply.status_code == 200
    assert "set-cookie" in reply.headers
