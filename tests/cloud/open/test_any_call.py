"""Whatever a program sends under a valid signature, it gets an envelope, and the cloud lives on.

Calls are made up of what the routes know (which forms a handler reads is found out from its code),
what is nearly right, and junk. What they leave behind must fit into any database: a value that
only memory can hold would end the server.
"""

import json
from collections.abc import Callable, Iterator
from random import Random
from types import FunctionType
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec import inspect

from fleet.cloud.open.codes import Code
from fleet.cloud.open.signing import Signed, digest, texts_v2
from fleet.cloud.open.table import ROUTES
from fleet.cloud.store.rows import Cell
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import SECRET
from tests.cloud.support import CAMERA, SETTINGS, snapshot

CALLS = 60
CODES = {code.value for code in Code} - {Code.SIGN_INVALID.value}
DEVICE = "bfdevice" + "0" * 14
DEVICES = (DEVICE, DEVICE, f"{DEVICE[:-1]}1", f"{DEVICE},{DEVICE[:-1]}2")

# What the calls read, by the name of the field; names in capitals are filled in by the test.
GOOD: dict[str, tuple[Any, ...]] = {
    "device_id": DEVICES[:3],
    "device_ids": DEVICES,
    **dict.fromkeys(("home_id", "source_id"), ("HOME",)),
    **dict.fromkeys(("space_id", "asset_id", "parent_id", "child_id"), ("SPACE",)),
    **dict.fromkeys(("schema", "app_schema"), (SETTINGS.app_schema,)),
    **dict.fromkeys(("start_day", "startDay"), ("20231101", "2023-11-01")),
    **dict.fromkeys(("end_day", "endDay"), ("20231114", "99991231")),
    **dict.fromkeys(("pairing_type", "paring_type"), ("EZ", "ble")),
    **dict.fromkeys(("timeZoneId", "time_zone_id"), ("Europe/Berlin", "../etc")),
    "room_id": ("ROOM",),
    "token": ("TOKEN",),
    "refresh_token": ("0" * 32,),
    "uid": ("uid0", "uid1"),
    "uuid": ("uuid0000",),
    "category": ("sp",),
    "product_id": (CAMERA,),
    "code": ("switch_1", "bright_value", "label", "fault"),
    "value": (True, 50, "text", 10**30, -1, 1e300),
    "properties": ('{"switch_1":true}', '{"bright_value":50,"label":"x"}', "[]"),
    "duration": (60, 10**6),
    "start_time": (1_699_990_000, 1_699_990_000_000),
    "end_time": (1_700_000_100, 1_700_000_100_000),
    "type": ("1,3,7", "country"),
    "event_types": ("1,4,5,7",),
    "params": ('{"startDay":"20231101","endDay":"20231114"}',),
    **dict.fromkeys(("lon", "lat"), (10, "52.5")),
    **dict.fromkeys(("name", "custom_name", "nick_name"), ("Hall", "Größe")),
    "country_code": ("49",),
    "username": ("user9", "user0"),
    "password": ("5f4dcc3b5aa765d61d8327deb882cf99",),
    "member_account": ("user1",),
    "grant_type": ("1", "2"),
    "source_type": ("tuyaUser", "homeApp"),
}
OTHERWISE = (1, "1", "Hall", True, 20)

JUNK = (
    *(
        "'; DROP TABLE devices; --",
        "..",
        "a/b",
        "a%2Fb",
        "%",
        "\0",
        "\x7f",
        "nan",
        "1e400",
        "-1",
        "",
    ),
    *(
        "9" * 30,
        "9" * 5_000,
        "٣",
        "0x10",
        "a,b," * 60,
        "{}",
        "[",
        '{"switch_1":1e999}',
        "\U0001f600",
    ),
)
ODD: tuple[Any, ...] = (
    *JUNK,
    *(None, False, -1, 0, 2**53 + 1, 2**63, 2**64, -(2**70), 10**4_000, 1e308, -0.0, 1.5),
    *([], {}, [JUNK], {"\0": "\0"}, {"name": "\0"}, ["\0"]),
)
BODIES = [
    *(b"", b"[" * 60_000, b'{"a":' * 9_000, b'{"name":1e999}', b"\xff", b'{"name":NaN}', b"\0"),
    b'{"commands":[{"code":"label","value":"\\u0000"}]}',
    b'{"name":"\\ud800"}',
    b'{"commands":[{"code":"bright_value","value":1e999}]}',
    b'{"commands":[{"code":"label","value":' + b"[" * 900 + b"]" * 900 + b"}]}",
]


def _forms(function: Callable[..., object], depth: int = 3) -> Iterator[inspect.StructType]:
    """Go through the structs that a handler, or what it calls, names."""
    assert isinstance(function, FunctionType)
    for name in function.__code__.co_names:
        found = function.__globals__.get(name)
        if isinstance(found, type) and issubclass(found, msgspec.Struct):
            shape = inspect.type_info(found)
            assert isinstance(shape, inspect.StructType)
            if name.endswith(("Form", "Query", "State")):
                yield shape
        elif isinstance(found, FunctionType) and depth and "cloud.open" in found.__module__:
            yield from _forms(found, depth - 1)


