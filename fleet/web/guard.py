"""What stands before all pages and calls: who may come in, and what a browser may do with a page.

On a loopback address everybody on this machine may; the pages are for people at their own machine.
What protects them from web pages of others is the check of the Host header (a name that was made to
point here), of where a request comes from, and of a proof that only our pages can read. On any
other address a password is asked for first. Programs say `Authorization: Bearer PASSWORD` (or
Basic, which clients make of `http://any:PASSWORD@host`), or on loopback send the header `X-Fleet` with any value, which no page of others can make a browser do.

The advice followed is OWASP's: "Cross-Site Request Forgery Prevention", "Session Management",
"Content Security Policy" (cheatsheetseries.owasp.org).
"""

import asyncio
import base64
import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping
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
_BEARER, _BASIC = "bearer ", "basic "
_ABOUT = "/api/session"
_OPEN = frozenset({LOGIN_PAGE, "/api/login", _ABOUT})
_OPEN_PREFIX, _API_PREFIX = "/static/", "/api/"
_METRICS = "/metrics"
_BENCH_PREFIX = "/devices/"  # calls of test scripts, as every bench has them
_ASKED_FIRST = frozenset({"PUT", "DELETE"})
_THIS_MACHINE = "this machine"
_IPV6_NETWORK_BITS = 64  # what one customer has at least
_EXPIRY_LOOK_S = 60.0
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
        self._brake.passed(_THIS_MACHINE)  # strangers cannot lock out whoever sits here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it."""
        if scope["type"] != "http":
            return  # there are no web sockets here
        request = Request(scope)
        refused = self._refused(request)
        if refused is not None:
            await refused(scope, receive, _Reply(send, _path(request), {}).send)
            return
        session, cookie = self._session(request)
        scope["session"] = session
        reply = _Reply(send, _path(request), cookie)
        if not self._may_enter(request, session):
            await self._turn_away(request)(scope, receive, reply.send)
            return
        if (forged := self._forged(request, session)) != "":
            await refusal(FORBIDDEN, forged)(scope, receive, reply.send)
            return
        bytes_max = self._limits(request.method, _path(request))
        await self._app(scope, _Bounded(receive, bytes_max, self._until_over(session)), reply.send)
        if session.over.is_set():
            await reply.complete()

    def _until_over(self, session: Session) -> Callable[[Receive], Awaitable[Message]]:
        """Return what waits until a client hangs up, or its session ends."""

        async def wait(receive: Receive) -> Message:
            hung_up, over = (
                asyncio.ensure_future(receive()),
                asyncio.ensure_future(session.over.wait()),
            )
            try:
                while not hung_up.done() and not over.done():
                    await asyncio.wait(
                        {hung_up, over},
                        timeout=_EXPIRY_LOOK_S,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    self.sessions.expire(self._now_s())
                return hung_up.result() if hung_up.done() else {"type": "http.disconnect"}
            finally:
                hung_up.cancel()
                over.cancel()

        return wait

    def log_in(self, request: Request, password: str) -> "LoggedIn":
        """Compare a password for the session of `request`; too many wrong ones have to wait."""
        who = _who(request)
        wait_s = self._brake.wait_s(who, self._now_ms())
        if wait_s:
            return LoggedIn(session=None, wait_s=wait_s)
        if not secret_fits(password, self._password):
            self._brake.failed(who, self._now_ms())
            return LoggedIn(session=None, wait_s=0)
        self._brake.passed(who)
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
        known = self.sessions.find(request.cookies.get(_cookie_name(request), ""), now_s)
        if known is not None:
            return known, {}
        if not self._begins_session(request):
            return Session(now_s, trusted=not self._password), {}  # nobody will ask for it again
        begun = self.sessions.begin(now_s, trusted=not self._password)
        return begun, {"set-cookie": cookie_header(request, begun)}

    def _begins_session(self, request: Request) -> bool:
        """Say whether a browser without a session is to get one; a program gets one if it asks.

        None begins where a link of another site leads here: that comes without the cookie that the
        browser may have, and a new one would take its place.
        """
        path = _path(request)
        if _is_for_programs(path) or _from_elsewhere(request.headers):
            return False
        if _is_program(request.headers):
            return path == _ABOUT
        if self._password:
            return path.startswith(_API_PREFIX)
        return not path.startswith(_OPEN_PREFIX)

    def _may_enter(self, request: Request, session: Session) -> bool:
        path = _path(request)
        if session.trusted or path in _OPEN or path.startswith(_OPEN_PREFIX):
            return True
        return self._knows_password(request)

    def _knows_password(self, request: Request) -> bool:
        secret = _password_in(request.headers.get("authorization", ""))
        who = _who(request)
        if secret is None or self._brake.wait_s(who, self._now_ms()):
            return False
        if secret_fits(secret, self._password):
            self._brake.passed(who)
            return True
        self._brake.failed(who, self._now_ms())
        return False

    def _turn_away(self, request: Request) -> ASGIApp:
        if _path(request).startswith(_API_PREFIX) or _is_for_programs(_path(request)):
            return refusal(UNKNOWN, "log in first, or send Authorization: Bearer PASSWORD")
        return RedirectResponse(LOGIN_PAGE, 303)

    def _forged(self, request: Request, session: Session) -> str:
        """Return why a request cannot be what a page or program of ours has sent, "" if it can."""
        headers = request.headers
        origin = headers.get("origin")
        if origin is not None and _place_of(origin) != headers.get("host"):
            return "requests of other web pages are not carried out"
        reads = request.method in _SAFE and not _path(request).startswith(_API_PREFIX)
        if _from_elsewhere(headers) and not reads:
            return "requests of other web pages are not carried out"
        if request.method in _SAFE or _is_program(headers):
            return ""
        # A browser asks first whether a page of others may send these, and nobody here says yes (the
        # Fetch standard, "CORS-preflight fetch").
        if request.method in _ASKED_FIRST and _path(request).startswith(_BENCH_PREFIX):
            return ""
        if session.proves(headers.get(PROOF_HEADER, "")):
            return ""
        return (
            f"the header {PROOF_HEADER} is missing or old: load the page again; "
            f"programs send {PROGRAM_HEADER}: 1, or the password as a bearer token"
        )


class LoggedIn:
    """How a password was taken: with a `session`, or without, then wait for `wait_s`."""

    def __init__(self, *, session: Session | None, wait_s: int) -> None:
        """Tell."""
        self.session = session
        self.wait_s = wait_s


def cookie_header(request: Request, session: Session) -> str:
    """Return the value of Set-Cookie for a session."""
    return f"{_cookie_name(request)}={session.id}; Path=/; HttpOnly; SameSite=Strict"


def _path(request: Request) -> str:
    """Return the path that is routed; a URL that is put together has a part of the client's words."""
    path: str = request.scope["path"]
    return path


def _who(request: Request) -> str:
    """Return whose wrong passwords are counted together: an address; of IPv6 all of one network."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            network = ipaddress.IPv6Network((address, _IPV6_NETWORK_BITS), strict=False)
            return _THIS_MACHINE if address.is_loopback else str(network)
        address = address.ipv4_mapped
    return _THIS_MACHINE if address.is_loopback else str(address)


def _cookie_name(request: Request) -> str:
    """Return a name with the port in it: browsers send cookies of a host to all of its ports."""
    return f"{COOKIE}_{request.url.port or 80}"


def _is_for_programs(path: str) -> bool:
    return path == _METRICS or path.startswith(_BENCH_PREFIX)


def _password_in(authorization: str) -> str | None:
    """Return the password that a program sends, by itself or, from a URL, behind a user's name."""
    given = authorization.encode("latin-1")
    if authorization.lower().startswith(_BEARER):
        return given[len(_BEARER) :].strip().decode(errors="replace")
    if not authorization.lower().startswith(_BASIC):
        return None
    try:
        pair = base64.b64decode(given[len(_BASIC) :].strip(), validate=True)
    except ValueError:
        return None
    return pair.partition(b":")[2].decode(errors="replace")


def _is_program(headers: Headers) -> bool:
    return PROGRAM_HEADER in headers or "authorization" in headers


def _from_elsewhere(headers: Headers) -> bool:
    """Say whether a browser says that a page of others is behind a request."""
    return headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def _place_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def _host_of(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


class _Reply:
    """Adds what browsers are to know to a reply, and ends one that stopped short."""

    def __init__(self, send: Send, path: str, more: Mapping[str, str]) -> None:
        self._send = send
        self._more = more
        self._open = False
        told = _is_for_programs(path) or path.startswith(_API_PREFIX)
        self._caching = "no-store" if told else "no-cache"

    async def send(self, message: Message) -> None:
        """Send a part of the reply."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in (*_HEADERS.items(), *self._more.items()):
                headers.append(name, value)
            headers.setdefault("cache-control", self._caching)
        self._open = message["type"] == "http.response.start" or message.get("more_body", False)
        await self._send(message)

    async def complete(self) -> None:
        """Send the end, if it was not sent."""
        if self._open:
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})


class _Bounded:
    """Counts the bytes of a body while they come in; afterwards `wait` tells when it is all over."""

    def __init__(
        self, receive: Receive, bytes_max: int, wait: Callable[[Receive], Awaitable[Message]]
    ) -> None:
        self._receive = receive
        self._bytes_max = self._left = bytes_max
        self._wait = wait
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._wait(self._receive)
        message = await self._receive()
        if message["type"] == "http.request":
            self._complete = not message.get("more_body", False)
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise TooLarge(f"at most {self._bytes_max} bytes are accepted here")
        return message
