"""Who is calling: sessions of the right kind, the admin's secret, and the envelope."""

import msgspec
import pytest

from tests.cloud.support import ADMIN, OWNER, PASSWORD, REPAIR, SETTINGS, World


def test_each_api_has_its_own_sessions() -> None:
    world = World()
    account, consumer = world.account(REPAIR), world.consumer(0)
    calls = (
        ("/console/v1/products", account),
        ("/app/v1/devices", consumer),
        ("/admin/v1/stats", ADMIN),
    )
    for target, right in calls:
        world.get("GET", target, None, right)
        for wrong in {"", account, consumer, ADMIN, "x"} - {right}:
            assert world.refusal("GET", target, None, wrong) == "no_session"


def test_the_session_is_a_bearer_token() -> None:
    world = World()
    session = world.account(OWNER)
    for header in (session, f"Basic {session}", f"bearer {session}", "Bearer "):
        reply = msgspec.json.decode(world.send("GET", "/console/v1/products", b"", header))
        assert reply["code"] == "no_session"


def test_without_secret_the_admin_api_is_closed() -> None:
    world = World(msgspec.structs.replace(SETTINGS, admin_secret=""))
    for session in ("", "x"):
        assert world.refusal("GET", "/admin/v1/audit", None, session) == "no_session"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/console/v1/login"),
        ("GET", "/console/v2/history"),
        ("POST", "/app/"),
        ("GET", "/admin/v1/audit/all"),
    ],
)
def test_unknown_paths_are_refused_in_the_same_envelope(method: str, target: str) -> None:
    assert World().refusal(method, target) == "not_found"


def test_bodies_are_bounded() -> None:
    world = World(msgspec.structs.replace(SETTINGS, body_size_max=1_024))
    form = {"name": OWNER, "password": PASSWORD}
    world.get("POST", "/console/v1/login", form)
    assert world.refusal("POST", "/console/v1/login", {**form, "x": "x" * 1_024}) == "too_large"


def test_refusals_are_counted() -> None:
    world = World()
    world.refusal("GET", "/console/v1/products")
    stats = world.get("GET", "/admin/v1/stats", None, ADMIN)
    assert stats["services"] == {"people_refused": 1}
