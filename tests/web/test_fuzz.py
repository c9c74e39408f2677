"""Every call, as /api/openapi.json describes it, with what nobody would send: nothing breaks.

From the schema of a body a plain one is made, and then each of its fields in turn is something of
the wrong type, size or alphabet; bodies as a whole and segments of paths and queries as well. No
reply is a failure of the server, and the fleet is controlled afterwards as before.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from fleet.run.population import Network
from fleet.web import console_room, run_room
from fleet.web.app import make_app
from fleet.web.app_room import Bench
from fleet.web.demo import room as demo_room
from fleet.web.desk import Desk
from fleet.web.fleet_room import make_room
from fleet.web.lan_search import Search
from fleet.web.lenses import Lenses
from fleet.web.premises import Premises
from fleet.web.routes import Room
from fleet.web.wall import make_room as make_wall
from tests.cloud.support import OWNER
from tests.cloud.support import World as Cloud
from tests.web.bench_world import Air, FakeHands, population, watch
from tests.web.client import browser, proof
from tests.web.control_world import World
from tests.web.people_world import PEOPLE, WorldCarrier

pytestmark = pytest.mark.anyio

_LONG = "a" * 60_000
TEXTS = (
    "", "\0", "\r\nX: y", "\ud7ff\u202e\U0001f600", "<img src=x onerror=alert(1)>", "__proto__",
    "constructor", "../../etc/passwd", "..", "%2e%2e%2f", "javascript:alert(1)", "${7*7}", "' or 1",
    "\u0663", "\u00b2", "-1", "1e9", "9" * 30, "NaN", _LONG,
)  # fmt: skip
# JSON as it is written: some of it is no value of any type.
VALUES = (
    *map(json.dumps, TEXTS),
    "null", "true", "0", "-1", "-0.0", "0.5", "1e308", "-1e308", "1e400", "5e-324", "2147483648",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
    "1" + "0" * 400, "1" + "0" * 5000, "NaN", "[]", "{}", "[[]]", "[null]", "[-1]", "[9999999999]",
    "[" + "9" * 5000 + "]", '[""]', '["\\u0000"]', '{"__proto__": {"x": 1}}', "[" * 2000 + "]" * 2000,
    '"\\ud800"', "[0, 0, 0, 1, 1]", "[" + "0, " * 12_000 + "0]", "[1.5]", "[true]",
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b'"', b"\xff", b"\0", b"\xef\xbb\xbf{}", b"[" * 60_000, b'{"a":' * 10_000,
    b'{"a":' * 9_000 + b"1" + b"}" * 9_000, b"9" * 60_000, b'{"": 1}', b'{"on": true, "on": 1}',
    b'{"__proto__": 1}', b"{}{}", b"{" + b" " * 60_000,
)  # fmt: skip
QUERIES = ("after", "limit", "devices", "batch", "status", "action", "device", "account", "text")
# What makes a call do something, where its schema alone does not say.
HINTS: Mapping[str, str] = {
    "devices": "[0, 1]",
    "kind": '"power_cut"',
    "for_s": "1",
    "place": '"homes"',
    "profile": '"ipc-red-green"',
    "text": '"x"',
}
QUERIED = {"/api/fleet/devices", "/api/console/history", "/api/console/explain"}
ENDLESS = {"/api/run/feed", "/api/wall/feed", "/api/demo/events"}
METHODS = ("get", "post", "put", "delete")


def plain(schema: Mapping[str, Any], known: Mapping[str, Any], name: str = "") -> str:
    """Return a value that a schema allows, or nearly so."""
    if name in HINTS:
        return HINTS[name]
    if "$ref" in schema:
        return plain(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        return plain(schema["anyOf"][0], known)
    if "enum" in schema:
        return json.dumps(schema["enum"][0])
    if schema.get("type") == "object":
        needed = schema.get("required", ())
        fields = {field: plain(schema["properties"][field], known, field) for field in needed}
        return written(fields)
    usual = {"integer": "1", "number": "1", "boolean": "true", "array": "[]", "null": "null"}
    return usual.get(schema.get("type", ""), '"a"')


def written(fields: Mapping[str, str]) -> str:
    """Return an object whose values are written already."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items()) + "}"


