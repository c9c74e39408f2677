"""The JSON of a push message in its two families."""

import json

import pytest

from fleet.cloud.messages import CoreForm, PushRaised
from fleet.cloud.open.push_forms import BOTH, IOT_CORE, LEGACY, told

CORE = CoreForm(1001, "deviceOnline", b'{"devId":"bf1"}')
EVENT = PushRaised("online", "bf1", "pid", b'{"time":5}', core=CORE)


def tell(raised: PushRaised, families: str) -> list[tuple[int, object]]:
    return [(one.protocol, json.loads(one.text)) for one in told(raised, families, 7)]


def test_an_event_in_both_forms() -> None:
    legacy = {
        "bizCode": "online",
        "bizData": {"time": 5},
        "devId": "bf1",
        "productKey": "pid",
        "ts": 7,
    }
    core = {"bizCode": "deviceOnline", "bizData": {"devId": "bf1"}, "ts": 7}
    assert tell(EVENT, LEGACY) == [(20, legacy)]
    assert tell(EVENT, IOT_CORE) == [(1001, core)]
    assert tell(EVENT, BOTH) == [(20, legacy), (1001, core)]


def test_a_report_has_no_code() -> None:
    assert tell(PushRaised("", "bf1", "pid", b'{"status":[]}', 4), BOTH) == [(4, {"status": []})]


def test_what_is_about_no_device_names_none() -> None:
    raised = PushRaised("userDelete", "", "", b'{"uid":"u"}', 21, uid="u", schema="app")
    assert tell(raised, BOTH) == [(21, {"bizCode": "userDelete", "bizData": {"uid": "u"}, "ts": 7})]


def test_what_a_device_was_commanded_stands_beside_the_code() -> None:
    data = b'{"command":[{"dpId":1,"value":true}]}'
    raised = PushRaised("deviceDpCommand", "bf1", "pid", data)
    command = [{"dpId": 1, "value": True}]
    event = {"bizCode": "deviceDpCommand", "devId": "bf1", "productKey": "pid", "ts": 7}
    assert tell(raised, LEGACY) == [(20, {**event, "command": command})]


@pytest.mark.parametrize("families", [LEGACY, BOTH])
def test_what_has_no_older_form(families: str) -> None:
    raised = PushRaised("", "bf1", "pid", b"", core=CORE)
    assert [protocol for protocol, _ in tell(raised, families)] == [1001] * (families == BOTH)
