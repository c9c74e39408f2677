"""What a handler is given: path, query and body, with the codes of what does not fit."""

from contextlib import suppress
from typing import Annotated, Literal, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.open.codes import OpenRefused
from fleet.cloud.open.routes import (
    QUERY_FIELDS_MAX,
    Caller,
    Family,
    OpenCall,
    Route,
    Routes,
    parse_query,
)
from fleet.cloud.projects import Project
from fleet.cloud.state import State

PROJECT = Project("id", "very secret", "maker", "name")


class Full(msgspec.Struct):
    """A body of what must not be empty."""

    name: Annotated[str, Meta(min_length=1)]
    ids: Annotated[list[str], Meta(min_length=1)]


class Form(msgspec.Struct):
    """A body of a few kinds."""

    size: Annotated[int, Meta(ge=1, le=100)]
    name: Annotated[str, Meta(max_length=3)] = ""
    kind: Literal["a", "b"] = "a"


def call(body: bytes = b"", query: dict[str, str] | None = None) -> OpenCall:
    return OpenCall(
        state=cast("State", None),
        link=cast("DeviceLink", None),
        caller=Caller(PROJECT, "EU"),
        path={},
        query=query or {},
        body=body,
        now_ms=0,
    )


def code_of(what: object) -> int:
    """Return the code with which a call of `what` is refused."""
    with pytest.raises(OpenRefused) as caught:
        what()  # type: ignore[operator]
    return caught.value.code.value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 1100),
        (b"{}", 1100),
        (b'{"size": 0}', 1101),
        (b'{"size": 101}', 1101),
        (b'{"size": 1, "name": "long"}', 1101),
        (b'{"size": "1"}', 1109),
        (b'{"size": null}', 1109),
        (b'{"size": 1, "kind": "c"}', 1109),
        (b"[]", 1109),
        (b"{", 1109),
        (b"\xff", 1109),
        (b'{"size":' + b"[" * 100_000, 1109),
        (b'{"size": 5, "more": "\\u0000"}', 1109),
    ],
)
def test_a_body_that_does_not_fit_has_its_code(body: bytes, code: int) -> None:
    assert code_of(lambda: call(body).body_as(Form)) == code


def test_a_body_and_a_query_that_fit() -> None:
    assert call(b'{"size": 5, "more": 1}').body_as(Form) == Form(5)
    assert call(query={"size": "5", "name": "x"}).query_as(Form) == Form(5, "x")


def test_an_empty_field_of_a_query_counts_as_none() -> None:
    assert call(query={"size": "5", "name": "", "kind": ""}).query_as(Form) == Form(5)


@pytest.mark.parametrize(
    "body", [b'{"name":"x"}', b'{"name":"","ids":["a"]}', b'{"name":"x","ids":[]}']
)
def test_what_must_not_be_empty_is_refused_like_what_is_not_there(body: bytes) -> None:
    assert code_of(lambda: call(body).body_as(Full)) == 1100


@pytest.mark.parametrize(
    ("query", "code"),
    [({}, 1100), ({"size": "0"}, 1101), ({"size": "x"}, 1109), ({"size": ""}, 1100)],
)
def test_a_query_that_does_not_fit_has_its_code(query: dict[str, str], code: int) -> None:
    assert code_of(lambda: call(query=query).query_as(Form)) == code


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"device_ids": "a"}, ["a"]),
        ({"device_ids": "b,a,b,,c"}, ["b", "a", "c"]),
        ({"device_ids[0]": "a", "device_ids[1]": "b", "other[0]": "c"}, ["a", "b"]),
    ],
)
def test_ids_come_in_two_forms(query: dict[str, str], ids: list[str]) -> None:
    assert call(query=query).ids("device_ids", 3) == ids


def test_there_are_some_ids_and_not_too_many() -> None:
    assert code_of(lambda: call().ids("device_ids", 3)) == 1100
    assert code_of(lambda: call(query={"device_ids": ","}).ids("device_ids", 3)) == 1100
    assert code_of(lambda: call(query={"device_ids": "a,b,c,d"}).ids("device_ids", 3)) == 1101
    repeated = call(query={"device_ids": "a,a,b,c"})
    assert repeated.ids("device_ids", 3) == ["a", "b", "c"]


def test_a_call_shows_who_and_not_what() -> None:
    shown = repr(call(b'{"password": "hush"}'))
    assert shown == "OpenCall('id', uid='')"
    assert "secret" not in repr(call().caller)


def handler(_call: OpenCall) -> object:
    return True


TABLE = Routes(
    Route(method, pattern, handler, Family.DEVICES)
    for method, pattern in (
        ("GET", "/v1.0/devices/{id}"),
        ("GET", "/v1.0/devices/status"),
        ("GET", "/v1.0/devices"),
        ("GET", "/v1.0/{kind}/{id}/logs"),
        ("DELETE", "/v1.0/devices/{id}"),
    )
)


@pytest.mark.parametrize(
    ("method", "path", "pattern", "values"),
    [
        ("GET", "/v1.0/devices", "/v1.0/devices", {}),
        ("GET", "/v1.0/devices/", "/v1.0/devices", {}),
        ("GET", "/v1.0/devices/status", "/v1.0/devices/status", {}),
        ("GET", "/v1.0/devices/x%2Fy", "/v1.0/devices/{id}", {"id": "x/y"}),
        ("GET", "/v1.0/devices/%FF", "/v1.0/devices/{id}", {"id": "\ufffd"}),
        ("GET", "/v1.0/a/b/logs", "/v1.0/{kind}/{id}/logs", {"kind": "a", "id": "b"}),
        ("GET", "/v1.0/devices/b/logs", "/v1.0/{kind}/{id}/logs", {"kind": "devices", "id": "b"}),
        ("DELETE", "/v1.0/devices/status", "/v1.0/devices/{id}", {"id": "status"}),
    ],
)
def test_routes_are_found(method: str, path: str, pattern: str, values: dict[str, str]) -> None:
    found = TABLE.find(method, path)
    assert found is not None
    assert (found[0].pattern, found[1]) == (pattern, values)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1.0/devices"),
        ("GET", "/v1.0"),
        ("GET", "/v1.0/devices//"),
        ("GET", "/v1.1/devices"),
        ("GET", "v1.0/devices"),
        ("GET", ""),
    ],
)
def test_other_paths_lead_nowhere(method: str, path: str) -> None:
    assert TABLE.find(method, path) is None


def test_a_table_can_be_gone_through() -> None:
    assert len(list(TABLE)) == 5


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("a=1&b=%E4%B8%AD+x&&c", {"a": "1", "b": "中 x", "c": ""}),
        ("a=1&a=2", {"a": "2"}),
        ("a=x=y", {"a": "x=y"}),
    ],
)
def test_queries_are_read(text: str, fields: dict[str, str]) -> None:
    assert parse_query(text) == fields


def test_queries_have_bounds() -> None:
    many = "&".join(f"f{n}=1" for n in range(QUERY_FIELDS_MAX + 1))
    assert code_of(lambda: parse_query(many)) == 1109
    assert code_of(lambda: parse_query("a=%FF")) == 1109


@given(st.text())
def test_any_query_is_read_or_refused(text: str) -> None:
    with suppress(OpenRefused):
        assert set(map(type, parse_query(text).values())) <= {str}
    TABLE.find("GET", text)
