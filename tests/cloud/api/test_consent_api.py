"""The consent step: a consumer is shown who asks, and lets it act or not."""

import re

from fleet.cloud.api.consent_api import ConsentCode
from tests.cloud.open.program import ACCESS_ID, OTHER_ID, Program, open_world

CONSENTS = "/app/v1/consents"


def test_a_consumer_sees_who_asks() -> None:
    world = open_world()
    session = world.consumer(0)
    asker = {"access_id": ACCESS_ID, "name": "own", "owner": "maker"}
    assert world.get("GET", f"{CONSENTS}/{ACCESS_ID}", None, session) == asker
    assert world.refusal("GET", f"{CONSENTS}/nobody", None, session) == "not_found"


def test_a_consent_makes_a_code_for_a_while() -> None:
    world = open_world()
    session = world.consumer(0)
    made = world.get("POST", CONSENTS, {"access_id": ACCESS_ID}, session)
    assert re.fullmatch("[0-9a-z]{32}", made["code"])
    assert made["expires_ms"] == world.now_ms + 600_000
    assert world.get("GET", CONSENTS, None, session) == []


def test_a_consumer_sees_who_may_act() -> None:
    world = open_world()
    session = world.consumer(0)
    code = world.get("POST", CONSENTS, {"access_id": ACCESS_ID}, session)["code"]
    Program(world).keep(
        Program(world).call("GET", "/v1.0/token", {"grant_type": "2", "code": code})
    )
    (asker,) = world.get("GET", CONSENTS, None, session)
    assert asker["access_id"] == ACCESS_ID
    assert world.get("GET", CONSENTS, None, world.consumer(1)) == []
    world.now_ms += 7_200_000
    assert world.get("GET", CONSENTS, None, session) == []


def test_only_consumers_consent_and_only_to_projects() -> None:
    world = open_world()
    form = {"access_id": OTHER_ID}
    assert world.refusal("POST", CONSENTS, form) == "no_session"
    assert world.refusal("POST", CONSENTS, form, world.account("maker")) == "no_session"
    assert world.refusal("POST", CONSENTS, {"access_id": "x"}, world.consumer(0)) == "not_found"
    assert world.refusal("POST", CONSENTS, {}, world.consumer(0)) == "bad_request"


def test_a_code_is_not_shown() -> None:
    assert "hush" not in repr(ConsentCode("hush", 1))
