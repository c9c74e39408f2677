"""4.3 The code is on the device, and the app reads it.

A device that waits and has a network connects as `acon_<uuid>` and listens; the app names it to the
cloud, which publishes protocol 46 with a token under the device's authKey; the device unsubscribes,
disconnects and activates ("Pair with QR Code on Device", developer.tuya.com; tuya/
tuya-connect-kit-for-mqtt-embedded-c, src/mqtt_bind.c).
"""

from typing import Any

import pytest

from firmware_sim.wire.device_code import DeviceCode, encode_device_code
from firmware_sim.wire.generation import Generation
from tests.cloud.support import BUYER, OWNER, REPAIR, assert_reloads
from tests.stories.harness import Story
from tests.stories.unit import Unit

PROFILE = "nvr-label"


def code_of(unit: Unit, product_id: str = "") -> dict[str, str]:
    code = DeviceCode(product_id or unit.identity.product_id, unit.uuid)
    return {"code": encode_device_code(code)}


def waiting(owner: str = "", **firmware: Any) -> tuple[Story, Unit]:
    story = Story(PROFILE, owner=owner, **firmware)
    story.unit.power()
    if owner:
        story.unit.reset()
    assert (story.unit.state, story.unit.session) == ("WAITING", "LISTENING")
    return story, story.unit


@pytest.mark.parametrize("generation", [Generation.ECB, Generation.GCM])
def test_4_3_the_app_reads_the_code_and_the_device_activates(generation: Generation) -> None:
    story, unit = waiting(generation=generation)
    session = story.consumer(1)
    ticket = story.get("POST", "/app/v1/scans", code_of(unit), session)
    story.wait(20_000)
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    result = story.get("GET", f"/app/v1/pair-tokens/{ticket['token']}", None, session)
    assert [one["uuid"] for one in result["success"]] == [unit.uuid]
    assert story.owners() == ["uid1"]
    assert unit.known.generation == generation
    assert_reloads(story)


def test_4_3_a_device_that_is_known_is_told_in_its_own_version_and_so_once() -> None:
    story, unit = waiting(owner="uid0", generation=Generation.GCM)
    sequence = story.cloud._link._words._sequence
    story.get("POST", "/app/v1/scans", code_of(unit), story.consumer(0))
    assert story.cloud._link._words._sequence == sequence + 1
    story.wait(20_000)
    assert unit.session == "UP"


def test_4_3_nobody_is_told_who_is_not_there() -> None:
    story, unit = waiting()
    session = story.consumer(1)
    unit.pull_the_plug()
    assert story.refusal("POST", "/app/v1/scans", code_of(unit), session) == "not_waiting"
    unit.power()
    wrong = code_of(unit, "camera0000000001")
    assert story.refusal("POST", "/app/v1/scans", wrong, session) == "product_mismatch"
    unknown = {"code": encode_device_code(DeviceCode("product000000001", "nosuch"))}
    assert story.refusal("POST", "/app/v1/scans", unknown, session) == "device_unknown"
    assert story.refusal("POST", "/app/v1/scans", {"code": "hello"}, session) == "bad_request"
    story.get("POST", "/app/v1/scans", code_of(unit), session)
    story.wait(20_000)
    assert story.refusal("POST", "/app/v1/scans", code_of(unit), session) == "not_waiting"


def test_4_3_a_strong_binding_is_seen_before_the_device_is_bothered() -> None:
    story, unit = waiting(owner="uid0")
    session = story.consumer(1)
    assert story.refusal("POST", "/app/v1/scans", code_of(unit), session) == "already_bound"
    story.wait(20_000)
    assert (unit.state, unit.session) == ("WAITING", "LISTENING")


def test_an_operator_may_release_a_device_that_way() -> None:
    story, unit = waiting(owner="uid0")
    session = story.account(REPAIR)
    batch = story.unbind_token(session, method="wired")["batch"]
    scans = f"/console/v1/unbind-tokens/{batch}/scans"
    told = story.get("POST", scans, code_of(unit), session)
    assert told == {"uuid": unit.uuid, "product_id": unit.identity.product_id}
    story.wait(30_000)
    assert (unit.state, unit.device.operator) == ("WAITING", "unbound")
    assert story.owners() == [""]
    assert story.get("GET", f"/console/v1/unbind-tokens/{batch}", None, session)["used"] == 1
    assert story.refusal("POST", scans, code_of(unit), session) == "not_bound"


def test_a_batch_that_is_over_bothers_no_device() -> None:
    story, unit = waiting(owner="uid0")
    session = story.account(REPAIR)
    batch = story.unbind_token(session, method="wired")["batch"]
    story.get("DELETE", f"/console/v1/unbind-tokens/{batch}", None, session)
    scans = f"/console/v1/unbind-tokens/{batch}/scans"
    assert story.refusal("POST", scans, code_of(unit), session) == "token_dead"
    story.wait(20_000)
    assert (unit.state, unit.session) == ("WAITING", "LISTENING")


def test_not_everybody_may() -> None:
    story, unit = waiting(owner="uid0")
    session = story.account(BUYER)
    batch = story.unbind_token(session)["batch"]
    scans = f"/console/v1/unbind-tokens/{batch}/scans"
    assert story.refusal("POST", scans, code_of(unit), session) == "no_permission"
    assert story.refusal("POST", scans, code_of(unit), story.account(OWNER)) == "not_found"
    story.wait(20_000)
    assert unit.session == "LISTENING"
