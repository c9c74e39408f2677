"""The consent page: what is shown to whom, what is taken, and where a browser is sent."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
import pytest

from fleet.cloud.api.consent_page import PATH
from fleet.cloud.messages import SendReply
from fleet.cloud.seed import Seed
from tests.cloud.open.program import ACCESS_ID, OTHER_ID, Program, open_seed
from tests.cloud.support import PASSWORD, SETTINGS, World, assert_reloads

BACK = "https://shop.test/callback"
WITH_QUERY = "http://127.0.0.1:9000/back?shop=7"
ASKED = {"client_id": ACCESS_ID, "redirect_uri": BACK, "state": "s 1&<>"}
USER = {"name": "user0", "password": PASSWORD}
HOST = "cloud.test:8080"


class Form(HTMLParser):
    """What a browser would send: the fields of a page's form, and where to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.action = ""
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "form":
            self.action = found["action"] or ""
        if tag == "input":
            self.fields[found["name"] or ""] = found.get("value") or ""


def consent_seed() -> Seed:
    """Return two projects that a browser may be sent back to, each to addresses of its own."""
    seed = open_seed(name="Shop <b>", schemas=("app", "fleet"), redirects=(BACK, WITH_QUERY))
    own, other = seed.projects
    other = msgspec.structs.replace(other, redirects=(f"{BACK}x",))
    return msgspec.structs.replace(seed, projects=(own, other))


class Browser:
    """A browser with the one cookie that it was given."""

    def __init__(self, **choices: Any) -> None:
        settings = msgspec.structs.replace(SETTINGS, **choices)
        self.world = World(settings, consent_seed())
        self.cookie = ""
        self.path = PATH

    def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> SendReply:
        told = {"host": HOST, "cookie": self.cookie, **headers}
        self.world.send(method, target, body, headers=told)
        reply = self.world.last_reply
        cookie = dict(reply.headers).get("set-cookie", "")
        if cookie:
            self.cookie = f"other=1; {cookie.partition(';')[0]}; more=2"
        return reply

    def see(self, **change: str) -> SendReply:
        return self.send("GET", f"{self.path}?{urlencode({**ASKED, **change})}")

    def form(self, **change: str) -> dict[str, str]:
        page = Form(self.see(**change).body.decode())
        assert page.action == self.path
        return page.fields

    def submit(self, fields: dict[str, str], **headers: str) -> SendReply:
        sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        return self.send("POST", self.path, urlencode(fields).encode(), **sent)

    def agree(self, **change: str) -> SendReply:
        fields = self.form()
        return self.submit({**fields, **USER, "schema": "fleet", "decision": "agree", **change})


def told(reply: SendReply) -> dict[str, str]:
    """Return what the browser is to tell the program, after being sent to the right address."""
    assert reply.status == 303
    location = dict(reply.headers)["location"]
    address, _, query = location.partition("?")
    assert address == BACK
    return {name: values[0] for name, values in parse_qs(query).items()}


# --- the whole way ------------------------------------------------------------------------------


def test_a_program_gets_a_code_by_way_of_the_browser_and_acts_with_it() -> None:
    browser = Browser()
    answer = told(browser.agree())
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == ASKED["state"]
    program = Program(browser.world)
    query = {"grant_type": "2", "code": answer["code"]}
    result = program.keep(program.call("GET", "/v1.0/token", query, token=""))
    assert result["uid"] == "uid0"
    [device] = program.call("GET", "/v1.0/users/uid0/devices")["result"]
    assert device["uid"] == "uid0"
    assert program.code("GET", "/v1.0/token", query, token="") == 1107
    assert_reloads(browser.world)


def test_without_state_none_is_sent_back() -> None:
    browser = Browser()
    fields = browser.form(state="")
    chosen = {**fields, **USER, "schema": "fleet", "decision": "agree"}
    assert told(browser.submit(chosen)).keys() == {"code"}


def test_who_refuses_is_sent_back_with_that() -> None:
    browser = Browser()
    answer = told(browser.submit({**browser.form(), "decision": "refuse"}))
    assert answer == {"error": "access_denied", "state": ASKED["state"]}
    assert told(browser.submit(browser.form()))["error"] == "access_denied"


def test_an_address_with_a_query_keeps_it() -> None:
    browser = Browser()
    fields = {**browser.form(redirect_uri=WITH_QUERY), **USER, "schema": "fleet"}
    location = dict(browser.submit({**fields, "decision": "agree"}).headers)["location"]
    assert location.startswith(f"{WITH_QUERY}&code=")


def test_a_consumer_of_another_data_centre_agrees_there() -> None:
    browser = Browser()
    world = browser.world
    app = world.state.users.app("app", "AZ")
    world.rule(lambda s: s.users.register("bob", "secret", "bob", now_ms=1, app=app))
    browser.path = f"/us{PATH}"
    chosen = {"name": "bob", "password": "secret", "schema": "app", "decision": "agree"}
    code = told(browser.submit({**browser.form(), **chosen}))["code"]
    query = {"grant_type": "2", "code": code}
    assert Program(world).code("GET", "/v1.0/token", query, token="") == 1107
    program = Program(world, prefix="/us")
    assert program.keep(program.call("GET", "/v1.0/token", query, token=""))["uid"] == "bob"


# --- the page -----------------------------------------------------------------------------------


