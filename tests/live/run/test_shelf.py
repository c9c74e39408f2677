"""Devices beside a cloud in this process: on and off, reset, paired, unbound, and moved in time."""

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.seed import DeviceSeed
from fleet.cloud.settings import Settings
from fleet.lan import addresses
from fleet.run import shelf as module
from fleet.run.shelf import Shelf

PASSWORD = "demo-password"
ANNA, MAKER = "anna@example.com", "maker@example.com"
CAMERA, RECORDER = "ipc-blue-red", "nvr"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    settings = Settings(password_iterations=1, account_quota_per_day=1)
    with LocalCloud(settings=settings) as cloud:
        yield cloud


@pytest.fixture
def shelf(cloud: LocalCloud) -> Iterator[Shelf]:
    with Shelf(cloud) as shelf:
        yield shelf


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.5)


def session_of(cloud: LocalCloud, page: str, name: str) -> Callable[..., Any]:
    """Log somebody in to the console or the app; return how that person calls."""
    form = {"name": name, "password": PASSWORD}
    session = httpx.post(f"{cloud.url}/{page}/v1/login", json=form).json()["result"]["session"]
    headers = {"authorization": f"Bearer {session}"}

    def call(method: str, path: str, form: object = None) -> Any:
        url = f"{cloud.url}/{page}/v1/{path}"
        answer = httpx.request(method, url, json=form, headers=headers).json()
        assert answer["success"], answer
        return answer["result"]

    return call


def online(cloud: LocalCloud) -> list[str]:
    """Return which of Anna's devices the cloud has a connection to."""
    devices = session_of(cloud, "app", ANNA)("GET", "devices")
    return [device["uuid"] for device in devices if device["online"]]


def unbind_token(cloud: LocalCloud, method: str = "qr") -> str:
    made = session_of(cloud, "console", MAKER)("POST", "unbind-tokens", {"method": method})
    return str(made["token"])


def test_they_are_online_when_that_is_said(cloud: LocalCloud, shelf: Shelf) -> None:
    camera, gateway = cloud.seed.devices[0], cloud.seed.devices[4]
    assert online(cloud) == []
    assert shelf.switch_on(camera, CAMERA) == "online"
    assert online(cloud) == [camera.uuid]
    assert shelf.switch_on(gateway, "gateway") == "online"
    assert online(cloud) == [camera.uuid, gateway.uuid]
    assert shelf.values(camera)[103] is False


def test_power_comes_and_goes(cloud: LocalCloud, shelf: Shelf) -> None:
    camera = cloud.seed.devices[0]
    for _ in range(2):
        assert shelf.switch_on(camera, CAMERA) == shelf.switch_on(camera, CAMERA) == "online"
        assert online(cloud) == [camera.uuid]
        shelf.switch_off(camera)
        assert shelf.light(camera) == "off"
        assert online(cloud) == []


def test_one_of_nobodys_waits_and_can_be_paired(cloud: LocalCloud, shelf: Shelf) -> None:
    camera = cloud.seed.devices[-1]
    assert shelf.switch_on(camera, CAMERA) == "waiting"
    assert shelf.pair(camera, "EU00000000pr_0") == "activation_failed"
    assert shelf.light(camera) == "waiting"
    token = session_of(cloud, "app", ANNA)("POST", "pair-tokens")["token"]
    assert shelf.pair(camera, token) == "online"
    assert online(cloud) == [camera.uuid]


def test_one_that_is_not_there_or_does_not_wait_takes_no_token(
    cloud: LocalCloud, shelf: Shelf
) -> None:
    camera = cloud.seed.devices[0]
    with pytest.raises(UsageError, match="demo-camera-1 is not on the shelf"):
        shelf.reset(camera)
    shelf.switch_on(camera, CAMERA)
    with pytest.raises(UsageError, match="light shows 'online': reset it first"):
        shelf.unbind(camera, unbind_token(cloud))


def test_what_is_behind_a_gateway_has_no_switch(cloud: LocalCloud, shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="behind a gateway: switch that on"):
        shelf.switch_on(cloud.seed.devices[5], "gateway")


def released(cloud: LocalCloud, device: DeviceSeed) -> bool:
    rows = session_of(cloud, "console", MAKER)("GET", "history")["rows"]
    return (device.uuid, "ok") in [(row["uuid"], row["status"]) for row in rows]


