"""The vendor's own push client, unmodified, against a cloud process: only its endpoint is ours.

`TuyaOpenPulsar` of tuya-connector-python runs in a thread of its own and looks every three seconds
whether it is still connected.
"""

import gc
import json
import queue
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tuya_connector import TuyaCloudPulsarTopic, TuyaOpenPulsar
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from firmware_sim.wire import atop
from firmware_sim.wire import atop_messages as messages
from fleet.cloud.edge.process import ServerConfig
from fleet.cloud.edge.server import Ready
from fleet.cloud.seed import ProjectSeed, Seed
from fleet.cloud.settings import Settings
from tests.cloud.support import ADMIN, CAMERA, OWNER, PASSWORD, REPAIR, seed
from tests.live.cloud.edge.test_process import started

ACCESS_ID, SECRET = "tuyasim0client0id000", "0123456789abcdef0123456789abcdef"
PROJECT = ProjectSeed(access_id=ACCESS_ID, secret=SECRET, owner=OWNER, name="app")
SEED: Seed = msgspec.structs.replace(seed(), projects=(PROJECT,))
SETTINGS = Settings(password_iterations=1, admin_secret=ADMIN)
HEARD_S_MAX = 20

Heard = queue.Queue[dict[str, Any]]


@contextmanager
def consumer(ready: Ready) -> Iterator[Heard]:
    """Start the client; yield what its listener is given, as it comes."""
    heard: Heard = queue.Queue()
    client = TuyaOpenPulsar(ACCESS_ID, SECRET, ready.push_url, TuyaCloudPulsarTopic.PROD)
    client.add_message_listener(lambda text: heard.put(json.loads(text)))
    client.start()
    try:
        yield heard
    finally:
        client.stop()
        client.join()
        with warnings.catch_warnings():
            # It leaves the socket of a refused connection to the collector.
            warnings.simplefilter("ignore", ResourceWarning)
            del client
            gc.collect()


def by_hand(ready: Ready, topic: str = "event", pw: str = "3267bec17a642c25") -> ClientConnection:
    """Connect as the client does, for a consumer that never acknowledges."""
    path = f"ws/v2/consumer/persistent/{ACCESS_ID}/out/{topic}/{ACCESS_ID}-sub"
    headers = {"username": ACCESS_ID, "password": pw}
    return connect(ready.push_url + path, additional_headers=headers, proxy=None)


def until_connected(ready: Ready, count: int) -> None:
    """Wait until so many consumers are connected: the server counts them once a second."""
    while call(ready, "GET", "/admin/v1/stats", None, ADMIN)["server"]["push_consumers"] != count:
        time.sleep(0.1)


def call(ready: Ready, method: str, path: str, form: object, session: str = "") -> Any:
    """Make a call of the console or the app; return its result."""
    url = f"http://{ready.host}:{ready.http_port}{path}"
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    answer = httpx.request(method, url, json=form, headers=headers).json()
    assert answer["success"], answer
    return answer["result"]


def unbind(ready: Ready, number: int) -> None:
    """Show an operator's code to a device that was reset: a batch unbinding of one."""
    login = call(ready, "POST", "/console/v1/login", {"name": REPAIR, "password": PASSWORD})
    form = {"method": "qr"}
    token = call(ready, "POST", "/console/v1/unbind-tokens", form, login["session"])["token"]
    auth_key = SEED.devices[number].auth_key
    now_s = int(httpx.get(f"http://{ready.host}:{ready.http_port}/").json()["t"]) // 1000
    request = messages.activation_request(token[2:10], CAMERA, "1.2.3", now_s)
    target, body = atop.encode_request(
        messages.ACTIVE.name,
        messages.ACTIVE.version,
        now_s,
        auth_key,
        msgspec.json.encode(request),
        uuid=SEED.devices[number].uuid,
        dev_id=None,
    )
    reply = httpx.post(f"http://{ready.host}:{ready.http_port}{target}", content=body)
    assert atop.decode_inner(atop.decode_reply(reply.content, auth_key)).success


def test_it_hears_of_unbindings_and_nobody_else_does() -> None:
    with started(ServerConfig(seed=SEED, settings=SETTINGS)) as child:
        ready = child.ready()
        unbind(ready, 0)  # before anybody listens
        with consumer(ready) as heard:
            message = heard.get(timeout=HEARD_S_MAX)
            assert message.pop("ts") > 1_700_000_000_000
            assert message == {
                "bizCode": "delete",
                "bizData": {"devId": SEED.devices[0].dev_id, "uid": "uid0"},
                "devId": SEED.devices[0].dev_id,
                "productKey": CAMERA,
            }
            with pytest.raises(InvalidStatus) as caught, by_hand(ready, pw="3267bec17a642c26"):
                pass
            assert caught.value.response.status_code == 401
            unbind(ready, 1)
            assert heard.get(timeout=HEARD_S_MAX)["devId"] == SEED.devices[1].dev_id
            assert heard.empty()


def test_it_takes_over_from_a_consumer_that_is_gone() -> None:
    with started(ServerConfig(seed=SEED, settings=SETTINGS)) as child:
        ready = child.ready()
        with (
            by_hand(ready) as active,
            by_hand(ready, "event-test") as tester,
            consumer(ready) as heard,
        ):
            until_connected(ready, 3)
            unbind(ready, 0)
            for one in (active, tester):
                assert json.loads(one.recv(timeout=HEARD_S_MAX))["redeliveryCount"] == 0
            assert heard.empty()
            active.close()
            assert heard.get(timeout=HEARD_S_MAX)["devId"] == SEED.devices[0].dev_id


def test_it_comes_back_after_a_kill_and_hears_what_happened_meanwhile(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path / "data"), seed=SEED, settings=SETTINGS)
    with started(config) as child:
        ready = child.ready()
        unbind(ready, 0)
        child.process.kill()
        child.process.join()
    again = msgspec.structs.replace(config, http_port=ready.http_port, mqtt_port=ready.mqtt_port)
    with started(again) as child, consumer(child.ready()) as heard:
        assert heard.get(timeout=HEARD_S_MAX)["devId"] == SEED.devices[0].dev_id
        until_connected(ready, 1)
        child.process.kill()
        child.process.join()
        with started(again) as third:
            unbind(third.ready(), 1)
            assert heard.get(timeout=HEARD_S_MAX)["devId"] == SEED.devices[1].dev_id
