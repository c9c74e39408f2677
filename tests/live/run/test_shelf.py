"""Devices beside a cloud in this process: they come online, go off, and come back."""

import time
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.edge.local import LocalCloud
from fleet.run import shelf as module
from fleet.run.shelf import Shelf

ANNA = {"name": "anna@example.com", "password": "demo-password"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        yield cloud


@pytest.fixture
def shelf(cloud: LocalCloud) -> Iterator[Shelf]:
    with Shelf(cloud) as shelf:
        yield shelf


def online(cloud: LocalCloud) -> list[str]:
    """Return which of Anna's devices the cloud has a connection to."""
    session = httpx.post(f"{cloud.url}/app/v1/login", json=ANNA).json()["result"]["session"]
    headers = {"authorization": f"Bearer {session}"}
    devices = httpx.get(f"{cloud.url}/app/v1/devices", headers=headers).json()["result"]
    return [device["uuid"] for device in devices if device["online"]]


def test_they_are_online_when_that_is_said(cloud: LocalCloud, shelf: Shelf) -> None:
    camera, gateway = cloud.seed.devices[0], cloud.seed.devices[4]
    assert online(cloud) == []
    shelf.switch_on(camera, "ipc-blue-red")
    assert online(cloud) == [camera.uuid]
    shelf.switch_on(gateway, "gateway")
    assert online(cloud) == [camera.uuid, gateway.uuid]


def test_power_comes_and_goes(cloud: LocalCloud, shelf: Shelf) -> None:
    camera = cloud.seed.devices[0]
    for _ in range(2):
        shelf.switch_on(camera, "ipc-blue-red")
        assert online(cloud) == [camera.uuid]
        shelf.switch_off(camera)
        while online(cloud):
            time.sleep(0.01)


def test_a_device_of_nobodys_cannot_come_online(cloud: LocalCloud, shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="demo-camera-new is nobody's"):
        shelf.switch_on(cloud.seed.devices[-1], "ipc-blue-red")


def test_one_with_wrong_keys_is_told_of(
    cloud: LocalCloud, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    wrong = msgspec.structs.replace(cloud.seed.devices[0], sec_key="0123456789abcdef")
    with pytest.raises(UsageError, match=r"did not come online within 0\.3 s"):
        shelf.switch_on(wrong, "ipc-blue-red")
