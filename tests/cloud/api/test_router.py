"""Routes: found by method and segments, with the values of the path."""

import msgspec
import pytest

from firmware_sim.errors import Malformed
from fleet.cloud.api.router import QUERY_FIELDS_MAX, Access, Call, Route, Router, parse_query


def handler(_state: object, _call: Call) -> None:
    """Do nothing."""


ROUTES = [
    Route(method, pattern, Access.ANYBODY, handler)
    for method, pattern in (
        ("GET", "/v1/things"),
        ("GET", "/v1/things/{thing}"),
        ("DELETE", "/v1/things/{thing}"),
        ("GET", "/v1/things/{thing}/parts/{part}"),
        ("GET", "/v1/others/{other}"),
    )
]


@pytest.mark.parametrize(
    ("method", "path", "found", "values"),
    [
        ("GET", "/v1/things", 0, {}),
        ("GET", "/v1/things/7", 1, {"thing": "7"}),
        ("DELETE", "/v1/things/a%2Fb", 2, {"thing": "a/b"}),
        ("GET", "/v1/things/7/parts/8", 3, {"thing": "7", "part": "8"}),
        ("GET", "/v1/others/", 4, {"other": ""}),
        ("POST", "/v1/things", None, {}),
        ("GET", "/v1/thing/7", None, {}),
        ("GET", "/v1/things/7/parts", None, {}),
        ("GET", "", None, {}),
    ],
)
def test_find(method: str, path: str, found: int | None, values: dict[str, str]) -> None:
    wanted = None if found is None else (ROUTES[found], values)
    assert Router(ROUTES).find(method, path) == wanted


def test_of_two_that_fit_the_first_one_is_taken() -> None:
    taken = Router([ROUTES[1], ROUTES[0]._replace(pattern="/v1/things/all")])
    assert taken.find("GET", "/v1/things/all") == (ROUTES[1], {"thing": "all"})


def test_a_query_is_bounded() -> None:
    assert parse_query("a=1&b=&c=%20x") == {"a": "1", "b": "", "c": " x"}
    assert parse_query("") == {}
    with pytest.raises(Malformed):
        parse_query("&".join(f"k{n}=1" for n in range(QUERY_FIELDS_MAX + 1)))


class Form(msgspec.Struct):
    number: int = 3


def call(body: bytes = b"", **query: str) -> Call:
    return Call("me", {}, query, body, 5)


def test_typed_bodies_and_queries() -> None:
    assert call().body_as(Form) == Form(3)
    assert call(b'{"number":4}').body_as(Form) == Form(4)
    assert call(number="5").query_as(Form) == Form(5)
    for body in (b"[]", b"{", b'{"number":"4"}', b"\xff", b'{"number":3,"x":"\\u0000"}'):
        with pytest.raises(Malformed):
            call(body).body_as(Form)
    with pytest.raises(Malformed, match="query"):
        call(number="five").query_as(Form)


def test_a_call_does_not_show_its_body() -> None:
    assert "hush" not in repr(call(b"hush", secret="hush"))