def test_the_page_says_who_asks_and_runs_nothing() -> None:
    reply = Browser().see()
    page, headers = reply.body.decode(), dict(reply.headers)
    assert reply.status == 200
    assert "Shop &lt;b&gt; of maker" in page
    assert {"script", "img", "link", "style", "b"}.isdisjoint(Form(page).tags)
    assert headers["content-type"] == "text/html; charset=utf-8"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; form-action 'self' https://shop.test;")
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"
    assert re.fullmatch(
        "consent=[0-9A-Za-z]{32}; Max-Age=600; HttpOnly; SameSite=Strict; Path=/",
        headers["set-cookie"],
    )


def test_what_comes_in_goes_out_as_text() -> None:
    evil = '"><script>alert(1)</script>'
    reply = Browser().see(state=evil)
    page = reply.body.decode()
    assert evil not in page
    assert Form(page).fields["state"] == evil


def test_the_app_that_is_asked_for_is_offered_first() -> None:
    page = Browser().see(schema="fleet").body.decode()
    assert re.findall("<option>(.*?)</option>", page) == ["fleet", "app"]
    page = Browser().see().body.decode()
    assert re.findall("<option>(.*?)</option>", page) == ["app", "fleet"]


@pytest.mark.parametrize(
    "change",
    [
        {"password": "wrong"},
        {"name": "nobody"},
        {"schema": "app"},
        {"name": "", "password": ""},
    ],
)
def test_who_mistypes_may_try_again(change: dict[str, str]) -> None:
    browser = Browser()
    reply = browser.agree(**change)
    assert reply.status == 403
    assert "wrong name or password" in reply.body.decode()
    assert PASSWORD not in reply.body.decode()
    again = {**Form(reply.body.decode()).fields, **USER, "schema": "fleet", "decision": "agree"}
    assert "code" in told(browser.submit(again))


def test_too_many_consents_are_told() -> None:
    browser = Browser(open_grants_max=1)
    assert "code" in told(browser.agree())
    reply = browser.agree(name="user1")
    assert "wait until somebody" in reply.body.decode()


# --- no other site ------------------------------------------------------------------------------


def test_a_form_without_its_cookie_is_shown_again() -> None:
    browser = Browser()
    chosen = {**browser.form(), **USER, "schema": "fleet", "decision": "agree"}
    for cookie in ("", "consent=short", f"consent={'x' * 32}", f"xconsent={'x' * 32}"):
        browser.cookie = cookie
        reply = browser.submit(chosen)
        assert reply.status == 403
        assert "grown old" in reply.body.decode()
    assert browser.world.state.open_tokens._by_code == {}


def test_a_form_of_another_page_is_not_taken() -> None:
    browser = Browser()
    chosen = {**browser.form(), **USER, "schema": "fleet", "decision": "agree"}
    own = browser.cookie
    for change, headers in (
        ({"form": ""}, {}),
        ({"form": "0" * 64}, {}),
        ({}, {"origin": "https://evil.test"}),
        ({}, {"origin": "null"}),
    ):
        browser.cookie = own
        assert browser.submit({**chosen, **change}, **headers).status == 403
    browser.cookie = own
    assert "code" in told(browser.submit(chosen, origin=f"http://{HOST}"))


def test_two_pages_at_once_are_both_good() -> None:
    browser = Browser()
    first, second = browser.form(), browser.form(state="2")
    for fields in (first, second):
        chosen = {**fields, **USER, "schema": "fleet", "decision": "agree"}
        assert told(browser.submit(chosen))["state"] == fields["state"]


# --- nowhere else -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.test/callback"},
        {"redirect_uri": f"{BACK}/more"},
        {"redirect_uri": f"{BACK}?more=1"},
        {"redirect_uri": BACK.upper()},
        {"redirect_uri": f"{BACK}x"},
        {"redirect_uri": ""},
        {"redirect_uri": "javascript:alert(1)"},
        {"client_id": "nobody"},
        {"client_id": OTHER_ID},
        {"client_id": f"{ACCESS_ID} {BACK}"},
        {"response_type": "token"},
        {"schema": "unheard"},
        {"schema": f"assets:{ACCESS_ID}"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_browser_is_sent_nowhere_that_is_not_allowed(method: str, change: dict[str, str]) -> None:
    browser = Browser()
    if method == "GET":
        reply = browser.see(**change)
    else:
        fields = {**browser.form(), **USER, "schema": "fleet", "decision": "agree"}
        reply = browser.submit({**fields, **change})
    assert reply.status == 400
    headers = dict(reply.headers)
    assert "location" not in headers
    assert "set-cookie" not in headers
    assert "evil" not in reply.body.decode()


@pytest.mark.parametrize(
    "target",
    [
        PATH,
        f"{PATH}?{'&'.join('a=1' for _ in range(17))}",
        f"{PATH}?client_id={quote(ACCESS_ID)}",
    ],
)
def test_a_link_that_says_too_little_or_too_much(target: str) -> None:
    assert Browser().send("GET", target).status == 400


def test_a_form_has_a_size() -> None:
    browser = Browser(body_size_max=1_024)
    fields = {**browser.form(), **USER, "decision": "agree", "schema": "fleet"}
    assert browser.submit({**fields, "password": "x" * 1_024}).status == 400


def test_other_methods_are_not_allowed() -> None:
    target = f"{PATH}?{urlencode(ASKED)}"
    for method in ("PUT", "DELETE", "HEAD"):
        assert Browser().send(method, target).status == 405


def test_other_paths_are_others() -> None:
    browser = Browser()
    for path in (f"{PATH}/x", f"/nowhere{PATH}"):
        assert browser.world.send("GET", path).startswith(b"{")
    assert urlsplit(PATH).path == PATH
