"""Whom a broker has to let in: devices by their keys, before and after activation, and programs."""

import msgspec
import pytest

from firmware_sim.wire.mqtt_payload import mqtt_password
from fleet.cloud.devices import ResetKind
from fleet.cloud.external.clients import Client, Clients, changed_names
from fleet.cloud.projects import Project
from fleet.cloud.settings import Settings
from fleet.cloud.state import State
from tests.cloud.support import START_MS, FakeDevice, World

PROJECT = Project("key", "s" * 32, "maker", "own")


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice(World(), 0)


def clients_of(state: State, settings: Settings | None = None) -> Clients:
    return Clients(state.devices, state.app_links, settings or state.settings)


def get(device: FakeDevice, client_id: str) -> Client:
    found = clients_of(device.world.state).get(client_id)
    assert found is not None
    return found


def test_an_activated_device_has_its_own_topics_only(device: FakeDevice) -> None:
    dev_id = device.dev_id
    assert get(device, dev_id) == Client(
        client_id=dev_id,
        username=dev_id,
        password=mqtt_password(device.sec_key),
        hears=(f"smart/device/in/{dev_id}", f"rpc/rsp/{dev_id}", f"rpc/file/{dev_id}"),
        sends=(f"smart/device/out/{dev_id}", f"rpc/req/{dev_id}"),
    )


def test_one_that_lost_its_keys_is_refused(device: FakeDevice) -> None:
    state = device.world.state
    known = state.devices.get(device.uuid)
    assert known is not None
    state.devices.remove(known, ResetKind.RESET, reachable=False)
    assert not get(device, device.dev_id).enabled


def test_a_device_that_waits_hears_one_topic(device: FakeDevice) -> None:
    state = device.world.state
    client_id = f"acon_{device.uuid}"
    bound = get(device, client_id)
    assert (bound.hears, bound.sends) == ((f"d/ai/{device.uuid}",), ())
    assert bound.password == mqtt_password(device.auth_key)
    assert bound.optional, "it is activated"
    known = state.devices.get(device.uuid)
    assert known is not None
    state.devices.remove(known, ResetKind.RESET, reachable=False)
    assert not get(device, client_id).optional
    without = msgspec.structs.replace(state.settings, broker_waiting_clients=False)
    unneeded = clients_of(state, without).get(client_id)
    assert unneeded is not None
    assert unneeded.optional


def test_what_is_behind_a_gateway_does_not_connect(device: FakeDevice) -> None:
    state = device.world.state
    known = state.devices.get(device.uuid)
    assert known is not None
    state.devices.add(msgspec.structs.replace(known, gateway="bfgateway"))
    assert get(device, device.dev_id).optional
    assert get(device, f"acon_{device.uuid}").optional


def test_a_program_of_a_user_is_one_client_under_a_name_of_its_own() -> None:
    state = World().state
    state.app_links.own_names = True
    link = state.app_links.open(PROJECT, "EU", "uid0", "phone", "1.0", START_MS)
    assert clients_of(state).get(link.client_id) == Client(
        link.client_id, link.client_id, link.password, hears=(link.topic,)
    )
    state.app_links.forget(link)
    assert clients_of(state).get(link.client_id) is None


@pytest.mark.parametrize(
    "client_id", ["", "bfnobody", "acon_nobody", "cloud_nobody", "a/b", "a+", "#", "a b", "x" * 65]
)
def test_whom_we_do_not_know(device: FakeDevice, client_id: str) -> None:
    assert clients_of(device.world.state).get(client_id) is None


def test_a_name_that_cannot_be_part_of_a_topic_is_nobodys(device: FakeDevice) -> None:
    state = device.world.state
    known = state.devices.get(device.uuid)
    assert known is not None
    state.devices.add(msgspec.structs.replace(known, uuid="a/b", dev_id="bf/#"))
    assert clients_of(state).get("bf/#") is None
    assert clients_of(state).get("acon_a/b") is None


def test_all_names_activated_ones_first(device: FakeDevice) -> None:
    names = list(clients_of(device.world.state).names())
    assert names[:2] == ["bfdevice00000000000000", "bfdevice00000000000001"]
    assert names[-1] == "acon_uuid0003"
    assert len(names) == 8


def test_what_a_step_changed(device: FakeDevice) -> None:
    state = device.world.state
    assert list(changed_names(state.journal.changes)) == []
    known = state.devices.get(device.uuid)
    assert known is not None
    state.devices.rename(known, "Door", 1)
    state.devices.add(msgspec.structs.replace(known, uuid="new", dev_id=""))
    state.counts["x"] += 1
    names = list(changed_names(state.journal.changes))
    assert names == [device.dev_id, f"acon_{device.uuid}", "acon_new"]


def test_the_fingerprint_follows_the_password_and_hides_it(device: FakeDevice) -> None:
    client = get(device, device.dev_id)
    other = msgspec.structs.replace(client, password="another")
    assert client.fingerprint != other.fingerprint
    assert client.password not in client.fingerprint
    assert client.password not in repr(client)
