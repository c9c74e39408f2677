"""A whole life with a Mosquitto in between: real firmware, the cloud, and Debian's broker.

Each story has a broker of its own, set up as the cloud's README says.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tuya_connector import TuyaOpenAPI

from firmware_sim.errors import UsageError
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.external.dynsec import TOPIC_ANSWERS, TOPIC_COMMANDS
from fleet.cloud.seed import DeviceSeed
from fleet.cloud.settings import Settings
from fleet.cloud.toml_file import demo_seed
from fleet.run.shelf import Shelf
from tests.live.cloud.broker.mosquitto import LOOPBACK
from tests.live.cloud.external.dynsec_mosquitto import (
    ADMIN,
    PASSWORD,
    DynsecMosquitto,
    dynsec_mosquitto,
)

CAMERA = "ipc-blue-red"
ANNA, MAKER = "anna@example.com", "maker@example.com"
PATIENCE_S = 20.0
SETTINGS = Settings(password_iterations=1, admin_secret="admin")
DEVICE = demo_seed().devices[0]
PRODUCT = demo_seed().products[0].product_id


@pytest.fixture
def broker() -> Iterator[DynsecMosquitto]:
    with dynsec_mosquitto() as broker:
        yield broker


@pytest.fixture
def cloud(broker: DynsecMosquitto) -> Iterator[LocalCloud]:
    with LocalCloud(settings=SETTINGS, broker=broker.address) as cloud:
        yield cloud


@pytest.fixture
def shelf(cloud: LocalCloud) -> Iterator[Shelf]:
    with Shelf(cloud) as shelf:
        yield shelf


def until(true: Callable[[], object]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def person(cloud: LocalCloud, page: str, name: str) -> Callable[..., Any]:
    form = {"name": name, "password": "demo-password"}
    session = httpx.post(f"{cloud.url}/{page}/v1/login", json=form).json()["result"]["session"]

    def call(method: str, path: str, form: object = None) -> Any:
        url = f"{cloud.url}/{page}/v1/{path}"
        headers = {"authorization": f"Bearer {session}"}
        answer = httpx.request(method, url, json=form, headers=headers).json()
        assert answer["success"], answer
        return answer["result"]

    return call


def online(cloud: LocalCloud) -> list[str]:
    devices = person(cloud, "app", ANNA)("GET", "devices")
    return [device["uuid"] for device in devices if device["online"]]


def log(cloud: LocalCloud) -> list[str]:
    rows = person(cloud, "console", MAKER)("GET", f"devices/{DEVICE.uuid}/log")["rows"]
    return [row["event"] for row in rows]


def open_api(cloud: LocalCloud) -> TuyaOpenAPI:
    api = TuyaOpenAPI(cloud.url, cloud.access_id, cloud.secret)
    api.connect()
    return api


class Wire:
    """An ordinary MQTT client of the broker."""

    def __init__(self, broker: DynsecMosquitto, client_id: str, username: str, password: str):
        self.heard: list[tuple[str, bytes]] = []
        self.granted: list[int] = []
        self.codes: list[int] = []
        self.losses = 0
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id)
        self.paho.username_pw_set(username, password)
        self.paho.on_connect = lambda _c, _d, _f, code, _p: self.codes.append(code.value)
        self.paho.on_disconnect = lambda *_: self._lose()
        self.paho.on_subscribe = lambda _c, _d, _m, codes, _p: self.granted.extend(
            code.value for code in codes
        )
        self.paho.on_message = lambda _c, _d, m: self.heard.append((m.topic, bytes(m.payload)))
        self.paho.connect(LOOPBACK, broker.port)
        self.paho.loop_start()
        until(lambda: self.codes)

    def _lose(self) -> None:
        self.losses += 1

    def subscribe(self, *topics: str) -> list[int]:
        self.granted.clear()
        self.paho.subscribe([(topic, 1) for topic in topics])
        until(lambda: self.granted)
        return self.granted

    def publish(self, topic: str, payload: bytes) -> None:
        self.paho.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)


@contextmanager
def wire(
    broker: DynsecMosquitto, client_id: str, password: str, username: str = ""
) -> Iterator[Wire]:
    client = Wire(broker, client_id, username or client_id, password)
    try:
        yield client
    finally:
        client.paho.disconnect()
        client.paho.loop_stop()


@contextmanager
def device_wire(broker: DynsecMosquitto, device: DeviceSeed = DEVICE) -> Iterator[Wire]:
    password = mqtt_payload.mqtt_password(device.sec_key)
    with wire(broker, device.dev_id, password) as client:
        yield client


def commands(*one_by_one: dict[str, Any]) -> bytes:
    return json.dumps({"commands": one_by_one}).encode()


def allow_by_default(admin: Wire) -> None:
    """Let clients do what no role forbids; mosquitto_ctrl 2.0.11 does not, without a word."""
    acls = [{"acltype": kind, "allow": True} for kind in ("publishClientSend", "subscribe")]
    admin.subscribe(TOPIC_ANSWERS)
    change = {"command": "setDefaultACLAccess", "acls": acls}
    admin.publish(TOPIC_COMMANDS, commands(change, {"command": "getDefaultACLAccess"}))
    until(lambda: admin.heard)
    _, now = json.loads(admin.heard.pop()[1])["responses"]
    assert all(acl["allow"] for acl in now["data"]["acls"])


def report(value: bytes) -> bytes:
    body = mqtt_payload.encode_dp_report(DEVICE.dev_id, int(time.time()), value)
    key = aes_key(DEVICE.local_key)
    return mqtt_payload.encode(key, body, 1, mqtt_payload.SOURCE_DEVICE)


# --- stories ------------------------------------------------------------------------------------


def test_a_device_reports_obeys_is_unbound_and_bound_again(
    cloud: LocalCloud, shelf: Shelf, broker: DynsecMosquitto
) -> None:
    assert cloud.mqtt == f"mqtt://{LOOPBACK}:{broker.port}"
    assert shelf.switch_on(DEVICE, CAMERA) == "online"
    until(lambda: online(cloud) == [DEVICE.uuid])
    api = open_api(cloud)
    path = f"/v1.0/devices/{DEVICE.dev_id}"
    before = shelf.values(DEVICE)[101]
    command = {"commands": [{"code": "basic_indicator", "value": not before}]}
    assert api.post(f"{path}/commands", command)["success"]
    until(lambda: shelf.values(DEVICE)[101] is not before)
    status = {"code": "basic_indicator", "value": not before}
    until(lambda: status in api.get(f"{path}/status")["result"])
    person(cloud, "app", ANNA)("DELETE", f"devices/{DEVICE.dev_id}")
    until(lambda: shelf.light(DEVICE) == "unbound")
    assert log(cloud)[:4] == ["online", "removed", "reset_sent", "reset_confirmed"]
    token = person(cloud, "app", ANNA)("POST", "pair-tokens")["token"]
    assert shelf.pair(DEVICE, token) == "online"
    until(lambda: online(cloud) == [DEVICE.uuid])


def test_batch_unbinding_by_a_code(cloud: LocalCloud, shelf: Shelf) -> None:
    shelf.switch_on(DEVICE, CAMERA)
    assert shelf.reset(DEVICE) == "waiting"
    token = person(cloud, "console", MAKER)("POST", "unbind-tokens", {"method": "qr"})["token"]
    assert shelf.unbind(DEVICE, token) == "unbound"
    until(lambda: "reset_confirmed" in log(cloud))
    rows = person(cloud, "console", MAKER)("GET", "history")["rows"]
    assert [(row["uuid"], row["status"]) for row in rows] == [(DEVICE.uuid, "ok")]


def test_unbound_while_away_6_3_connack_5_then_sync(
    cloud: LocalCloud, shelf: Shelf, broker: DynsecMosquitto
) -> None:
    shelf.switch_on(DEVICE, CAMERA)
    shelf.switch_off(DEVICE)
    until(lambda: online(cloud) == [])
    assert "Disabled" not in broker.control("getClient", DEVICE.dev_id)
    person(cloud, "app", ANNA)("DELETE", f"devices/{DEVICE.dev_id}")
    until(lambda: "Disabled" in broker.control("getClient", DEVICE.dev_id))  # it has heard of it
    with device_wire(broker) as refused:
        assert refused.codes[0] == 135, "Mosquitto says 5, for which paho has its own number"
    assert shelf.switch_on(DEVICE, CAMERA) == "unbound"
    assert log(cloud)[-2:] == ["removed", "reset_fetched"]


def test_topics_of_others_are_refused_by_mosquitto(
    cloud: LocalCloud, broker: DynsecMosquitto
) -> None:
    other = cloud.seed.devices[1]
    mine = [f"{topic}/{DEVICE.dev_id}" for topic in ("smart/device/in", "rpc/rsp", "rpc/file")]
    foreign = ["#", f"smart/device/in/{other.dev_id}", f"d/ai/{other.uuid}", "$SYS/#", "rpc/+/+"]
    with wire(broker, "", PASSWORD, ADMIN) as observer, device_wire(broker) as device:
        allow_by_default(observer)  # what others may does not matter
        assert observer.subscribe("#") == [1]
        assert device.subscribe(*mine) == [1, 1, 1]
        assert device.subscribe(*foreign) == [128] * len(foreign)
        # Version 3.1.1 has no word for a refused message: it is taken, and goes nowhere.
        for topic in (f"smart/device/out/{other.dev_id}", f"smart/device/in/{DEVICE.dev_id}", "x"):
            device.publish(topic, b"no")
        device.publish(TOPIC_COMMANDS, commands({"command": "createClient", "username": "evil"}))
        device.publish(f"smart/device/out/{DEVICE.dev_id}", report(b'{"103":true}'))
        until(lambda: observer.heard)
        assert {topic for topic, _ in observer.heard} == {f"smart/device/out/{DEVICE.dev_id}"}
    assert "evil" not in broker.control("listClients")
    acon, key = f"acon_{DEVICE.uuid}", mqtt_payload.mqtt_password(DEVICE.auth_key)
    with wire(broker, acon, key) as unneeded:
        assert unneeded.codes[0] == 135, "a device that is bound is not waiting"
    with wire(broker, "another-id", mqtt_payload.mqtt_password(DEVICE.sec_key), DEVICE.dev_id) as w:
        assert w.codes[0] == 135


def test_a_broker_that_starts_again_finds_all_in_its_place(
    cloud: LocalCloud, shelf: Shelf, broker: DynsecMosquitto
) -> None:
    shelf.switch_on(DEVICE, CAMERA)
    broker.stop()
    until(lambda: online(cloud) == [])
    known = json.loads(broker.clients_file.read_text())
    for kind, name in (("clients", "username"), ("roles", "rolename")):
        # It was put back to an older state: one device it never heard of.
        known[kind] = [one for one in known[kind] if one[name] != cloud.seed.devices[1].dev_id]
    broker.clients_file.write_text(json.dumps(known))
    broker.start()
    until(lambda: online(cloud) == [DEVICE.uuid])
    with device_wire(broker, cloud.seed.devices[1]) as other:
        until(lambda: other.codes[-1] == 0)


def test_what_a_device_said_while_the_cloud_was_away_comes_when_it_is_back(
    broker: DynsecMosquitto,
) -> None:
    with LocalCloud(settings=SETTINGS, broker=broker.address):
        pass
    with device_wire(broker) as device:
        device.subscribe(f"smart/device/in/{DEVICE.dev_id}")
        device.publish(f"smart/device/out/{DEVICE.dev_id}", report(b'{"103":true}'))
        with LocalCloud(settings=SETTINGS, broker=broker.address) as cloud:
            api = open_api(cloud)
            path = f"/v1.0/devices/{DEVICE.dev_id}/status"
            until(lambda: {"code": "motion_switch", "value": True} in _status(api, path))
            until(lambda: device.losses == 1)  # the roll was called
            until(lambda: online(cloud) == [DEVICE.uuid])
            assert device.losses == 1


def _status(api: TuyaOpenAPI, path: str) -> list[dict[str, Any]]:
    status: list[dict[str, Any]] = api.get(path)["result"]
    return [{"code": one["code"], "value": one["value"]} for one in status]


def test_programs_of_users_hear_of_their_devices(
    cloud: LocalCloud, broker: DynsecMosquitto
) -> None:
    form = {"uid": cloud.seed.users[0].uid, "link_id": "p1", "link_type": "mqtt"}
    form |= {"topics": "device", "msg_encrypted_version": "1.0"}
    told = open_api(cloud).post("/v1.0/open-hub/access/config", form)["result"]
    assert told["url"] == f"tcp://{LOOPBACK}:{broker.port}"
    with wire(broker, told["client_id"], told["password"], told["username"]) as program:
        assert program.subscribe(told["source_topic"]["device"], "cloud/token/in/x") == [1, 128]
        with device_wire(broker) as device:
            device.subscribe(f"smart/device/in/{DEVICE.dev_id}")
            device.publish(f"smart/device/out/{DEVICE.dev_id}", report(b'{"103":true}'))
            until(lambda: program.heard)
    assert {topic for topic, _ in program.heard} == {told["source_topic"]["device"]}


def test_a_cloud_that_is_not_let_in_says_so(broker: DynsecMosquitto) -> None:
    wrong = msgspec.structs.replace(broker.address, password="hidden")
    with pytest.raises(UsageError, match=f"the broker at {LOOPBACK}:{broker.port}: ") as caught:
        LocalCloud(broker=wrong)
    assert "it does not let admin in: Not authorized" in str(caught.value)
    assert "hidden" not in str(caught.value)
    broker.stop()
    with pytest.raises(UsageError, match="refused"):
        LocalCloud(broker=broker.address)
