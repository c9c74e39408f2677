"""The page on which a consumer lets a program act, in the consumer's browser: log in and agree.

The second leg of an authorization code (RFC 6749, section 4.1): a program sends the browser here
with its access id, an address to come back to and a `state` of its own, and gets code and state
back at that address. The vendor has such a page ("OAuth 2.0 Authorization Flow", developer.tuya.com)
and publishes neither its address nor what is asked for in the query; the names are the RFC's,
`schema` is ours.

It is plain HTML without scripts. A browser is sent to those addresses only that the program's
project names, letter by letter; for any other one there is an error page.
Nobody is logged in here beyond the one form, which holds name and password; besides, a form is only
good together with the cookie that came with it, so that no other site can send it.
"""

import re
from html import escape
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from firmware_sim.errors import PeerError, TooLarge
from fleet.cloud.api.envelope import text_of
from fleet.cloud.api.router import parse_query
from fleet.cloud.keys import Entropy, random_text, secret_fits, session_hash
from fleet.cloud.messages import HttpRequested, SendReply
from fleet.cloud.open.regions import Gazetteer
from fleet.cloud.projects import Project
from fleet.cloud.state import State
from fleet.cloud.users import App

PATH = "/app/v1/authorize"

_OK, _SEE_OTHER, _BAD_REQUEST, _FORBIDDEN, _NOT_ALLOWED = 200, 303, 400, 403, 405
_COOKIE = "consent"
_COOKIE_LENGTH = 32
_COOKIE_LIFE_S = 600
_SENT_COOKIE = re.compile(rf"(?:^|;)\s*{_COOKIE}=([0-9A-Za-z]{{{_COOKIE_LENGTH}}})\s*(?:;|$)")

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
{content}
</body>
</html>
"""
_FORM = """<p>{asker} of {owner} would like to see and to operate your devices. That ends by itself
after a while, and you cannot take it back before.</p>
<p><strong>{objection}</strong></p>
<form method="post" action="{action}">
{hidden}
<p><label>App <select name="schema">{apps}</select></label></p>
<p><label>Name <input name="name" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<p><button name="decision" value="agree">Log in and agree</button>
<button name="decision" value="refuse">Refuse</button></p>
</form>"""


class _Wish(NamedTuple):
    """Who wants what: a request that may be shown and answered."""

    project: Project
    region: str
    redirect_uri: str
    state: str
    schemas: tuple[str, ...]  # of the apps whose users may log in, the likeliest first
    cookie: str


class ConsentPage:
    """Shows the form, and takes it."""

    def __init__(self, state: State, entropy: Entropy) -> None:
        """Find people and programs in `state`; cookies are made from `entropy`."""
        self._state = state
        self._entropy = entropy
        self._gazetteer = Gazetteer(state.settings.region, state.settings.open_hosts)

    def serves(self, path: str) -> bool:
        """Tell whether a path (without query) is the page's, in whichever data centre."""
        return path.endswith(PATH) and self._gazetteer.locate("", path).path == PATH

    def answer(self, request: HttpRequested, now_ms: int) -> SendReply:
        """Return the reply to one request."""
        try:
            fields = _fields(request, self._state.settings.body_size_max)
            wish = self._wish(request, fields)
        except PeerError:
            wish = None
        if wish is None:
            text = "This link is not one that the program may use. Tell whoever gave it to you."
            return _page(request, _BAD_REQUEST, "Not a valid link", f"<p>{escape(text)}</p>")
        if request.method == "GET":
            return self._form(request, wish, _OK, "")
        if request.method != "POST":
            return _page(request, _NOT_ALLOWED, "Not allowed", "")
        if not _belongs(fields, wish, request):
            return self._form(request, wish, _FORBIDDEN, "This form has grown old: try again.")
        if fields.get("decision") != "agree":
            return _redirect(request, wish, {"error": "access_denied"})
        return self._consent(request, wish, fields, now_ms)

    def _wish(self, request: HttpRequested, fields: dict[str, str]) -> _Wish | None:
        """Return what is asked for; None when it is not to be answered at all."""
        project = self._state.projects.get(fields.get("client_id", ""))
        redirect_uri = fields.get("redirect_uri", "")
        if project is None or fields.get("response_type", "code") != "code":
            return None
        if redirect_uri not in project.redirects:
            return None
        schemas = (*project.schemas, self._state.settings.app_schema)
        chosen = fields.get("schema", "") or schemas[0]
        if chosen not in schemas:
            return None
        path = request.target.partition("?")[0]
        place = self._gazetteer.locate(request.headers.get("host", ""), path)
        sent = _SENT_COOKIE.search(request.headers.get("cookie", ""))
        return _Wish(
            project=project,
            region=place.region,
            redirect_uri=redirect_uri,
            state=fields.get("state", ""),
            schemas=tuple(dict.fromkeys((chosen, *schemas))),
            cookie=sent[1] if sent else "",
        )

    def _consent(
        self, request: HttpRequested, wish: _Wish, fields: dict[str, str], now_ms: int
    ) -> SendReply:
        app = App(wish.region, wish.schemas[0])
        try:
            name, password = fields.get("name", ""), fields.get("password", "")
            user = self._state.users.log_in(name, password, app)
            code = self._state.open_tokens.consent(wish.project.access_id, user.uid, now_ms)
        except PeerError as error:
            self._state.counts["people_refused"] += 1
            return self._form(request, wish, _FORBIDDEN, text_of(error))
        return _redirect(request, wish, {"code": code.code})

    def _form(self, request: HttpRequested, wish: _Wish, status: int, objection: str) -> SendReply:
        cookie = wish.cookie or random_text(self._entropy, _COOKIE_LENGTH)
        content = _FORM.format(
            asker=escape(wish.project.name),
            owner=escape(wish.project.owner),
            objection=escape(objection),
            action=escape(request.target.partition("?")[0]),
            hidden=_hidden(wish, cookie),
            apps="".join(f"<option>{escape(schema)}</option>" for schema in wish.schemas),
        )
        set_cookie = (
            f"{_COOKIE}={cookie}; Max-Age={_COOKIE_LIFE_S}; HttpOnly; SameSite=Strict; Path=/"
        )
        title = "Let a program use your devices"
        return _page(request, status, title, content, wish.redirect_uri, set_cookie)


