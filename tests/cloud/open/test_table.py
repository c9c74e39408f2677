"""The table of all routes: complete, without doubles, of known families, of one order of checks."""

import pytest
from msgspec import inspect

from fleet.cloud.open import grants_api
from fleet.cloud.open.regions import is_open_path
from fleet.cloud.open.routes import Family, Route
from fleet.cloud.open.table import ROUTES
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.test_any_call import FORMS


def test_no_route_comes_twice() -> None:
    served = [(route.method, route.pattern) for route in ROUTES]
    assert len(set(served)) == len(served)
    assert set(grants_api.ROUTES) <= set(ROUTES)


def test_every_route_is_reached_and_has_a_family() -> None:
    assert all(is_open_path(route.pattern) for route in ROUTES)
    assert {route.family for route in ROUTES} <= set(Family)


def test_only_calls_for_tokens_need_none() -> None:
    free = {route.family for route in ROUTES if not route.needs_token}
    assert free == {Family.TOKEN}


def _numbers(route: Route) -> dict[str, str]:
    """Return the numbers that the handler of `route` reads from its query, none of them one."""
    fields = [one for form in FORMS[route] for one in form.fields]
    return {one.encode_name: "x" for one in fields if isinstance(one.type, inspect.IntType)}


def _reads_body(route: Route) -> bool:
    ends = ("Form",) if route.method == "GET" else ("Form", "State")
    return any(form.cls.__name__.endswith(ends) for form in FORMS[route])


@pytest.mark.parametrize(
    "route",
    [
        route
        for route in ROUTES
        if "{" in route.pattern and route.needs_token and (_reads_body(route) or _numbers(route))
    ],
    ids=lambda route: f"{route.method} {route.pattern}",
)
def test_what_is_asked_is_looked_at_before_whom_it_is_about(route: Route) -> None:
    path = "/".join("nobody" if one.startswith("{") else one for one in route.pattern.split("/"))
    program = DevicesWorld().maker
    assert program.code(route.method, path, _numbers(route), b"[]") in {1100, 1109}
