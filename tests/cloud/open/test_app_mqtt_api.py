"""The call for an MQTT connection of a user's program: fields, objections, whose it can be."""

import re
from typing import Any

import pytest

from fleet.cloud.open.app_mqtt_api import LinkView
from tests.cloud.app_world import INDUSTRY, SMART_HOME, Listener
from tests.cloud.open.people_world import PeopleWorld
from tests.cloud.open.program import Program


def listener(people: PeopleWorld, by: Program | None = None, **choices: str) -> Listener:
    return Listener(by or people.maker, "uid0", **choices)


@pytest.mark.parametrize("path", [SMART_HOME, INDUSTRY])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_is_answered(path: str, version: str) -> None:
    found = listener(PeopleWorld(), version=version).ask(path)
    assert list(found) == [
        *("url", "client_id", "username", "password"),
        *("source_topic", "sink_topic", "expire_time"),
    ]
    assert found["url"] == "ssl://127.0.0.1:8883"
    assert re.fullmatch("cloud/token/in/[0-9a-f]{32}", found["source_topic"]["device"])
    assert found["sink_topic"] == {"device": "cloud/token/out/{device_id}"}
    assert found["expire_time"] == 7_200


def test_it_may_be_asked_again() -> None:
    people = PeopleWorld()
    one = listener(people)
    first = one.ask()
    people.world.now_ms += 1_000
    assert one.ask() == {**first, "expire_time": 7_199}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"uid": ""}, 1100),
        ({"link_id": ""}, 1100),
        ({"link_id": "x" * 129}, 1101),
        ({"link_id": None}, 1109),
        ({"link_type": "websocket"}, 1109),
        ({"topics": "ipc"}, 1109),
        ({"msg_encrypted_version": "3.0"}, 1109),
        ({"uid": "nobody"}, 1106),
    ],
)
def test_objections(change: dict[str, Any], code: int) -> None:
    people = PeopleWorld()
    form = {**listener(people).form(), **change}
    assert people.refused("POST", SMART_HOME, form) == code


def test_two_fields_are_enough() -> None:
    people = PeopleWorld()
    assert people.ask("POST", SMART_HOME, {"uid": "uid0", "link_id": 7})["password"]
    for name in ("uid", "link_id"):
        form = {"uid": "uid0", "link_id": "x"}
        del form[name]
        assert people.refused("POST", SMART_HOME, form) == 1100


def test_it_is_for_users_of_the_project_and_for_who_consented() -> None:
    people = PeopleWorld()
    form = listener(people).form()
    assert people.refused("POST", INDUSTRY, form, by=people.other) == 1106
    guest = people.guest(0)
    assert people.ask("POST", INDUSTRY, form, by=guest)
    assert people.refused("POST", INDUSTRY, {**form, "uid": "uid1"}, by=guest) == 1106
    abroad = PeopleWorld(prefix="/us")
    assert abroad.refused("POST", INDUSTRY, form) == 1106


def test_the_oldest_program_of_a_user_ends_for_a_new_one() -> None:
    people = PeopleWorld()
    first = listener(people).listen()
    for number in range(20):
        people.world.now_ms += 1
        assert not first.cut
        listener(people, link_id=f"more {number}").ask()
    assert first.cut
    assert first.connect() == 5
    assert len(people.world.state.app_links) == 20


def test_the_password_is_not_shown() -> None:
    view = LinkView("tcp://h:1", "c", "u", "hush", {}, {}, 1)
    assert "hush" not in repr(view)