def _fields(request: HttpRequested, body_size_max: int) -> dict[str, str]:
    """Return what was sent: the query of a GET, the form of a POST. Raises PeerError."""
    if request.method != "POST":
        return parse_query(request.target.partition("?")[2])
    if len(request.body) > body_size_max:
        raise TooLarge(f"a body has at most {body_size_max} bytes")
    return parse_query(request.body.decode("utf-8", "replace"))


def _belongs(fields: dict[str, str], wish: _Wish, request: HttpRequested) -> bool:
    """Tell whether the form came from this page, to the browser that sends it."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
    same_host = not origin or origin.partition("://")[2] == host
    fits = secret_fits(fields.get("form", ""), session_hash(wish.cookie))
    return wish.cookie != "" and fits and same_host


def _hidden(wish: _Wish, cookie: str) -> str:
    kept = {
        "client_id": wish.project.access_id,
        "redirect_uri": wish.redirect_uri,
        "state": wish.state,
        "form": session_hash(cookie),
    }
    return "\n".join(
        f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in kept.items()
    )


def _redirect(request: HttpRequested, wish: _Wish, told: dict[str, str]) -> SendReply:
    state = {"state": wish.state} if wish.state else {}
    joint = "&" if "?" in wish.redirect_uri else "?"
    location = f"{wish.redirect_uri}{joint}{urlencode({**told, **state})}"
    return _page(request, _SEE_OTHER, "Go on", "", location=location)


def _page(
    request: HttpRequested,
    status: int,
    title: str,
    content: str,
    redirect_uri: str = "",
    set_cookie: str = "",
    *,
    location: str = "",
) -> SendReply:
    """Return a page that nobody may frame or keep, and that is sent nowhere else."""
    where = urlsplit(redirect_uri)
    # Browsers hold a form's target to this even where it is redirected.
    targets = f"'self' {where.scheme}://{where.netloc}" if redirect_uri else "'none'"
    policy = f"default-src 'none'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "location": location,
        "set-cookie": set_cookie,
    }
    told = tuple((name, text) for name, text in headers.items() if text)
    body = _PAGE.format(title=escape(title), content=content).encode()
    return SendReply(request.exchange, status, body, told)
