"""What stands before all pages and calls: who may come in, and what a browser may do with a page.

On a loopback address everybody on this machine may; the pages are for people at their own machine.
What protects them from web pages of others is the check of the Host header (a name that was made to
point here), of where a request comes from, and of a proof that only our pages can read. On any
other address a password is asked for first. Programs say `Authorization: Bearer PASSWORD`, or on
loopback send the header `X-Fleet` with any value, which no page of others can make a browser do.

The advice followed is OWASP's: "Cross-Site Request Forgery Prevention", "Session Management",
"Content Security Policy" (cheatsheetseries.owasp.org).
"""

import ipaddress
import time
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fleet.cloud.brake import Brake
from fleet.cloud.keys import secret_fits
from fleet.web.routes import TooLarge, refusal
from fleet.web.sessions import COOKIE, Session, Sessions

PROOF_HEADER, PROGRAM_HEADER = "x-fleet-proof", "x-fleet"
LOGIN_PAGE = "/login"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "
_OPEN = frozenset({LOGIN_PAGE, "/api/login", "/api/session"})
_OPEN_PREFIX = "/static/"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
WRONG_FREE, WAIT_S_MAX = 5, 300  # wrong passwords of an address that cost nothing; seconds
UNKNOWN, FORBIDDEN, WRONG_HOST, TOO_MANY = 401, 403, 421, 429


def is_loopback(host: str) -> bool:
    """Say whether an address, or `localhost`, can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """An ASGI application before another one. It puts `session` into the scope.

    `password` "" means that none is asked for: that is for loopback only. `limits` says how many
    bytes the body of a request to a path may have.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        password: str,
        limits: Callable[[str, str], int],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stand before `app`."""
        self.sessions = Sessions()
        self._app = app
        self._password = password
        self._limits = limits
        self._now_s = now_s
        self._brake = Brake(free=WRONG_FREE, wait_s_max=WAIT_S_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it."""
        if scope["type"] != "http":
            return  # there are no web sockets here
        request = Request(scope)
        refused = self._refused(request)
        if refused is not None:
            await refused(scope, receive, _with_headers(send, {}))
            return
        session, cookie = self._session(request)
        scope["session"] = session
        if not self._may_enter(request, session):
            await self._turn_away(request)(scope, receive, _with_headers(send, cookie))
            return
        if (forged := self._forged(request, session)) != "":
            await refusal(FORBIDDEN, forged)(scope, receive, _with_headers(send, cookie))
            return
        bounded = _Bounded(receive, self._limits(request.method, request.url.path))
        await self._app(scope, bounded.receive, _with_headers(send, cookie))

    def log_in(self, request: Request, password: str) -> "LoggedIn":
        """Compare a password for the session of `request`; too many wrong ones have to wait."""
        who = request.client.host if request.client else ""
        wait_s = self._brake.wait_s(who, self._now_ms())
        if wait_s:
            return LoggedIn(session=None, wait_s=wait_s)
        if not secret_fits(password, self._password):
            self._brake.failed(who, self._now_ms())
            return LoggedIn(session=None, wait_s=0)
        self.sessions.end(request.scope["session"])  # a new name for who has become somebody
        return LoggedIn(session=self.sessions.begin(self._now_s(), trusted=True), wait_s=0)

    def _now_ms(self) -> int:
        return int(self._now_s() * 1000)

    # --- checks -----------------------------------------------------------------------------------

    def _refused(self, request: Request) -> ASGIApp | None:
        """Return the reply to what comes under a foreign name, if it does."""
        if self._password or is_loopback(_host_of(request.headers)):
            return None
        return refusal(WRONG_HOST, "these pages are only served as localhost, 127.0.0.1 or [::1]")

    def _session(self, request: Request) -> tuple[Session, Mapping[str, str]]:
        """Return the session of a request, and the header that tells the browser of a new one."""
        now_s = self._now_s()
        known = self.sessions.find(_cookie(request), now_s)
        if known is not None:
            return known, {}
        if _is_program(request.headers) or request.url.path.startswith(_OPEN_PREFIX):
            return Session(now_s, trusted=not self._password), {}  # nobody will ask for it again
        begun = self.sessions.begin(now_s, trusted=not self._password)
        return begun, {"set-cookie": cookie_header(request, begun)}

    def _may_enter(self, request: Request, session: Session) -> bool:
        if session.trusted or request.url.path in _OPEN:
            return True
        if request.url.path.startswith(_OPEN_PREFIX):
            return True
        return self._knows_password(request)

    def _knows_password(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        who = request.client.host if request.client else ""
        if not given.lower().startswith(_BEARER) or self._brake.wait_s(who, self._now_ms()):
            return False
        if secret_fits(given[len(_BEARER) :].strip(), self._password):
            return True
        self._brake.failed(who, self._now_ms())
        return False

    def _turn_away(self, request: Request) -> ASGIApp:
        if request.url.path.startswith("/api/") or request.url.path == "/metrics":
            return refusal(UNKNOWN, "log in first, or send Authorization: Bearer PASSWORD")
        return RedirectResponse(LOGIN_PAGE, 303)

    def _forged(self, request: Request, session: Session) -> str:
        """Return why a request cannot be what a page or program of ours has sent, "" if it can."""
        headers = request.headers
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
            return "requests of other web pages are not carried out"
        elsewhere = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if elsewhere and (request.method not in _SAFE or request.url.path.startswith("/api/")):
            return "requests of other web pages are not carried out"
        if request.method in _SAFE or _is_program(headers):
            return ""
        if session.proves(headers.get(PROOF_HEADER, "")):
            return ""
        return f"the header {PROOF_HEADER} is missing or old; load the page again"


class LoggedIn:
    """How a password was taken: with a `session`, or without, then wait for `wait_s`."""

    def __init__(self, *, session: Session | None, wait_s: int) -> None:
        """Tell."""
        self.session = session
        self.wait_s = wait_s


def cookie_header(request: Request, session: Session) -> str:
    """Return the value of Set-Cookie for a session."""
    return f"{_cookie_name(request)}={session.id}; Path=/; HttpOnly; SameSite=Strict"


def _cookie(request: Request) -> str:
    try:
        morsel = SimpleCookie(request.headers.get("cookie", "")).get(_cookie_name(request))
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _cookie_name(request: Request) -> str:
    """Return a name with the port in it: browsers send cookies of a host to all of its ports."""
    return f"{COOKIE}_{request.url.port or 80}"


def _is_program(headers: Headers) -> bool:
    return PROGRAM_HEADER in headers or "authorization" in headers


def _host_of(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _with_headers(send: Send, more: Mapping[str, str]) -> Send:
    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in (*_HEADERS.items(), *more.items()):
                headers.append(name, value)
            headers.setdefault("cache-control", "no-cache")
        await send(message)

    return send_on


class _Bounded:
    """Counts the bytes of a body while they come in."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._receive = receive
        self._left = bytes_max

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise TooLarge(f"at most {self._bytes_max} bytes are accepted here")
        return message
