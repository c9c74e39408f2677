"""People who mean harm: names that are scripts, pictures that are bombs, pages and hosts of others.

What is tried is in OWASP's cheat sheets "Cross Site Scripting Prevention", "File Upload", "Session
Management" and "Cross-Site Request Forgery Prevention" (cheatsheetseries.owasp.org).
"""

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Route, expect

from fleet.web.app import make_app
from fleet.web.guard import WRONG_FREE
from fleet.web.routes import Room
from tests.live.web.conftest import Watched
from tests.live.web.fleets import Fleet, fleet_up
from tests.live.web.served import served
from tests.live.web.test_pages import (
    NARROW,
    OWNER,
    SERVICE,
    VIEWS,
    open_view,
    wider_than_the_window,
)

Profiles = Callable[..., Watched]
PASSWORD = "warehouse 7"
SCRIPT = "<img src=x onerror=hacked=1>"
HOSTILE = f"{SCRIPT}\"'>&amp;<script>hacked=1</script>\u202eback \u2066wards" + "x" * 10_000
# What people and devices can name, and what is said about them.
NAMED = frozenset(
    (
        *("name", "product", "product_id", "model", "title", "account", "owner", "grantee"),
        *("batch", "detail", "why", "advice", "text", "ssid", "words", "meaning", "role"),
        *("trouble", "topic", "error", "category", "address", "reason"),
    )
)
UNTOUCHED = re.compile(r"/(feed|events|who|session)$")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return four devices that are bound, so that there are all kinds of keys."""
    with fleet_up(tmp_path_factory.mktemp("hostile"), "--devices", "4") as it:
        yield it


# --- names ----------------------------------------------------------------------------------------


def renamed(value: object, key: str = "") -> object:
    """Return what an API says, with names that somebody else has chosen."""
    if isinstance(value, dict):
        return {name: renamed(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, key) for one in value]
    return HOSTILE if isinstance(value, str) and key in NAMED and value else value


def rename_all(visitor: Watched) -> None:
    """Let every reply to the pages have the name of an enemy, but who is logged in and feeds."""

    def rename(route: Route) -> None:
        if UNTOUCHED.search(route.request.url):
            route.continue_()
            return
        reply = route.fetch()
        if "json" not in reply.headers.get("content-type", ""):
            route.fulfill(response=reply)
            return
        told = reply.json()
        own = {"name": told["name"]} if isinstance(told, dict) and "name" in told else {}
        changed = renamed(told)
        route.fulfill(
            response=reply, json={**changed, **own} if isinstance(changed, dict) else changed
        )

    visitor.context.route("**/api/**", rename)


SHOWING = (
    "wall",
    "life line",
    "products",
    "authorizations",
    "quotas",
    "firmware",
    "push",
    "app qr",
)


def test_names_are_text_on_every_page(fleet: Fleet, profile: Profiles) -> None:
    visitor = profile(viewport=NARROW)
    visitor.expected += ["400", "404"]  # a product by that name has no firmware
    rename_all(visitor)
    wide = []
    for name in SHOWING:
        page = open_view(visitor, lambda path: fleet.url + path, VIEWS[name])
        page.wait_for_timeout(200)
        expect(page.locator("body")).to_contain_text(SCRIPT)
        assert page.evaluate("typeof hacked") == "undefined"
        assert page.locator("img[src=x], main script").count() == 0
        wide += [f"{name}: {one}" for one in wider_than_the_window(page)[:4]]
        page.close()
    assert wide == []


def test_a_role_and_a_wifi_can_be_called_like_a_script(fleet: Fleet, profile: Profiles) -> None:
    visitor = profile()
    page = open_view(visitor, lambda path: fleet.url + path, VIEWS["authorizations"])
    page.get_by_role("button", name="Add a role").click()
    page.get_by_label("Name").fill(SCRIPT)
    page.get_by_role("button", name="Add", exact=True).last.click()
    expect(page.locator("#roles")).to_contain_text(SCRIPT)
    page = open_view(visitor, lambda path: fleet.url + path, VIEWS["app qr"])
    page.get_by_label("Another one").check()
    page.get_by_label("Wi-Fi name").fill(SCRIPT)
    page.get_by_role("button", name="Make the code").click()
    expect(page.locator("#screen .code")).to_contain_text(SCRIPT)
    assert page.evaluate("typeof hacked") == "undefined"


# --- secrets --------------------------------------------------------------------------------------

SECRET_KEYS = re.compile(r"(pass(word)?|secret|token|(local|auth|sec)_?key)$", re.IGNORECASE)
HARMLESS = ("/api/session", "/api/openapi.json")  # `password` there is whether there is one


def secrets_of(papers: object) -> set[str]:
    """Return every value of the ready file whose key says that it is a secret."""
    if isinstance(papers, dict):
        own = {
            value
            for key, value in papers.items()
            if isinstance(value, str) and value and SECRET_KEYS.search(key)
        }
        return own.union(*map(secrets_of, papers.values()))
    return set().union(*map(secrets_of, papers)) if isinstance(papers, list) else set()


def suspicious(value: object) -> list[str]:
    """Return keys in a reply under which a secret would stand."""
    if isinstance(value, dict):
        own = [k for k, v in value.items() if SECRET_KEYS.search(k) and isinstance(v, str) and v]
        return own + [key for one in value.values() for key in suspicious(one)]
    return [key for one in value for key in suspicious(one)] if isinstance(value, list) else []


def log_in(client: httpx.Client, room: str, name: str) -> None:
    headers = {"X-Fleet-Proof": client.get("/api/session").json()["proof"]}
    reply = client.post(f"/api/{room}/login-as", json={"name": name}, headers=headers)
    assert reply.status_code == 200, reply.text


def first_of(client: httpx.Client, path: str) -> str:
    """Return a whole reply, or what a feed says first."""
    with client.stream("GET", path) as reply:
        if "event-stream" not in reply.headers.get("content-type", ""):
            return reply.read().decode(errors="replace")
        told = ""
        for line in reply.iter_lines():
            told += line
            if line.startswith("data:"):
                break
        return told


def test_no_secret_is_in_any_page_reply_or_feed(fleet: Fleet) -> None:
    secrets = secrets_of(fleet.papers)
    assert len(secrets) > 12  # keys of devices, passwords of people, access secrets
    device = fleet.papers["devices"][0]
    values = {"index": "0", "device": device["uuid"], "uuid": device["uuid"], "place": "homes"}
    values |= {"product": device["product_id"], "product_id": device["product_id"]}
    with httpx.Client(base_url=fleet.url, timeout=30) as client:
        for room, name in (("console", OWNER), ("app", SERVICE)):
            log_in(client, room, name)
        paths = [view.path.partition("#")[0] for view in VIEWS.values()]
        description = client.get("/api/openapi.json").json()["paths"]
        calls = [
            re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "1"), path)
            for path, methods in description.items()
            if "get" in methods
        ]
        asked = [*dict.fromkeys(paths), *HARMLESS, "/metrics", *calls]
        for path in asked:
            told = first_of(client, path)
            assert [secret for secret in secrets if secret in told] == [], path
            if path not in HARMLESS and told.startswith(("{", "[")):
                assert suspicious(json.loads(told)) == [], path
        assert len(asked) > 25


# --- pictures -------------------------------------------------------------------------------------


def bomb(side: int = 40_000) -> bytes:
    """Return a small PNG that would be 1.6 thousand million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    press = zlib.compressobj(9)
    rows = b"".join(press.compress(bytes(side + 1)) for _ in range(500)) + press.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_bad_pictures_are_refused_and_the_server_lives(fleet: Fleet) -> None:
    program = {"X-Fleet": "1"}
    path = "/api/fleet/frame/picture?devices=0"
    with httpx.Client(base_url=fleet.url, headers=program, timeout=60) as client:
        for content, status in (
            (bytes(12_000_000), 413),
            (b"this is no picture", 400),
            (b"", 400),
            (bomb(), 400),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400),
        ):
            reply = client.post(path, content=content)
            assert reply.status_code == status, (content[:20], reply.text)
            assert reply.json()["error"]
        assert client.get("/api/fleet/overview").json()["devices"] == 4


