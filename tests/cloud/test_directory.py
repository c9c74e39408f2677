"""Who gets in at the broker, and which topics are whose."""

import pytest

from firmware_sim.wire.mqtt_payload import mqtt_password
from fleet.cloud.devices import ResetKind
from fleet.cloud.directory import DeviceDirectory

from .support import World, seed

DEVICE = seed(1).devices[0]
PASSWORD = mqtt_password(DEVICE.sec_key).encode()
FACTORY_PASSWORD = mqtt_password(DEVICE.auth_key).encode()


@pytest.mark.parametrize(
    ("client_id", "username", "password", "code"),
    [
        (DEVICE.dev_id, DEVICE.dev_id, PASSWORD, 0),
        (DEVICE.dev_id, "somebody", PASSWORD, 4),
        (DEVICE.dev_id, "", PASSWORD, 4),
        (DEVICE.dev_id, DEVICE.dev_id, b"", 4),
        (DEVICE.dev_id, DEVICE.dev_id, FACTORY_PASSWORD, 4),
        (DEVICE.dev_id, DEVICE.dev_id, b"\xff\x00", 4),
        ("bfnosuch", "bfnosuch", PASSWORD, 5),
        (DEVICE.uuid, DEVICE.uuid, PASSWORD, 5),
        ("acon_uuid0000", "acon_uuid0000", FACTORY_PASSWORD, 0),
        ("acon_uuid0000", "uuid0000", FACTORY_PASSWORD, 4),
        ("acon_uuid0000", "acon_uuid0000", PASSWORD, 5),
        ("acon_nosuch", "acon_nosuch", FACTORY_PASSWORD, 5),
        ("", "", b"", 5),
    ],
)
def test_connack(client_id: str, username: str, password: bytes, code: int) -> None:
    directory = DeviceDirectory(World().state.devices)
    assert directory.admit(client_id, username, password, 0) == code


def test_revoked_credentials() -> None:
    world = World()
    directory = DeviceDirectory(world.state.devices)
    device = world.state.devices.get("uuid0000")
    assert device is not None
    world.rule(lambda s: s.devices.remove(device, ResetKind.RESET, reachable=False))
    assert directory.admit(DEVICE.dev_id, DEVICE.dev_id, PASSWORD, 0) == 5


@pytest.mark.parametrize(
    ("client_id", "topic", "hears", "speaks"),
    [
        ("bf1", "smart/device/in/bf1", True, False),
        ("bf1", "rpc/rsp/bf1", True, False),
        ("bf1", "rpc/file/bf1", True, False),
        ("bf1", "smart/device/out/bf1", False, True),
        ("bf1", "rpc/req/bf1", False, True),
        ("bf1", "smart/device/in/bf2", False, False),
        ("bf1", "smart/device/out/bf2", False, False),
        ("bf1", "d/ai/bf1", False, False),
        ("acon_u1", "d/ai/u1", True, False),
        ("acon_u1", "d/ai/u2", False, False),
        ("acon_u1", "smart/device/out/acon_u1", False, False),
    ],
)
def test_topics(client_id: str, topic: str, *, hears: bool, speaks: bool) -> None:
    directory = DeviceDirectory(World().state.devices)
    assert directory.may_subscribe(client_id, topic) is hears
    assert directory.may_publish(client_id, topic) is speaks
