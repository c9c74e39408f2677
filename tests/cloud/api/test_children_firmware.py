"""Firmware of sub-devices: what their gateway is told, asks and says for them."""

import json

import msgspec
import pytest

from firmware_sim.wire import atop_children as wire
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.atop_upgrade import UpgradeGet, UpgradeOffer
from firmware_sim.wire.mqtt_payload import Protocol
from fleet.cloud.upgrades import UpgradeOrder
from tests.cloud.children_world import NODE, OTHER_NODE, Gateway, online
from tests.cloud.support import OWNER, PLUG, assert_reloads


@pytest.fixture
def gateway() -> Gateway:
    return online()


def order(gateway: Gateway) -> UpgradeOrder:
    world = gateway.world
    firmware = {"version": "2.0.0", "size": 9}
    if not world.state.upgrades.versions(PLUG):
        world.get("POST", f"/console/v1/products/{PLUG}/firmware", firmware, world.account(OWNER))
    path = f"/console/v1/devices/{gateway.child().uuid}/upgrades"
    world.get("POST", path, {"version": "2.0.0"}, world.account(OWNER))
    (ordered,) = world.state.upgrades.orders(gateway.child().uuid)
    return ordered


def test_a_childs_firmware_goes_by_its_gateway(gateway: Gateway) -> None:
    gateway.bind()
    order(gateway)
    world = gateway.world
    packets = gateway.heard()
    (notice,) = gateway.told(packets)
    assert notice.protocol == Protocol.UPGRADE_NOTICE
    assert json.loads(bytes(notice.data)) == {
        "gwId": gateway.dev_id,
        "cid": NODE,
        "firmwareType": 0,
    }
    asked = messages.encode(UpgradeGet(type=0, cid=NODE))
    offer = messages.decode(
        gateway.rpc("tuya.device.upgrade.get", asked).inner.result, UpgradeOffer
    )
    assert (offer.version, offer.size) == ("2.0.0", "9")
    status = messages.UpgradeStatusUpdate(type=0, upgrade_status=2, cid=NODE)
    assert gateway.rpc(messages.UPGRADE_STATUS_UPDATE.name, messages.encode(status)).inner.success
    gateway.publish(mqtt_payload.encode_upgrade_progress(40, 1, cid=NODE))
    (ordered,) = world.state.upgrades.orders(gateway.child().uuid)
    assert (ordered.status, ordered.percent) == (2, 40)
    update = wire.SubUpdate(cid=NODE, soft_ver="2.0.0", t=1)
    assert gateway.rpc(wire.SUB_UPDATE.name, messages.encode(update)).inner.success
    assert gateway.child().software == "2.0.0"
    assert world.state.upgrades.orders(gateway.child().uuid) == []
    assert [push.biz_code for push in world.pushes[-2:]] == ["upgradeStatus"] * 2
    assert_reloads(world)


def test_an_order_waits_until_the_child_is_in_reach(gateway: Gateway) -> None:
    gateway.bind(online=False)
    order(gateway)
    assert gateway.told(gateway.heard()) == []
    (notice,) = gateway.told(gateway.lists((NODE,)))
    assert notice.protocol == Protocol.UPGRADE_NOTICE
    gateway.drop()
    assert gateway.told(gateway.go_online()) == [], "nobody has said where it is"
    assert len(gateway.told(gateway.lists((NODE,)))) == 1


def test_one_that_was_there_before_its_gateways_session_is_told_of_with_it(
    gateway: Gateway,
) -> None:
    gateway.bind(online=False)
    gateway.drop()
    order(gateway)
    presence = {"cids": [NODE], "t": 1}
    assert gateway.call(wire.SUB_ONLINE.name, presence).success
    assert not gateway.is_near(), "for nobody can reach its gateway"
    (notice,) = gateway.told(gateway.go_online())
    assert gateway.is_near()
    assert notice.protocol == Protocol.UPGRADE_NOTICE


def test_nobody_asks_for_the_firmware_of_another_ones_child(gateway: Gateway) -> None:
    asked = {"type": 0, "cid": OTHER_NODE}
    status = {"type": 0, "upgradeStatus": 4, "cid": OTHER_NODE}
    calls = {"tuya.device.upgrade.get": asked, messages.UPGRADE_STATUS_UPDATE.name: status}
    for api, data in calls.items():
        assert gateway.rpc(api, msgspec.json.encode(data)).inner.error_code == "NOT_BOUND"
