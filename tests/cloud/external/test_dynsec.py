"""The plugin's JSON, as mosquitto_ctrl and the plugin of Mosquitto 2.0.11 write it."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed
from fleet.cloud.external.dynsec import (
    Acl,
    Answer,
    Command,
    Entry,
    GroupRef,
    Page,
    RoleRef,
    decode_answers,
    encode_commands,
    page_of,
)

# What the real plugin answered to three commands, one of them somebody else's.
ANSWERS = (
    b'{"responses":[{"command":"createClient","correlationData":"x-1"},'
    b'{"command":"createRole","error":"Role already exists","correlationData":"x-2"},'
    b'{"command":"getClient","error":"Client not found"}]}'
)
LIST = (
    b'{"responses":[{"command":"listClients","data":{"totalCount":3,"clients":['
    b'{"username":"admin","roles":[{"rolename":"admin"}],"groups":[]},'
    b'{"username":"bf1","clientid":"bf1","textdescription":"0a","disabled":true,"roles":'
    b'[{"rolename":"bf1"}],"groups":[{"groupname":"fleet-clients"}]}'
    b']},"correlationData":"x-3"}]}'
)


def test_commands_say_what_they_are_given_and_nothing_else() -> None:
    made = Command(
        "createClient",
        username="bf1",
        clientid="bf1",
        password="secret",
        roles=(RoleRef("bf1"),),
        groups=(GroupRef("g"),),
        correlation="x-1",
    )
    role = Command("createRole", rolename="bf1", acls=(Acl("subscribeLiteral", "t"),))
    assert json.loads(encode_commands((made, role))) == {
        "commands": [
            {
                "command": "createClient",
                "username": "bf1",
                "clientid": "bf1",
                "password": "secret",
                "roles": [{"rolename": "bf1"}],
                "groups": [{"groupname": "g"}],
                "correlationData": "x-1",
            },
            {
                "command": "createRole",
                "rolename": "bf1",
                "acls": [{"acltype": "subscribeLiteral", "topic": "t", "allow": True}],
            },
        ]
    }
    assert "secret" not in repr(made)


def test_answers() -> None:
    done, there, missing = decode_answers(ANSWERS)
    assert done == Answer("createClient", correlation="x-1")
    assert not done.error
    assert (there.exists, there.missing, there.correlation) == (True, False, "x-2")
    assert (missing.exists, missing.missing, missing.correlation) == (False, True, "")


def test_a_page_of_the_list() -> None:
    [answer] = decode_answers(LIST)
    groups = (GroupRef("fleet-clients"),)
    assert page_of(answer) == Page(
        (Entry("admin"), Entry("bf1", "0a", disabled=True, groups=groups)), 3
    )
    assert page_of(Answer("listClients", "Internal error")) == Page((), 0)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"responses":3}', b"\xff", LIST[:-1]])
def test_what_is_no_answer(payload: bytes) -> None:
    with pytest.raises(Malformed):
        decode_answers(payload)


def test_a_list_of_another_form() -> None:
    [answer] = decode_answers(b'{"responses":[{"data":{"clients":[{"username":3}]}}]}')
    with pytest.raises(Malformed, match="unknown form"):
        page_of(answer)


@given(st.binary(max_size=60))
def test_anything_at_all_is_an_answer_or_malformed(payload: bytes) -> None:
    for text in (payload, b'{"responses":[' + payload + b"]}"):
        with contextlib.suppress(Malformed):
            decode_answers(text)