# --- hosts, pages and passwords -------------------------------------------------------------------


def test_foreign_names_and_pages_are_sent_away(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.url) as client:
        for path in ("/run", "/api/session", "/api/fleet/devices", "/static/dom.js"):
            assert client.get(path, headers={"Host": "evil.example"}).status_code == 421
        proof = {"X-Fleet-Proof": client.get("/api/session").json()["proof"]}
        press = {"devices": ["0"], "hold_ms": 100}
        for foreign in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            reply = client.post("/api/fleet/press", json=press, headers={**proof, **foreign})
            assert reply.status_code == 403
            assert client.get("/api/fleet/devices", headers=foreign).status_code == 403
        assert client.post("/api/fleet/press", json=press).status_code == 403
        wrong = {"X-Fleet-Proof": "guessed"}
        assert client.post("/api/fleet/press", json=press, headers=wrong).status_code == 403


def test_what_a_browser_may_do_with_a_page(fleet: Fleet) -> None:
    reply = httpx.get(f"{fleet.url}/run")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-frame-options"] == "DENY"
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_where_others_can_come_a_password_is_asked_for_and_guessing_is_slow() -> None:
    with (
        served(make_app([Room("home", "Home", "login.html")], password=PASSWORD)) as url,
        httpx.Client(base_url=url) as client,
    ):
        assert client.get("/home").status_code == 303
        assert client.get("/api/openapi.json").status_code == 401
        about = client.get("/api/session").json()
        assert (about["trusted"], about["pages"]) == (False, [])
        before = dict(client.cookies)
        proof = {"X-Fleet-Proof": about["proof"]}

        def log_in(password: str, headers: dict[str, str]) -> httpx.Response:
            return client.post("/api/login", json={"password": password}, headers=headers)

        assert log_in(PASSWORD, {}).status_code == 403  # a page of somebody else could send that
        assert log_in(PASSWORD, proof).status_code == 200
        assert dict(client.cookies) != before  # who has become somebody has another name
        assert client.get("/home").status_code == 200
        bearer = {"Authorization": f"Bearer {PASSWORD}"}
        assert httpx.get(f"{url}/api/openapi.json", headers=bearer).status_code == 200
        proof = {"X-Fleet-Proof": client.get("/api/session").json()["proof"]}
        for number in range(WRONG_FREE):
            assert log_in(f"guess {number}", proof).status_code == 401
        slow = log_in(PASSWORD, proof)
        assert slow.status_code == 429
        assert int(slow.headers["retry-after"]) > 0
