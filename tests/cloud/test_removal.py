"""Removing a device outside a batch: online, offline, and by its own button."""

import json

import pytest

from fleet.cloud.desired import Desired
from fleet.cloud.devices import ResetKind
from fleet.cloud.removal import delete

from .support import (
    CAMERA,
    OWNER,
    PLUG,
    RECORDER,
    STRANGER,
    FakeDevice,
    World,
    assert_reloads,
    seed,
)


@pytest.mark.parametrize(("query", "kind"), [("", "reset"), ("?wipe=1", "reset_factory")])
def test_an_online_device_is_told_and_then_refused(query: str, kind: str) -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.go_online()
    device.report(b'{"1":true}')
    target = f"/app/v1/devices/{device.dev_id}{query}"
    assert world.get("DELETE", target, None, world.consumer(0)) is True
    packets = device.heard()
    (message,) = device.told(packets)
    assert (message.protocol, message.type) == (11, kind)
    assert world.pushes[-1].biz_code == "delete"
    assert json.loads(world.pushes[-1].data)["uid"] == "uid0"
    device.acknowledge(packets)
    device.drop()
    assert device.connect() == 5
    assert device.sync() == kind
    assert bool(world.state.data_points.get(device.dev_id)) is (kind == "reset")
    row = world.state.history.page(OWNER).rows[-1]
    assert (row.operation, row.status, row.account) == ("remove", "ok", "uid0")
    assert row.method == "app"
    assert world.log(device.uuid)[1:4] == ["removed", "reset_sent", "reset_confirmed"]
    assert_reloads(world)


def test_an_offline_device_is_refused_and_asks() -> None:
    world = World()
    device = FakeDevice(world, 0)
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    assert device.connect() == 5
    assert device.sync() == "reset"
    assert device.sync() == "reset", "it may ask again: the reply may have been lost"
    assert world.log(device.uuid) == ["removed", "reset_fetched"]
    assert_reloads(world)


def test_a_device_that_was_cut_off_before_it_confirmed_is_told_again() -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.go_online()
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    device.drop()
    packets = device.go_online()
    assert len(device.told(packets)) == 1
    device.acknowledge(packets)
    assert device.connect() == 5


def test_a_device_that_is_connected_but_not_listening_is_told_when_it_listens() -> None:
    world = World()
    device = FakeDevice(world, 0)
    assert device.connect() == 0
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    assert device.heard() == []
    assert "reset_sent" not in world.log(device.uuid)
    assert len(device.told(device.subscribe())) == 1


def test_only_the_owner_removes() -> None:
    world = World()
    device = FakeDevice(world, 0)
    for dev_id in (device.dev_id, "bfnosuch"):
        target = f"/app/v1/devices/{dev_id}"
        assert world.refusal("DELETE", target, None, world.consumer(1)) == "device_unknown"
    assert [d.uuid for d in world.state.devices.owned_by("uid0")] == [device.uuid]


@pytest.mark.parametrize(
    ("product_id", "stays"), [(CAMERA, True), (RECORDER, False), (PLUG, False)]
)
def test_the_button_ends_no_strong_binding(product_id: str, *, stays: bool) -> None:
    world = World(start=seed(1, product_id))
    device = FakeDevice(world, 0, product_id)
    device.go_online()
    assert device.rpc("tuya.device.reset").inner.success
    assert bool(world.state.devices.owned_by("uid0")) is stays
    assert "local_reset" in world.log(device.uuid)
    ways = [row.method for row in world.state.history.page(OWNER).rows]
    assert ways == ([] if stays else ["button"])
    device.drop()
    assert (device.connect() == 0) is stays
    assert_reloads(world)


def test_the_button_of_a_device_that_is_nobodys() -> None:
    world = World(start=seed(1, PLUG))
    device = FakeDevice(world, 0, PLUG)
    device.go_online()
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    device.heard()
    rows = len(world.state.history.page(OWNER).rows)
    assert device.rpc("tuya.device.reset").inner.success
    assert len(world.state.history.page(OWNER).rows) == rows


@pytest.mark.parametrize("kind", ResetKind)
def test_a_developer_deletes(kind: ResetKind) -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.go_online()
    device.report(b'{"1":true}')
    wish = Desired(device.dev_id, 1, "true", world.now_ms, world.now_ms + 9)
    world.rule(lambda s: s.data_points.desired.put(wish))
    before = world.state.devices.get(device.uuid)
    assert before is not None
    world.rule(delete, STRANGER, before, kind, world.now_ms, reachable=False)
    row = world.state.history.page(STRANGER).rows[-1]
    assert (row.operation, row.status, row.account, row.owner) == ("delete", "ok", STRANGER, OWNER)
    assert world.log(device.uuid) == ["online", "deleted"]
    assert json.loads(world.pushes[-1].data) == {"devId": device.dev_id, "uid": "uid0"}
    assert bool(world.state.data_points.get(device.dev_id)) is (kind is ResetKind.RESET)
    assert world.state.data_points.desired.of(device.dev_id, world.now_ms) == []
    assert device.sync() == kind
    assert_reloads(world)
