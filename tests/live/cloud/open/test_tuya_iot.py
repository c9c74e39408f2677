"""tuya-iot-py-sdk, unmodified, with its endpoint given: people log in, see, command and hear.

Its MQTT connection is made with paho, of a version that no longer takes a client id alone: here
the constructor that it calls is given the old callbacks. Source: tuya/tuya-iot-python-sdk,
`tuya_iot/openapi.py`, `device.py`, `home.py` and `openmq.py`.
"""

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import tuya_iot
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tuya_connector import TuyaOpenAPI as Connector
from tuya_iot import AuthType, TuyaDeviceManager, TuyaHomeManager, TuyaOpenAPI, TuyaOpenMQ

from fleet.cloud.edge.local import LocalCloud
from tests.live.cloud.open.stand import ANNA, DENIED, FLIP, FOREIGN, Camera, eventually

NAME, PASSWORD, COUNTRY = "anna@example.com", "demo-password", "49"
WORKER = "worker@example.com"

pytestmark = pytest.mark.filterwarnings("ignore:Callback API version 1:DeprecationWarning")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep it from writing to the standard error, and let it make clients of today's paho."""
    monkeypatch.setattr(tuya_iot.TUYA_LOGGER, "level", logging.CRITICAL)
    made = functools.partial(Client, CallbackAPIVersion.VERSION1)
    monkeypatch.setattr("tuya_iot.openmq.mqtt.Client", made)


def api_of(
    cloud: LocalCloud, auth_type: AuthType = AuthType.SMART_HOME, prefix: str = ""
) -> TuyaOpenAPI:
    return TuyaOpenAPI(cloud.url + prefix, cloud.access_id, cloud.secret, auth_type)


def anna(cloud: LocalCloud) -> TuyaOpenAPI:
    """Return the program after Anna has logged in."""
    api = api_of(cloud)
    assert api.connect(NAME, PASSWORD, COUNTRY, cloud.schema)["success"]
    assert api.is_connect()
    assert api.token_info.uid == ANNA
    return api


def worker(cloud: LocalCloud, dev_id: str) -> TuyaOpenAPI:
    """Put a device into an asset, and return the program of an asset user who may work there."""
    maker = Connector(cloud.url, cloud.access_id, cloud.secret)
    maker.connect()
    space = maker.post("/v2.0/cloud/space/creation", {"name": "Hall"})["result"]
    assert maker.post(f"/v2.0/cloud/thing/{dev_id}/transfer", {"space_id": space})["success"]
    password = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"  # of "secret"
    form = {"username": WORKER, "password": password, "country_code": COUNTRY}
    uid = maker.post("/v1.0/iot-02/users", form)["result"]["user_id"]
    path = f"/v1.0/iot-03/users/{uid}/actions/batch-assets-authorized"
    assert maker.post(path, {"asset_ids": str(space)})["result"] is True
    api = api_of(cloud, AuthType.CUSTOM)
    assert api.connect(WORKER, "secret")["success"]
    return api


@contextmanager
def listening(api: TuyaOpenAPI) -> Iterator[TuyaOpenMQ]:
    """Run its MQTT thread, which would sleep for hours at its end."""
    mq = TuyaOpenMQ(api)
    mq.daemon = True
    mq.start()
    eventually(lambda: mq.client is not None and mq.client.is_connected())
    try:
        yield mq
    finally:
        mq.client.loop_stop()
        mq.stop()


def test_a_device_from_the_list_to_its_end(tuya_cloud: LocalCloud, camera: Camera) -> None:
    api = anna(tuya_cloud)
    manager = TuyaDeviceManager(api, TuyaOpenMQ(api))
    manager.update_device_list_in_smart_home()
    owned = {one.dev_id for one in tuya_cloud.seed.devices if one.owner == ANNA}
    assert set(manager.device_map) == owned
    device = manager.device_map[camera.dev_id]
    assert device.online is True
    assert device.status[FLIP] is False
    assert device.function[FLIP].type == "Boolean"
    assert FLIP in device.status_range

    command = [{"code": FLIP, "value": True}]
    assert manager.send_commands(camera.dev_id, command)["result"] is True
    camera.until_flipped()

    def flipped() -> Any:
        rows = manager.get_device_status(camera.dev_id)["result"]
        return {row["code"]: row["value"] for row in rows}[FLIP]

    eventually(flipped)
    manager.update_device_caches([camera.dev_id])
    assert manager.device_map[camera.dev_id].status[FLIP] is True
    assert manager.get_factory_info([camera.dev_id])["result"][0]["uuid"] == camera.seed.uuid
    assert manager.factory_reset(camera.dev_id)["result"] is True
    camera.until_waiting()
    assert manager.remove_device(camera.dev_id)["code"] == DENIED


