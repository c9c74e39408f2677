"""tuya-connector-python, unmodified, with its endpoint given: all that a program does to a device.

Source: tuya/tuya-connector-python, `tuya_connector/openapi.py`.
"""

from typing import Any

import pytest
from tuya_connector import TuyaOpenAPI

from fleet.cloud.edge.local import LocalCloud
from tests.live.cloud.open.stand import ANNA, DENIED, FLIP, FOREIGN, Camera, eventually

TAKE_AWAY = {
    "unbind": ("post", "/v1.0/cloud/thing/devices/{}/unbind"),
    "delete": ("delete", "/v1.0/devices/{}"),
    "industry": ("delete", "/v1.0/iot-03/devices/{}"),
    "core": ("delete", "/v2.0/cloud/thing/{}"),
}


def connected(cloud: LocalCloud, prefix: str = "") -> TuyaOpenAPI:
    api = TuyaOpenAPI(cloud.url + prefix, cloud.access_id, cloud.secret)
    assert api.connect()["success"]
    assert api.is_connect()
    return api


def result(envelope: dict[str, Any]) -> Any:
    """Return what a call that succeeded brought."""
    assert envelope["success"], envelope
    return envelope["result"]


def status(api: TuyaOpenAPI, dev_id: str) -> dict[str, Any]:
    rows = result(api.get(f"/v1.0/devices/{dev_id}/status"))
    return {row["code"]: row["value"] for row in rows}


def event_ids(api: TuyaOpenAPI, dev_id: str) -> set[int]:
    query = {"type": "1,2,3,4,5,6,7,8,9,10", "start_time": 0, "end_time": 2_000_000_000_000}
    found = result(api.get(f"/v1.0/devices/{dev_id}/logs", {**query, "size": 100}))
    return {line["event_id"] for line in found["logs"]}


@pytest.mark.parametrize("way", TAKE_AWAY)
def test_a_device_from_the_list_to_its_end(
    tuya_cloud: LocalCloud, camera: Camera, way: str
) -> None:
    api = connected(tuya_cloud)
    devices = result(api.get(f"/v1.0/users/{ANNA}/devices"))
    assert {one["id"]: one["online"] for one in devices}[camera.dev_id] is True
    assert status(api, camera.dev_id)[FLIP] is False

    commands = {"commands": [{"code": FLIP, "value": True}]}
    assert result(api.post(f"/v1.0/devices/{camera.dev_id}/commands", commands)) is True
    camera.until_flipped()
    eventually(lambda: status(api, camera.dev_id)[FLIP])
    assert event_ids(api, camera.dev_id) >= {1, 5, 7}  # online, command, report

    method, path = TAKE_AWAY[way]
    assert result(getattr(api, method)(path.format(camera.dev_id))) is True
    camera.until_waiting()
    assert api.get(f"/v1.0/devices/{camera.dev_id}")["code"] == DENIED
    devices = result(api.get(f"/v1.0/users/{ANNA}/devices"))
    assert camera.dev_id not in [one["id"] for one in devices]


@pytest.mark.parametrize("way", TAKE_AWAY)
def test_what_is_somebody_elses_is_denied(tuya_cloud: LocalCloud, way: str) -> None:
    api = connected(tuya_cloud)
    method, path = TAKE_AWAY[way]
    commands = {"commands": [{"code": "switch_1", "value": True}]}
    for foreign in (FOREIGN, "bf0000nobody0000000000", tuya_cloud.seed.devices[0].uuid):
        base = f"/v1.0/devices/{foreign}"
        assert api.get(base)["code"] == DENIED
        assert api.get(f"{base}/status")["code"] == DENIED
        assert api.post(f"{base}/commands", commands)["code"] == DENIED
        assert getattr(api, method)(path.format(foreign))["code"] == DENIED


def test_in_another_data_centre_the_device_does_not_exist(
    tuya_cloud: LocalCloud, camera: Camera
) -> None:
    america, europe = connected(tuya_cloud, "/us"), connected(tuya_cloud, "/eu")
    for method, path in TAKE_AWAY.values():
        assert getattr(america, method)(path.format(camera.dev_id))["code"] == DENIED
    assert america.get(f"/v1.0/devices/{camera.dev_id}/status")["code"] == DENIED
    assert status(europe, camera.dev_id)[FLIP] is False
    # A token is one centre's as well. The client takes this for an old one and gets another.
    america.token_info.access_token = europe.token_info.access_token
    assert america.get(f"/v1.0/devices/{camera.dev_id}")["code"] == 1010
    assert america.get(f"/v1.0/devices/{camera.dev_id}")["code"] == DENIED


def test_it_renews_its_token_itself(tuya_cloud: LocalCloud, camera: Camera) -> None:
    api = connected(tuya_cloud)
    first = api.token_info.access_token
    tuya_cloud.advance(7_199 - 30)  # in its last minute a token is refreshed
    assert status(api, camera.dev_id)[FLIP] is False
    assert api.token_info.access_token != first


def test_a_wrong_secret_is_told_so(tuya_cloud: LocalCloud) -> None:
    api = TuyaOpenAPI(tuya_cloud.url, tuya_cloud.access_id, "x" * 32)
    assert api.connect()["code"] == 1004
    assert not api.is_connect()
