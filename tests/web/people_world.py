"""A cloud without sockets for the pages of people, and a browser before them.

The cloud is the real node of `tests.cloud.support`; a call of the page reaches it by a carrier
that is a function call.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from fleet.app.carrier import Request
from fleet.app.cloud_link import CloudLink
from fleet.run.population import Person
from fleet.web.app import make_app
from fleet.web.routes import Room
from tests.cloud.support import BUYER, OWNER, PARTNER, PASSWORD, REPAIR, World
from tests.web.client import browser, proof

PEOPLE = (
    Person(OWNER, PASSWORD, "owner"),
    Person(PARTNER, PASSWORD, "partner"),
    Person(REPAIR, PASSWORD, "after_sale"),
    Person(BUYER, PASSWORD, "purchaser"),
    Person("user0", PASSWORD, "consumer", uid="uid0"),
)


class WorldCarrier:
    """Carries calls into a world; `closed` once the link is."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.closed = False
        self.calls: list[str] = []

    async def exchange(self, request: Request) -> bytes:
        query = f"?{urlencode(request.query)}" if request.query else ""
        self.calls.append(f"{request.method} {request.target}{query}")
        bearer = f"Bearer {request.session}" if request.session else ""
        return self.world.send(request.method, request.target + query, request.body, bearer)

    async def close(self) -> None:
        self.closed = True

    def link(self, patience_s: float) -> CloudLink:
        return CloudLink("http://cloud.test", patience_s=patience_s, carrier=self)


class Page:
    """A browser at one room."""

    def __init__(self, client: httpx.AsyncClient, room: str) -> None:
        self.client = client
        self.root = f"/api/{room}"
        self.seen = b""  # everything that this browser was ever told

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {} if method == "GET" else await proof(self.client)
        content = None if body is None else msgspec.json.encode(body)
        reply = await self.client.request(
            method, self.root + path, content=content, headers=headers
        )
        self.seen += reply.content + repr(reply.headers).encode()
        return reply

    async def get(self, path: str) -> Any:
        return _good(await self.call("GET", path))

    async def post(self, path: str, body: Any) -> Any:
        return _good(await self.call("POST", path, body))

    async def put(self, path: str, body: Any) -> Any:
        return _good(await self.call("PUT", path, body))

    async def delete(self, path: str) -> Any:
        return _good(await self.call("DELETE", path))

    async def refused(self, method: str, path: str, body: Any = None) -> dict[str, str]:
        reply = await self.call(method, path, body)
        assert 400 <= reply.status_code < 500, reply.content
        said: dict[str, str] = reply.json()
        return said

    async def log_in_as(self, name: str) -> None:
        await self.post("/login-as", {"name": name})


def page_of(room: Room, more: Iterable[Room] = ()) -> Page:
    """Return a browser at a room; close its `client` at the end."""
    return Page(browser(make_app([room, *more])), room.name)


def _good(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.content
    return reply.json()