def test_it_hears_what_happens_to_a_device(tuya_cloud: LocalCloud, camera: Camera) -> None:
    api = anna(tuya_cloud)
    with listening(api) as mq:
        manager = TuyaDeviceManager(api, mq)
        manager.update_device_list_in_smart_home()
        device = manager.device_map[camera.dev_id]
        eventually(lambda: mq.client.is_connected())
        # A program may be told before its subscription is: wait for a message that comes for sure.
        names = (f"Porch {number}" for number in range(1_000))
        path = f"/v1.0/devices/{camera.dev_id}"
        eventually(lambda: api.put(path, {"name": next(names)}) and device.name.startswith("Porch"))
        manager.send_commands(camera.dev_id, [{"code": FLIP, "value": True}])
        eventually(lambda: device.status[FLIP] is True)
        manager.remove_device(camera.dev_id)
        eventually(lambda: camera.dev_id not in manager.device_map)


def test_an_asset_user_works_with_the_devices_in_assets(
    tuya_cloud: LocalCloud, camera: Camera
) -> None:
    api = worker(tuya_cloud, camera.dev_id)
    with listening(api) as mq:
        manager = TuyaDeviceManager(api, mq)
        TuyaHomeManager(api, mq, manager).update_device_cache()
        assert set(manager.device_map) == {camera.dev_id}
        device = manager.device_map[camera.dev_id]
        assert manager.send_commands(camera.dev_id, [{"code": FLIP, "value": True}])["result"]
        camera.until_flipped()
        eventually(lambda: device.status[FLIP] is True)  # heard, or read just now
        assert manager.remove_device_list([camera.dev_id])["result"] is True
        camera.until_waiting()


@pytest.mark.parametrize("auth_type", [AuthType.SMART_HOME, AuthType.CUSTOM])
def test_it_renews_its_token_itself(
    tuya_cloud: LocalCloud, camera: Camera, auth_type: AuthType
) -> None:
    smart_home = auth_type is AuthType.SMART_HOME
    api = anna(tuya_cloud) if smart_home else worker(tuya_cloud, camera.dev_id)
    first = api.token_info.access_token
    path = f"/v1.0/{'' if smart_home else 'iot-03/'}devices/{camera.dev_id}"
    tuya_cloud.advance(7_199 - 30)  # in its last minute a token is refreshed
    assert api.get(path)["success"]
    second = api.token_info.access_token
    assert second != first
    api.token_info.expire_time += 10_000_000  # it takes the token for younger than it is
    tuya_cloud.advance(7_201)
    assert api.get(path)["code"] == 1010
    assert api.token_info.access_token not in {first, second}
    assert api.get(path)["success"]


def test_what_is_not_right_is_refused(tuya_cloud: LocalCloud) -> None:
    schema = tuya_cloud.schema
    for code, login, prefix in (
        (2401, (NAME, "wrong", COUNTRY, schema), ""),
        (2406, (NAME, PASSWORD, COUNTRY, "unheard"), ""),
        (2406, (NAME, PASSWORD, COUNTRY, schema), "/us"),
        (1106, (NAME, PASSWORD, "86", schema), ""),
        (1100, (NAME, PASSWORD), ""),
    ):
        api = api_of(tuya_cloud, prefix=prefix)
        assert api.connect(*login)["code"] == code
        assert not api.is_connect()
    custom = api_of(tuya_cloud, AuthType.CUSTOM)
    assert custom.connect(NAME, PASSWORD)["code"] == 2401
    api = anna(tuya_cloud)
    assert api.get(f"/v1.0/devices/{FOREIGN}")["code"] == DENIED
    command = [{"code": "switch_1", "value": True}]
    manager = TuyaDeviceManager(api, TuyaOpenMQ(api))
    assert manager.send_commands(FOREIGN, command)["code"] == DENIED
