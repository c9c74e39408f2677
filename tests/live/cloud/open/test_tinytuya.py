"""`tinytuya.Cloud`, unmodified: its host names are the vendor's, so its network is ours.

Whatever it sends to `https://openapi...` arrives at the cloud of the test, with the Host header
that it would have had, by which the cloud knows the data centre. Source: jasonacox/tinytuya,
`tinytuya/Cloud.py`.
"""

from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import requests
import tinytuya
from requests.adapters import HTTPAdapter

from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.projects import Signing
from fleet.cloud.seed import Seed
from fleet.cloud.toml_file import demo_seed
from tests.live.cloud.open.stand import ANNA, DENIED, FLIP, FOREIGN, Camera, eventually

Answer = dict[str, Any]
DENIED_TEXT = "permission deny"


@pytest.fixture(autouse=True)
def network(tuya_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the vendor's host names to the cloud of the test; nothing else is reachable."""
    send = HTTPAdapter.send

    def redirected(
        adapter: HTTPAdapter, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        url = urlsplit(str(request.url))
        assert url.scheme == "https"
        assert str(url.hostname).startswith("openapi")
        request.headers["Host"] = url.netloc
        request.url = f"{tuya_cloud.url}{url.path}{'?' if url.query else ''}{url.query}"
        return send(adapter, request, **kwargs)

    monkeypatch.setattr(HTTPAdapter, "send", redirected)


def connected(cloud: LocalCloud, region: str = "eu", dev_id: str | None = None) -> tinytuya.Cloud:
    client = tinytuya.Cloud(region, cloud.access_id, cloud.secret, dev_id)
    assert client.error is None
    return client


def status(client: tinytuya.Cloud, dev_id: str) -> dict[str, Any]:
    return {row["code"]: row["value"] for row in client.getstatus(dev_id)["result"]}


def unbind(client: tinytuya.Cloud, dev_id: str) -> Answer:
    path = f"/v1.0/cloud/thing/devices/{dev_id}/unbind"
    answer: Answer = client.cloudrequest(path, action="POST")
    return answer


def delete(client: tinytuya.Cloud, dev_id: str) -> Answer:
    answer: Answer = client.cloudrequest(f"/v1.0/devices/{dev_id}", action="DELETE")
    return answer


@pytest.mark.parametrize("take_away", [unbind, delete])
def test_a_device_from_the_list_to_its_end(
    tuya_cloud: LocalCloud, camera: Camera, take_away: Any
) -> None:
    client = connected(tuya_cloud)
    listed = {one["id"]: one for one in client.getdevices()}
    assert listed[camera.dev_id]["key"] == camera.seed.local_key
    assert FOREIGN not in listed
    assert client.getconnectstatus(camera.dev_id) is True
    assert status(client, camera.dev_id)[FLIP] is False

    commands = {"commands": [{"code": FLIP, "value": True}]}
    assert client.sendcommand(camera.dev_id, commands)["success"]
    camera.until_flipped()
    eventually(lambda: status(client, camera.dev_id)[FLIP])
    logs = client.getdevicelog(camera.dev_id)["result"]["logs"]
    assert {line["event_id"] for line in logs} >= {1, 5, 7}  # online, command, report

    assert take_away(client, camera.dev_id)["result"] is True
    camera.until_waiting()
    assert DENIED_TEXT in client.getstatus(camera.dev_id)["Payload"]
    assert camera.dev_id not in [one["id"] for one in client.getdevices()]


def test_lists_keys_and_data_points_for_local_control(tuya_cloud: LocalCloud) -> None:
    """Both of its ways to a list, with the mapping that its wizard writes to devices.json."""
    seeds = {one.dev_id: one for one in tuya_cloud.seed.devices}
    anna = {dev_id for dev_id, one in seeds.items() if one.owner == ANNA}
    by_device = connected(tuya_cloud, dev_id=min(anna)).getdevices(include_map=True)
    assert {one["id"] for one in by_device} == anna
    everything = connected(tuya_cloud).getdevices(include_map=True)
    assert {one["id"] for one in everything} > anna
    for one in everything:
        seed = seeds[one["id"]]
        key = seeds[seed.gateway or seed.dev_id].local_key
        assert (one["key"], one["uuid"]) == (key, seed.uuid)
        assert one.get("gateway_id", "") == seed.gateway
    [camera] = [one for one in everything if one["id"] == tuya_cloud.seed.devices[0].dev_id]
    assert camera["mapping"]["103"] == {"code": FLIP, "type": "Boolean", "values": {}}


def test_what_is_somebody_elses_is_denied(tuya_cloud: LocalCloud) -> None:
    client = connected(tuya_cloud)
    for take_away in (unbind, delete):
        assert take_away(client, FOREIGN)["code"] == DENIED
    assert client.cloudrequest(f"/v1.0/devices/{FOREIGN}/status")["code"] == DENIED
    command = {"commands": [{"code": "switch_1", "value": True}]}
    for answer in (
        client.getstatus(FOREIGN),
        client.getproperties(FOREIGN),
        client.getconnectstatus(FOREIGN),
        client.sendcommand(FOREIGN, command),
    ):
        assert DENIED_TEXT in answer["Payload"]
    assert client.getdevicelog(FOREIGN)["code"] == DENIED


@pytest.mark.parametrize("region", ["us", "us-e", "eu-w", "in", "cn"])
def test_in_another_data_centre_the_device_does_not_exist(
    tuya_cloud: LocalCloud, region: str
) -> None:
    client = connected(tuya_cloud, region)
    assert unbind(client, tuya_cloud.seed.devices[0].dev_id)["code"] == DENIED
    assert client.getdevices() == []


def test_it_gets_a_new_token_when_the_old_one_has_ended(tuya_cloud: LocalCloud) -> None:
    client = connected(tuya_cloud)
    first = client.token
    tuya_cloud.advance(7_201)
    assert status(client, tuya_cloud.seed.devices[0].dev_id)[FLIP] is False
    assert client.token != first


def old_client(cloud: LocalCloud) -> tinytuya.Cloud:
    return tinytuya.Cloud("eu", cloud.access_id, cloud.secret, new_sign_algorithm=False)


def test_a_project_of_version_2_refuses_the_old_way_of_signing(tuya_cloud: LocalCloud) -> None:
    assert "sign invalid" in old_client(tuya_cloud).error["Payload"]


class TestOfAnOldProject:
    """A class whose project is older than version 2 of signing."""

    @pytest.fixture
    def tuya_cloud_seed(self) -> Seed:
        start = demo_seed()
        old = msgspec.structs.replace(start.projects[0], signing=Signing.V1)
        return msgspec.structs.replace(start, projects=(old, *start.projects[1:]))

    def test_it_takes_the_old_way_only(self, tuya_cloud: LocalCloud, camera: Camera) -> None:
        client = old_client(tuya_cloud)
        assert client.error is None
        commands = {"commands": [{"code": FLIP, "value": True}]}
        assert client.sendcommand(camera.dev_id, commands)["success"]
        camera.until_flipped()
        assert unbind(client, camera.dev_id)["result"] is True
        camera.until_waiting()
        new = tinytuya.Cloud("eu", tuya_cloud.access_id, tuya_cloud.secret)
        assert "sign invalid" in new.error["Payload"]
