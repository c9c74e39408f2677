"""The questions of a broker that asks over HTTP, as EMQX 5 puts them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire.mqtt_payload import mqtt_password
from fleet.cloud.api.broker_auth_api import AUTHENTICATION, AUTHORIZATION, Question
from fleet.cloud.cloud import Cloud
from fleet.cloud.external import parse_address
from fleet.cloud.external.roles import CONTROL_CLIENT, OWN_CLIENT
from fleet.cloud.messages import HttpRequested
from tests.cloud.support import ENDPOINTS, SETTINGS, FakeDevice, World

SECRET = "between-broker-and-cloud"
OURS = msgspec.structs.replace(SETTINGS, broker_auth_secret=SECRET)


class Asked(World):
    """A world whose broker asks; the cloud itself connects to it as `cloud`."""

    def load(self) -> Cloud:
        return Cloud(
            self.settings,
            load=self.store.load,
            entropy=self.entropy,
            endpoints=ENDPOINTS,
            broker_address=parse_address("mqtt://cloud:cloud-password@emqx.test?access=http"),
        )

    def question(self, path: str, body: object, secret: str = SECRET, query: str = "") -> Any:
        headers = f"Bearer {secret}" if secret else ""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return json.loads(self.send("POST", path + query, data, headers))

    def connects(self, client_id: str, username: str, password: str) -> str:
        """Ask as by `body { clientid = "${clientid}" ... }`."""
        body = {"clientid": client_id, "username": username, "password": password}
        answer = self.question(AUTHENTICATION, body)
        assert answer["is_superuser"] is False
        return str(answer["result"])

    def may(self, client_id: str, action: str, topic: str, username: str = "") -> str:
        body = {
            "clientid": client_id,
            "username": username or client_id,
            "topic": topic,
            "action": action,
        }
        return str(self.question(AUTHORIZATION, body)["result"])


@pytest.fixture
def world() -> Asked:
    return Asked(OURS)


@pytest.fixture
def device(world: Asked) -> FakeDevice:
    return FakeDevice(world, 0)


def test_a_device_connects_with_its_own_credentials(world: Asked, device: FakeDevice) -> None:
    dev_id, password = device.dev_id, mqtt_password(device.sec_key)
    assert world.connects(dev_id, dev_id, password) == "allow"
    assert world.connects(dev_id, dev_id, "wrong") == "deny"
    assert world.connects(dev_id, "another", password) == "deny"
    waiting = f"acon_{device.uuid}"
    assert world.connects(waiting, waiting, mqtt_password(device.auth_key)) == "allow"
    assert world.connects(waiting, waiting, password) == "deny"


def test_a_device_has_its_own_topics(world: Asked, device: FakeDevice) -> None:
    dev_id = device.dev_id
    for action, topic in (
        ("publish", f"smart/device/out/{dev_id}"),
        ("publish", f"rpc/req/{dev_id}"),
        ("subscribe", f"smart/device/in/{dev_id}"),
        ("subscribe", f"rpc/rsp/{dev_id}"),
        ("subscribe", f"rpc/file/{dev_id}"),
    ):
        assert world.may(dev_id, action, topic) == "allow"
        assert world.may(dev_id, action, topic + "x") == "deny"
    assert world.may(dev_id, "subscribe", "#") == "deny"
    assert world.may(dev_id, "publish", f"smart/device/in/{dev_id}") == "deny"
    assert world.may(dev_id, "dance", f"smart/device/out/{dev_id}") == "deny"
    waiting = f"acon_{device.uuid}"
    assert world.may(waiting, "subscribe", f"d/ai/{device.uuid}") == "allow"
    assert world.may(waiting, "publish", f"d/ai/{device.uuid}") == "deny"


def test_one_that_lost_its_owner_may_neither_connect_nor_talk_on(
    world: Asked, device: FakeDevice
) -> None:
    dev_id = device.dev_id
    world.get("DELETE", f"/app/v1/devices/{dev_id}", None, world.consumer(0))
    assert world.connects(dev_id, dev_id, mqtt_password(device.sec_key)) == "deny"
    assert world.may(dev_id, "publish", f"smart/device/out/{dev_id}") == "deny"


def test_guests_are_let_in_as_by_our_own_broker(world: Asked) -> None:
    form = {"name": "monitor", "password": "p", "read": ["smart/#"], "write": ["test/#"]}
    world.get("POST", "/admin/v1/mqtt-clients", form, "the-admin-secret")
    assert world.connects("any", "monitor", "p") == "allow"
    assert world.connects("any", "monitor", "q") == "deny"
    assert world.may("any", "subscribe", "smart/device/#", "monitor") == "allow"
    assert world.may("any", "subscribe", "#", "monitor") == "deny"
    assert world.may("any", "publish", "test/1", "monitor") == "allow"


def test_nobody_else_takes_over_the_lines_of_the_cloud() -> None:
    world = Asked(msgspec.structs.replace(OURS, broker_auth_unknown="ignore"))
    form = {"name": "monitor", "password": "p", "read": ["smart/#"], "write": []}
    world.get("POST", "/admin/v1/mqtt-clients", form, "the-admin-secret")
    for client_id in (OWN_CLIENT, f"{CONTROL_CLIENT}abcdefgh"):
        assert world.connects(client_id, "monitor", "p") == "deny"
        assert world.connects(client_id, "stranger", "p") == "deny"
        assert world.connects(client_id, "cloud", "cloud-password") == "allow"


def test_the_cloud_itself_is_a_client(world: Asked) -> None:
    assert world.connects("fleet-cloud", "cloud", "cloud-password") == "allow"
    assert world.connects("fleet-cloud", "cloud", "wrong") == "deny"
    for action, topic, result in (
        ("subscribe", "smart/device/out/+", "allow"),
        ("subscribe", "rpc/req/+", "allow"),
        ("subscribe", "$SYS/brokers/+/clients/+/connected", "allow"),
        ("subscribe", "#", "deny"),
        ("publish", "smart/device/in/bf1", "allow"),
        ("publish", "rpc/rsp/bf1", "allow"),
        ("publish", "smart/device/out/bf1", "deny"),
        ("dance", "smart/device/in/bf1", "deny"),
    ):
        assert world.may("fleet-cloud", action, topic, "cloud") == result


@pytest.mark.parametrize("unknown", ["deny", "ignore"])
def test_whom_we_do_not_know(unknown: str) -> None:
    world = Asked(msgspec.structs.replace(OURS, broker_auth_unknown=unknown))
    assert world.connects("stranger", "stranger", "p") == unknown
    assert world.may("stranger", "subscribe", "a") == unknown
    assert world.connects("bfdevice00000000000000", "stranger", "p") == "deny", "a device's id"


# --- how the question is put --------------------------------------------------------------------


def test_fields_may_come_in_the_query_and_others_are_passed_over(
    world: Asked, device: FakeDevice
) -> None:
    # As in the example of the page: url = "http://127.0.0.1:8080/auth?clientid=${clientid}".
    body = {
        "username": device.dev_id,
        "password": mqtt_password(device.sec_key),
        "peerhost": "127.0.0.1",
    }
    query = f"?clientid={device.dev_id}"
    assert world.question(AUTHENTICATION, body, query=query)["result"] == "allow"
    full = {
        "clientid": device.dev_id,
        "username": device.dev_id,
        "topic": f"smart/device/out/{device.dev_id}",
        "action": "publish",
        "qos": 0,
        "retain": "false",
        "mountpoint": "undefined",
    }
    assert world.question(AUTHORIZATION, full) == {"result": "allow", "is_superuser": False}


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x"])
def test_nobody_without_the_secret_learns_anything(
    world: Asked, device: FakeDevice, secret: str
) -> None:
    body = {
        "clientid": device.dev_id,
        "username": device.dev_id,
        "password": mqtt_password(device.sec_key),
    }
    for _ in range(2):
        assert world.question(AUTHENTICATION, body, secret)["result"] == "deny"
    assert len(world.lines) == 1
    assert "broker_auth_secret" in world.lines[0]


def test_without_a_secret_the_calls_are_closed(device: FakeDevice) -> None:
    world = Asked(SETTINGS)
    body = {"clientid": device.dev_id, "username": device.dev_id}
    assert world.question(AUTHENTICATION, body, "")["result"] == "deny"


def test_only_a_post_is_answered(world: Asked) -> None:
    answer = world.send("GET", f"{AUTHENTICATION}?username=cloud", b"", f"Bearer {SECRET}")
    assert json.loads(answer)["result"] == "deny"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"username":3}', b'{"clientid":', b"\xff"])
def test_what_is_not_understood_is_denied_and_told_once(world: Asked, body: bytes) -> None:
    for _ in range(2):
        assert world.question(AUTHENTICATION, body)["result"] == "deny"
    assert len(world.lines) == (1 if body else 0)
    assert all("It has to send JSON" in line for line in world.lines)


def test_a_question_that_is_too_large_is_denied(world: Asked) -> None:
    # With its longest topic (65,535 bytes) a client makes one. Any other status would be passed
    # over by the broker, and its next rule decide.
    headers = {"authorization": f"Bearer {SECRET}"}
    world.handle(HttpRequested(7, "POST", AUTHORIZATION, headers, b"", too_large=True))
    assert json.loads(world.replies[7]) == {"result": "deny", "is_superuser": False}


def test_a_query_that_is_not_ascii_gets_a_verdict(world: Asked) -> None:
    assert world.question(AUTHENTICATION, {}, query="?clientid=\xfc")["result"] == "deny"


def test_a_client_without_user_name_is_one_that_we_do_not_know() -> None:
    world = Asked(msgspec.structs.replace(OURS, broker_auth_unknown="ignore"))
    body = {"clientid": "stranger", "username": None, "password": None}
    assert world.question(AUTHENTICATION, body)["result"] == "ignore"


@given(st.binary(max_size=50), st.text(max_size=20))
def test_any_question_is_answered(body: bytes, query: str) -> None:
    world = Asked(OURS)
    for path in (AUTHENTICATION, AUTHORIZATION):
        target = f"?{query}" if query.isascii() else ""
        assert world.question(path, body, query=target)["result"] == "deny"


def test_the_password_is_not_shown() -> None:
    assert "hidden" not in repr(Question("a", "b", "hidden"))
