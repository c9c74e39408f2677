"""A developer's program: signs as the vendor's page says, and calls a cloud that has a project.

The signature is worked out here once more, from the page and not from the code under test.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from fleet.cloud.open.gateway import OpenApi
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.projects import Plan, Signing
from fleet.cloud.seed import ProjectSeed, Seed
from fleet.cloud.settings import Settings
from tests.cloud.support import OWNER, SETTINGS, STRANGER, World, seed

ACCESS_ID = "tuyasim0client0id000"
SECRET = "0123456789abcdef0123456789abcdef"
OTHER_ID, OTHER_SECRET = "other0client0id00000", "fedcba9876543210fedcba9876543210"
PEER = "192.0.2.7"


def project(**choices: Any) -> ProjectSeed:
    """Return the project of the maker; `choices` replace fields."""
    own = ProjectSeed(access_id=ACCESS_ID, secret=SECRET, owner=OWNER, name="own", schemas=("app",))
    chosen = {"signing": Signing.V2, "plan": Plan.VALID, **choices}
    chosen |= {"signing": Signing(chosen["signing"]), "plan": Plan(chosen["plan"])}
    return msgspec.structs.replace(own, **chosen)


def open_seed(**choices: Any) -> Seed:
    """Return the people and devices of all tests, with two projects."""
    other = ProjectSeed(access_id=OTHER_ID, secret=OTHER_SECRET, owner=STRANGER, name="other")
    return msgspec.structs.replace(seed(), projects=(project(**choices), other))


def echo(call: OpenCall) -> object:
    """Answer with what the gateway handed on."""
    return {
        "caller": call.caller.project.access_id,
        "region": call.caller.region,
        "uid": call.caller.uid,
        "path": dict(call.path),
        "query": dict(call.query),
        "body": call.body.decode(),
    }


def nothing(_call: OpenCall) -> object:
    """Answer null."""
    return None


ROUTES = (
    Route("GET", "/v1.0/echo/{name}", echo, Family.DEVICES),
    Route("POST", "/v1.0/echo/{name}", echo, Family.DEVICES),
    Route("GET", "/v1.0/echo/nothing", nothing, Family.DEVICES),
    Route("GET", "/v2.0/cloud/space/child", nothing, Family.SPACES),
)


def open_world(
    settings: Settings = SETTINGS, *, routes: Iterable[Route] = ROUTES, **choices: Any
) -> World:
    """Return a cloud that serves `routes` besides its own; `choices` are those of its project."""
    world = World(settings, open_seed(**choices))
    api = world.cloud._open_api
    world.cloud._open_api = OpenApi(
        world.state, world.cloud._link, world.entropy, [*api._routes, *routes]
    )
    return world


class Program:
    """Calls the Open API with one access key; keeps the token of its last connect."""

    def __init__(
        self, world: World, access_id: str = ACCESS_ID, secret: str = SECRET, prefix: str = ""
    ) -> None:
        self.world = world
        self.access_id, self.secret = access_id, secret
        self.prefix = prefix
        self.ahead_ms = 0  # of its clock
        self.token = ""
        self.refresh_token = ""

    def headers(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        token: str,
        extra: dict[str, str] | None = None,
    ) -> dict[str, str]:
        """Return the headers of a signed call; `extra` are more of them, signed."""
        t = str(self.world.now_ms + self.ahead_ms)
        url = path
        if query:
            url += "?" + "&".join(f"{key}={query[key]}" for key in sorted(query))
        block = "".join(f"{name}:{value}\n" for name, value in (extra or {}).items())
        digest = hashlib.sha256(body).hexdigest()
        text = f"{self.access_id}{token}{t}{method}\n{digest}\n{block}\n{url}"
        sign = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
        return {
            "client_id": self.access_id,
            "sign": sign,
            "sign_method": "HMAC-SHA256",
            "t": t,
            "access_token": token,
            "x-peer-ip": PEER,
            **({"signature-headers": ":".join(extra)} if extra else {}),
            **{name.lower(): value for name, value in (extra or {}).items()},
        }

    def call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: bytes = b"",
        *,
        token: str | None = None,
        extra: dict[str, str] | None = None,
        change: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Make a call and return the envelope; `change` replaces headers after signing."""
        token = self.token if token is None else token
        headers = self.headers(method, path, query or {}, body, token, extra)
        wire = "&".join(f"{quote(k)}={quote(v, safe='')}" for k, v in (query or {}).items())
        target = self.prefix + quote(path) + (f"?{wire}" if wire else "")
        envelope: dict[str, Any] = self.send(method, target, body, {**headers, **(change or {})})
        return envelope

    def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Any:
        """Send what is signed already."""
        reply = self.world.send(method, target, body, headers=headers)
        return msgspec.json.decode(reply)

    def connect(self) -> dict[str, Any]:
        """Get a token in simple mode and keep it; return the result."""
        return self.keep(self.call("GET", "/v1.0/token", {"grant_type": "1"}, token=""))

    def keep(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """Keep the pair of tokens of an answer; return the result."""
        assert envelope["success"], envelope
        result: dict[str, Any] = envelope["result"]
        self.token, self.refresh_token = result["access_token"], result["refresh_token"]
        return result

    def code(self, method: str, path: str, *args: Any, **kwargs: Any) -> int:
        """Make a call that is refused; return the code."""
        envelope = self.call(method, path, *args, **kwargs)
        assert not envelope["success"], envelope
        code: int = envelope["code"]
        return code


def connected(world: World, **kwargs: Any) -> Program:
    """Return a program that has its token."""
    program = Program(world, **kwargs)
    program.connect()
    return program