FORMS = {route: list(_forms(route.handler)) for route in ROUTES}


def _value(chance: Random, name: str, shape: inspect.Type | None) -> Any:
    """Make up what a field may hold, or not quite."""
    if not chance.randrange(12):
        return chance.choice([*ODD, _unicode(chance)])
    if isinstance(shape, inspect.StructType):
        fields = (field for field in shape.fields if field.required or chance.randrange(2))
        return {one.encode_name: _value(chance, one.encode_name, one.type) for one in fields}
    if isinstance(shape, inspect.ListType):
        return [_value(chance, name, shape.item_type) for _ in range(chance.randrange(1, 3))]
    if isinstance(shape, inspect.LiteralType):
        return chance.choice(shape.values)
    return chance.choice(GOOD.get(name, OTHERWISE))


def _unicode(chance: Random) -> str:
    return "".join(chr(chance.randrange(0xD800)) for _ in range(chance.randrange(6)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _call(chance: Random) -> tuple[str, str, bytes]:
    """Make up method, target and body."""
    route = chance.choice(ROUTES)
    if chance.randrange(2) and {"DELETE", "unbind", "reset-factory", "reset"} & {
        route.method,
        route.pattern.rpartition("/")[2],
    }:
        route = chance.choice(ROUTES)  # or else there would soon be nothing left to call for
    shape = chance.choice(FORMS[route]) if FORMS[route] else None
    form = _value(chance, "", shape) if shape is not None else {}
    segments = [
        quote(_text(_value(chance, part[1:-1], None)), safe="") if part.startswith("{") else part
        for part in route.pattern.split("/")
    ]
    fields = dict(form) if isinstance(form, dict) else {}
    if chance.randrange(3):
        fields["device_ids"] = _value(chance, "device_ids", None)
    pairs = [f"{quote(name)}={quote(_text(value), safe='')}" for name, value in fields.items()]
    query = "?" + "&".join(pairs) if pairs and route.method in ("GET", "DELETE") else ""
    body = json.dumps(form).encode() if chance.randrange(12) else chance.choice(BODIES)
    method = route.method if chance.randrange(40) else "PATCH"
    prefix = "" if chance.randrange(40) else "/us"
    return method, prefix + "/".join(segments) + query, body


@settings(max_examples=100)
@given(st.randoms(use_true_random=True))
def test_every_call_gets_an_envelope(chance: Random) -> None:
    home = DevicesWorld()
    home.online()
    made = {"HOME": home.home_of_camera(), "SPACE": home.space()}
    made["ROOM"] = str(home.send("POST", f"/v1.0/homes/{made['HOME']}/room", {"name": "Hall"}))
    form = {"uid": "uid0", "timeZoneId": "Europe/Berlin"}
    made["TOKEN"] = home.send("POST", "/v1.0/devices/token", form)["token"]
    for _ in range(CALLS):
        method, target, body = _call(chance)
        for name, value in made.items():
            target, body = target.replace(name, value), body.replace(name.encode(), value.encode())
        home.world.now_ms += 1_000
        note(f"{method} {target} {body[:500]!r}")
        _check(_send(home, method, target[:16_000], body))
    for rows in home.world.store._tables.values():
        for row in rows.values():
            assert all(map(_fits, row)), row
    now, later = snapshot(home.world.state), snapshot(home.world.load()._state)
    assert [name for name in now if now[name] != later[name]] == []


def _send(home: DevicesWorld, method: str, target: str, body: bytes) -> bytes:
    path, _, query = target.partition("?")
    plain = path.removeprefix("/us")
    found = home.world.cloud._open_api._routes.find(method, plain)
    token = home.maker.token if found is None or found[0].needs_token else ""
    headers = home.maker.headers(method, path, {}, b"", home.maker.token)
    signed = Signed(method, plain, query, headers, body, token)
    headers["sign"] = digest(SECRET, next(texts_v2(signed)))
    return home.world.send(method, target, body, headers=headers)


def _check(reply: bytes) -> None:
    envelope = json.loads(reply, parse_constant=_no_json)
    told = {"result"} if envelope["success"] else {"code", "msg"}
    assert envelope.keys() == {"success", "t", "tid"} | told
    assert envelope["success"] or envelope["code"] in CODES


def _no_json(text: str) -> None:
    raise AssertionError(text)


def _fits(cell: Cell) -> bool:
    """Tell whether every database keeps a value as it is."""
    if isinstance(cell, str):
        return "\0" not in cell and bool(cell.encode() or True)
    if isinstance(cell, int):
        return -(2**63) <= cell < 2**63
    return not isinstance(cell, float) or cell - cell == 0
