"""The description of the calls is made from their tables and is what programs expect."""

from typing import Annotated

import msgspec

from fleet.web.openapi import describe
from fleet.web.routes import Call, Room, Route


class Hold(msgspec.Struct, frozen=True):
    """How long a button is held."""

    hold_ms: Annotated[int, msgspec.Meta(ge=1)]


class Light(msgspec.Struct, frozen=True):
    """What a light shows."""

    light: str


async def nothing(_: Call) -> object:
    raise AssertionError("nobody calls")


ROOM = Room(
    "fleet",
    "",
    "",
    (
        Route("POST", "/devices/{index}/press", "Press the button", nothing, Hold, list[Light]),
        Route("POST", "/frame", "Show a frame", nothing, bytes),
        Route("GET", "/frame", "See it", nothing, None, Light),
    ),
)


def test_a_call_names_what_it_takes_and_gives() -> None:
    press = describe([ROOM])["paths"]["/api/fleet/devices/{index}/press"]["post"]
    assert press["summary"] == "Press the button"
    assert [parameter["name"] for parameter in press["parameters"]] == ["index"]
    body = press["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Hold"}
    reply = press["responses"]["200"]["content"]["application/json"]["schema"]
    assert reply == {"type": "array", "items": {"$ref": "#/components/schemas/Light"}}


def test_bounds_of_types_are_in_it() -> None:
    hold = describe([ROOM])["components"]["schemas"]["Hold"]
    assert hold["properties"]["hold_ms"] == {"type": "integer", "minimum": 1}


def test_two_methods_of_a_path_stand_together_and_bytes_have_no_form() -> None:
    frame = describe([ROOM])["paths"]["/api/fleet/frame"]
    assert set(frame) == {"post", "get"}
    assert frame["post"]["requestBody"] == {"content": {"application/octet-stream": {}}}


def test_every_reference_leads_somewhere() -> None:
    text = msgspec.json.encode(describe([ROOM])).decode()
    schemas = describe([ROOM])["components"]["schemas"]
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names == set(schemas)
    assert "Failed" in names