def test_a_camera_is_reset_and_unbound_by_its_lens(cloud: LocalCloud, shelf: Shelf) -> None:
    camera = cloud.seed.devices[0]
    shelf.switch_on(camera, CAMERA)
    assert shelf.reset(camera) == "waiting"
    assert not released(cloud, camera)
    assert shelf.unbind(camera, unbind_token(cloud)) == "unbound"
    assert released(cloud, camera)
    shelf.switch_off(camera)
    assert shelf.switch_on(camera, CAMERA) in ("waiting", "unbound")


def test_a_gateway_is_reset_and_unbound_by_wire_over_midnight(
    cloud: LocalCloud, shelf: Shelf
) -> None:
    """The clock moves the firmware along: otherwise what it signs would be refused as stale."""
    camera, gateway = cloud.seed.devices[0], cloud.seed.devices[4]
    shelf.switch_on(camera, CAMERA)
    shelf.switch_on(gateway, "gateway")
    for device in (camera, gateway):
        shelf.reset(device)
    assert shelf.unbind(camera, unbind_token(cloud)) == "unbound"
    assert shelf.unbind(gateway, unbind_token(cloud, "wired")) == "activation_failed"
    assert any("demo-gateway-1 refused: account_quota" in line for line in cloud.diary)
    cloud.advance(86_400)
    assert shelf.unbind(gateway, unbind_token(cloud, "wired")) == "unbound"
    assert released(cloud, gateway)


def test_they_stay_online_when_the_clock_is_moved(cloud: LocalCloud, shelf: Shelf) -> None:
    cloud.advance(7_200)
    camera = cloud.seed.devices[0]
    shelf.switch_on(camera, CAMERA)
    for _ in range(3):
        cloud.advance(86_400)
        assert shelf.light(camera) == "online"
    assert online(cloud) == [camera.uuid]
    assert not any("offline" in line for line in cloud.diary)


@pytest.mark.usefixtures("impatient")
def test_one_with_wrong_keys_is_told_of(cloud: LocalCloud, shelf: Shelf) -> None:
    wrong = msgspec.structs.replace(cloud.seed.devices[0], sec_key="0123456789abcdef")
    with pytest.raises(UsageError, match=r"did not show online or .* within 0\.5 s"):
        shelf.switch_on(wrong, CAMERA)


@pytest.mark.usefixtures("impatient")
def test_a_recorder_without_its_cable_takes_no_token(cloud: LocalCloud, shelf: Shelf) -> None:
    recorder = cloud.seed.devices[3]
    shelf.switch_on(recorder, RECORDER)
    shelf.reset(recorder)

    async def pull() -> None:
        shelf._world.plug(0, connected=False)

    cloud.run(pull())
    with pytest.raises(UsageError, match="took no token: unreachable"):
        shelf.unbind(recorder, unbind_token(cloud, "wired"))


@pytest.mark.usefixtures("impatient")
def test_a_world_that_cannot_go_on_says_why(cloud: LocalCloud, shelf: Shelf) -> None:
    shelf._world._fail(UsageError("this host is short of something"))
    with pytest.raises(UsageError, match="short of something"):
        shelf.switch_on(cloud.seed.devices[0], CAMERA)


def test_one_that_cannot_begin_gives_its_addresses_back(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks: list[addresses.AddressBlock] = []

    def taken() -> addresses.AddressBlock:
        blocks.append(addresses.AddressBlock())
        return blocks[0]

    async def refused(_: Shelf) -> None:
        raise UsageError("no LAN")

    monkeypatch.setattr(module, "AddressBlock", taken)
    monkeypatch.setattr(Shelf, "_make_world", refused)
    with pytest.raises(UsageError, match="no LAN"):
        Shelf(cloud)
    assert blocks[0]._lock.fileno() == -1


def test_a_cloud_that_breaks_leaves_no_socket_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        cloud = LocalCloud()
        shelf = Shelf(cloud)
        shelf.switch_on(cloud.seed.devices[0], CAMERA)
        monkeypatch.setattr("fleet.cloud.cloud.Cloud.handle", lambda *_: 1 / 0)
        assert httpx.get(cloud.url).status_code == 503
        cloud._thread.join()
        shelf.close()
        with pytest.raises(ZeroDivisionError):
            cloud.stop()
        gc.collect()
    assert asyncio.all_tasks(cloud._loop) == set()
