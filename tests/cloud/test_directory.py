"""Who gets in at the broker, and which topics are whose."""

import pytest

from firmware_sim.wire.mqtt_payload import mqtt_password
from fleet.cloud.devices import ResetKind
from fleet.cloud.directory import DeviceDirectory, GuestDirectory
from fleet.cloud.happenings import Directories
from fleet.cloud.keys import password_fits
from fleet.cloud.projects import Project

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
    assert directory.may_subscribe(client_id, client_id, topic) is hears
    assert directory.may_publish(client_id, client_id, topic) is speaks


def test_every_client_is_of_one_kind_and_a_device_is_a_device_first() -> None:
    state = World().state
    state.guests.put("monitor", "secret", read=("#",))
    state.guests.put(DEVICE.dev_id, "secret", read=("#",))
    devices, guests = (
        DeviceDirectory(state.devices),
        GuestDirectory(state.guests, state.brake, state.settings),
    )
    directories = Directories(devices, state.app_links, guests)
    assert directories.of(DEVICE.dev_id, DEVICE.dev_id) is devices
    assert directories.of(DEVICE.dev_id, "monitor") is devices
    assert directories.of("acon_any", "monitor") is devices
    assert directories.of("cloud_any", "monitor") is state.app_links
    assert directories.of("", "monitor") is guests
    assert directories.of("anything", DEVICE.dev_id) is guests
    assert directories.of("anything", "nobody") is None


def test_programs_of_users() -> None:
    links = World().state.app_links
    link = links.open(Project("key", "s" * 32, "maker", "own"), "EU", "uid0", "one", "1.0", 0)
    password = link.password.encode()
    assert links.claims(link.client_id, link.username)
    assert links.admit(link.client_id, link.username, password, 0) == 0
    assert links.admit("cloud_nobody", link.username, password, 0) == 5
    assert links.may_subscribe(link.client_id, link.username, link.topic)
    assert not links.may_publish(link.client_id, link.username, link.topic)


def test_guests() -> None:
    state = World().state
    state.guests.put("monitor", "pässword", read=("smart/#", "$SYS/#"), write=("test/+",))
    directory = GuestDirectory(state.guests, state.brake, state.settings)
    assert directory.admit("any", "monitor", "pässword".encode(), 0) == 0
    assert directory.admit("any", "monitor", b"p\xff", 0) == 4
    assert directory.admit("any", "monitor", b"", 0) == 4
    for topic_filter, granted in (
        ("smart/device/out/+", True),
        ("smart/#", True),
        ("$SYS/broker/uptime", True),
        ("#", False),
        ("+/device/out/bf1", False),
        ("test/1", False),
    ):
        assert directory.may_subscribe("any", "monitor", topic_filter) is granted
    assert directory.may_publish("any", "monitor", "test/1")
    assert not directory.may_publish("any", "monitor", "test/1/2")
    assert not directory.may_publish("any", "monitor", "smart/1")
    state.guests.remove("monitor")
    assert not directory.may_subscribe("any", "monitor", "smart/#")
    assert not directory.may_publish("any", "monitor", "test/1")


def test_who_tries_passwords_of_a_guest_waits_and_the_guest_itself_does_not() -> None:
    world = World()
    world.rule(lambda state: state.guests.put("monitor", "secret"))
    state = world.state
    directory = GuestDirectory(state.guests, state.brake, state.settings)
    assert directory.admit("own", "monitor", b"secret", 0) == 0
    free = state.settings.wrong_passwords_free
    codes = [directory.admit("eve", "monitor", b"guess", 0) for _ in range(free + 1)]
    assert codes == [4] * free + [3]
    assert directory.admit("own", "monitor", b"secret", 0) == 0
    assert directory.admit("eve", "monitor", b"guess", 1_000) == 4


def test_the_slow_hash_of_a_right_password_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world, asked = World(), list[str]()

    def fits(password: str, kept: str) -> bool:
        asked.append(password)
        return password_fits(password, kept)

    monkeypatch.setattr("fleet.cloud.guests.password_fits", fits)
    world.rule(lambda state: state.guests.put("monitor", "secret"))
    directory = GuestDirectory(world.state.guests, world.state.brake, world.state.settings)
    codes = [directory.admit(f"one{n}", "monitor", b"secret", 0) for n in range(5)]
    assert (codes, asked) == ([0] * 5, ["secret"])
    wrong = [directory.admit("one", "monitor", guess, 0) for guess in (b"Secret", b"", b"\xff")]
    assert wrong == [4, 4, 4]
    world.rule(lambda state: state.guests.put("monitor", "new"))
    assert directory.admit("one", "monitor", b"secret", 0) == 4
    assert directory.admit("one", "monitor", b"new", 0) == 0
    world.rule(lambda state: state.guests.remove("monitor"))
    assert directory.admit("one", "monitor", b"new", 0) == 4
    assert asked == ["secret", "Secret", "", "\udcff", "secret", "new"]
