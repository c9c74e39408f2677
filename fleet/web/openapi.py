"""The calls of all rooms as OpenAPI 3.1 (spec.openapis.org), made from their tables."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from fleet.web.routes import Failed, Room, Route

_REF = "#/components/schemas/{name}"
_SEGMENT = re.compile(r"\{(\w+)\}")


def describe(rooms: Iterable[Room]) -> dict[str, Any]:
    """Return the document; its schemas are those of the types that the calls take and give."""
    calls = [(room, route) for room in rooms for route in room.routes]
    types = {route.body for _, route in calls} | {route.reply for _, route in calls} - {None}
    known = sorted((one for one in types if one not in (None, bytes)), key=str)
    schemas, components = msgspec.json.schema_components([*known, Failed], ref_template=_REF)
    by_type = dict(zip([*known, Failed], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for room, route in calls:
        place = paths.setdefault(room.path_of(route), {})
        place[route.method.lower()] = _operation(room, route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Control of a simulated fleet", "version": version("firmware-sim")},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(room: Room, route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"description": "what was asked for"}
    if route.reply is not None:
        said |= {"content": {"application/json": {"schema": schemas[route.reply]}}}
    failed = {"application/json": {"schema": schemas[Failed]}}
    operation: dict[str, Any] = {
        "tags": [room.name],
        "summary": route.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _SEGMENT.findall(route.path)
        ],
        "responses": {"200": said, "default": {"description": "why not", "content": failed}},
    }
    if route.body is bytes:
        operation["requestBody"] = {"content": {"application/octet-stream": {}}}
    elif route.body is not None:
        operation["requestBody"] = {
            "content": {"application/json": {"schema": schemas[route.body]}}
        }
    return operation
