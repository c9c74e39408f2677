"""The table of all routes: complete, without doubles, of known families."""

from fleet.cloud.open import grants_api
from fleet.cloud.open.regions import is_open_path
from fleet.cloud.open.routes import Family
from fleet.cloud.open.table import ROUTES


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