def bodies(operation: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield bodies for one call."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        yield b""
        return
    schema = content["application/json"]["schema"]
    while "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    properties = schema.get("properties", {})
    needed = {*schema.get("required", ()), *({"devices"} & {*properties})}
    usual = {name: plain(properties[name], known, name) for name in properties if name in needed}
    yield written(usual).encode()
    yield from BODIES
    for name in properties:
        for value in VALUES:
            yield written(usual | {name: value}).encode("utf-8", "surrogatepass")


def paths(path: str) -> Iterator[str]:
    """Yield one call's path with each odd text in the place of its names; once if it has none."""
    before, brace, rest = path.partition("{")
    if not brace:
        yield path
        return
    for text in TEXTS[1:-1]:
        for end in paths(rest.partition("}")[2]):
            yield before + quote(text, safe="") + end


def rooms(world: World) -> list[Room]:
    """Return the rooms of a fleet that is only there: all of them but the demo's."""
    """Return the rooms of a fleet that is only there, but for the demo's, whose world is its own."""
    carrier = WorldCarrier(Cloud())
    bench = Bench(
        Desk("app", carrier.link, PEOPLE),
        Search(Air().search),
        Lenses(population, FakeHands(), watch()),
        lambda: Network("Werkstatt", "secret"),
        dict,
    )
    premises = Premises(world.population, world.supervisor, PEOPLE)
    return [
        run_room.make_room(world.premises, world.live, world.control),
        make_wall(premises),
        console_room.room_of(Desk("console", carrier.link, PEOPLE)),
        bench.room(),
        make_room(world.control),
    ]


class Attacker:
    """Somebody who may call everything, and counts what comes back."""

    def __init__(self, client: httpx.AsyncClient, headers: Mapping[str, str]) -> None:
        self.client = client
        self.headers = headers
        self.statuses: dict[int, int] = {}

    async def call(self, method: str, path: str, body: bytes = b"") -> None:
        reply = await self.client.request(method, path, content=body, headers=self.headers)
        what = f"{method} {path[:200]} {body[:200]!r}: {reply.status_code} {reply.text[:300]}"
        assert reply.status_code < 500, what
        assert "Traceback" not in reply.text, what
        if reply.headers.get("content-type") == "application/json":
            json.loads(reply.content)
        self.statuses[reply.status_code] = self.statuses.get(reply.status_code, 0) + 1


async def attack(client: httpx.AsyncClient, *before: tuple[str, str]) -> Attacker:
    """Call everything that is described, after some calls that go well."""
    attacker = Attacker(client, await proof(client))
    for path, form in before:
        await attacker.call("POST", path, form.encode())
    assert attacker.statuses.get(200, 0) == len(before)
    description = (await client.get("/api/openapi.json")).json()
    known = description["components"]["schemas"]
    for path, operations in description["paths"].items():
        if path in ENDLESS or path.endswith(("/logout", "/login")):
            continue
        for method in (one for one in METHODS if one in operations):
            for body in bodies(operations[method], known):
                await attacker.call(method, path.replace("{", "").replace("}", ""), body)
            for odd in paths(path):
                await attacker.call(method, odd)
    for path in QUERIED & description["paths"].keys():
        for name in QUERIES:
            for text in TEXTS[:-1]:
                await attacker.call("GET", f"{path}?{name}={quote(text, safe='')}")
    assert attacker.statuses[200] > 20, "some of it is as it should be"
    assert attacker.statuses[400] > 200
    return attacker


async def check(world: World, client: httpx.AsyncClient) -> None:
    """Look whether a fleet is as it should be."""
    count = len(world.fleet.watch.last)
    assert (await client.get("/api/fleet/overview")).json()["devices"] == count
    touched = [order[1] for order in world.orders if isinstance(order[1], tuple)]
    assert touched
    assert {index for indices in touched for index in indices} <= {*range(count)}
    assert world.fleet.failure is None


async def test_whatever_is_sent_to_a_fleet_nothing_breaks() -> None:
    world, form = World(), json.dumps({"name": OWNER})
    async with browser(make_app(rooms(world))) as client:
        await attack(client, ("/api/console/login-as", form), ("/api/app/login-as", form))
        await check(world, client)


async def test_whatever_is_sent_to_a_run_nothing_breaks() -> None:
    world = World(playing=True)
    room = make_room(world.control)._replace(title="Control")
    async with browser(make_app([room])) as client:
        await attack(client)
        await check(world, client)


async def test_whatever_is_sent_to_the_demo_nothing_breaks() -> None:
    room = demo_room.make_room("zxing")
    start = '{"profile": "ipc-red-green", "speed": 20}'
    async with room.life(), browser(make_app([room])) as client:
        attacker = await attack(client, ("/api/demo/start", start))
        attacker.statuses.clear()
        await attacker.call("POST", "/api/demo/start", start.encode())
        await attacker.call("POST", "/api/demo/hand", b'{"do": "press"}')
        assert attacker.statuses == {200: 2}
