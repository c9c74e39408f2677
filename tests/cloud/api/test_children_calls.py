"""Calls and messages about sub-devices: what the gateway says, and what it is told."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire import atop_children as wire
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.datapoint import DataPoint, encode_schema
from firmware_sim.wire.mqtt_payload import PayloadVersion, Protocol
from fleet.cloud.api import device_room
from fleet.cloud.desired import Desired
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.removal import remove
from tests.cloud.children_world import NODE, OTHER_NODE, Gateway, online
from tests.cloud.support import OWNER, PLUG, assert_reloads


@pytest.fixture
def gateway() -> Gateway:
    return online()


# --- calls ---------------------------------------------------------------------------------------


def test_a_binding_is_answered_with_id_and_schema(gateway: Gateway) -> None:
    result = gateway.bind(type=3)
    product = gateway.world.state.products.get(PLUG)
    assert product is not None
    child = gateway.child()
    assert (result.dev_id, result.schema_id) == (child.dev_id, product.schema_id)
    assert result.schema == product.schema
    assert not result.reset_factory
    assert gateway.is_near()
    assert [push.biz_code for push in gateway.world.pushes[-2:]] == ["bindUser", "online"]
    assert gateway.bind() == result
    assert_reloads(gateway.world)


def test_over_http_the_same(gateway: Gateway) -> None:
    request = wire.SubBind(cid=NODE, product_key=PLUG, soft_ver="1.0", online=False, t=1)
    inner = gateway.call(wire.SUB_BIND.name, json.loads(messages.encode(request)))
    assert messages.decode(inner.result, wire.SubBindResult).dev_id == gateway.child().dev_id
    assert not gateway.is_near()


def test_a_schema_for_which_firmware_has_no_room_is_left_out(gateway: Gateway) -> None:
    state = gateway.world.state
    product = state.products.get(PLUG)
    assert product is not None
    schema = encode_schema(DataPoint(number, "rw", "raw", None) for number in range(1, 60))
    gateway.world.rule(lambda s: s.products.put(msgspec.structs.replace(product, schema=schema)))
    result = gateway.bind()
    assert (result.schema, len(result.schema_id)) == ("", 10)
    assert result.dev_id == gateway.child().dev_id


@pytest.mark.parametrize("et", [0, 1, 3])
def test_without_schema_it_fits_however_it_is_encrypted(et: int) -> None:
    longest = wire.SubBindResult(
        dev_id="x" * 25, schema_id="x" * 16, schema="[]", reset_factory=True
    )
    assert len(messages.encode(longest)) < device_room.over_http(wire.SUB_BIND.name, et)


def test_a_refusal_has_a_code(gateway: Gateway) -> None:
    request = wire.SubBind(cid=NODE, product_key="nosuch", soft_ver="1", t=1)
    inner = gateway.rpc(wire.SUB_BIND.name, messages.encode(request)).inner
    assert (inner.success, inner.error_code) == (False, "DEVICE_UNKNOWN")


@pytest.mark.parametrize(("api", "wiped"), [(wire.SUB_UNBIND, False), (wire.SUB_RESET, True)])
def test_given_up_by_the_gateway(gateway: Gateway, api: messages.Api, *, wiped: bool) -> None:
    gateway.bind()
    world, child = gateway.world, gateway.child()
    world.rule(lambda s: s.data_points.report(child.dev_id, b'{"1":true}', 1))
    gateway.call_about(api)
    after = gateway.child()
    assert (after.owner, after.reset_told) == ("", True)
    assert bool(world.state.data_points.get(child.dev_id)) is not wiped
    assert world.pushes[-1].biz_code == "delete"
    assert not gateway.is_near()
    row = world.state.history.page(OWNER).rows[-1]
    assert (row.operation, row.method, row.account, row.dev_id) == (
        *("remove", "gateway", "uid0"),
        child.dev_id,
    )
    rows = len(world.state.history.page(OWNER).rows)
    gateway.call_about(api)
    gateway.call_about(api, OTHER_NODE)
    assert len(world.state.history.page(OWNER).rows) == rows, "it may say so twice"
    assert_reloads(world)


def test_given_up_while_the_cloud_waits_to_have_it_removed(gateway: Gateway) -> None:
    gateway.bind()
    world = gateway.world
    dev_id = gateway.child().dev_id
    world.rule(remove, "uid0", dev_id, ResetKind.RESET, world.now_ms, reachable=False)
    gateway.call_about(wire.SUB_UNBIND)
    assert gateway.child().reset_told, "the gateway knows"


def test_the_list_and_the_versions(gateway: Gateway) -> None:
    gateway.bind()
    gateway.bind(OTHER_NODE)
    gateway.call_about(wire.SUB_UNBIND, OTHER_NODE)
    inner = gateway.rpc(wire.SUB_LIST.name, b'{"t":1}').inner
    (entry,) = messages.decode(inner.result, wire.SubListResult).children
    assert (entry.cid, entry.dev_id, entry.product_key) == (NODE, gateway.child().dev_id, PLUG)
    update = wire.SubUpdate(cid=NODE, soft_ver="2.0.0", t=1)
    assert gateway.rpc(wire.SUB_UPDATE.name, messages.encode(update)).inner.success
    assert gateway.child().software == "2.0.0"
    unknown = wire.SubUpdate(cid=OTHER_NODE, soft_ver="2.0.0", t=1)
    inner = gateway.rpc(wire.SUB_UPDATE.name, messages.encode(unknown)).inner
    assert inner.error_code == "NOT_BOUND"


def test_presence_by_calls(gateway: Gateway) -> None:
    gateway.bind(online=False)
    both = wire.SubPresence(cids=(NODE, OTHER_NODE), t=1)
    assert gateway.rpc(wire.SUB_ONLINE.name, messages.encode(both)).inner.success
    assert gateway.is_near()
    assert gateway.rpc(wire.SUB_OFFLINE.name, messages.encode(both)).inner.success
    assert not gateway.is_near()


@pytest.mark.parametrize("api", ["s.gw.dev.bind", "s.gw.dev.unbind", "s.gw.dev.online.report"])
def test_the_oldest_calls_are_not_served_and_do_not_stop_firmware(
    gateway: Gateway, api: str
) -> None:
    assert gateway.rpc(api).inner.success
    assert gateway.world.lines[-1].startswith(f"device call {api}: not served")


# --- messages ------------------------------------------------------------------------------------


def test_lists_say_who_is_in_reach_as_long_as_the_gateway_is_there(gateway: Gateway) -> None:
    gateway.bind(online=False)
    gateway.bind(OTHER_NODE)
    gateway.lists((NODE, "nosuch"), (OTHER_NODE,))
    assert gateway.is_near()
    assert not gateway.is_near(OTHER_NODE)
    gateway.drop()
    assert not gateway.is_near()
    assert [push.biz_code for push in gateway.world.pushes[-2:]] == ["offline", "offline"]
    gateway.go_online()
    assert not gateway.is_near(), "until the gateway says so"


def test_reports_are_the_childs(gateway: Gateway) -> None:
    gateway.bind()
    points, dev_id = gateway.world.state.data_points, gateway.child().dev_id
    gateway.publish(mqtt_payload.encode_dp_report(gateway.dev_id, 1, b'{"1":true}', NODE))
    assert points.get(dev_id) == {"1": msgspec.Raw(b"true")}
    assert points.get(gateway.dev_id) == {}
    assert gateway.world.pushes[-1].dev_id == dev_id
    gateway.publish(mqtt_payload.encode_dp_report(gateway.dev_id, 1, b'{"1":1}', OTHER_NODE))
    assert gateway.world.state.counts["mqtt_messages_dropped"] == 1


@pytest.mark.parametrize("whose", ["own", "child", "stranger"])
def test_reports_over_http_name_a_device(gateway: Gateway, whose: str) -> None:
    gateway.bind()
    stranger = gateway.world.state.devices.get("uuid0001")
    assert stranger is not None
    ids = {"own": gateway.dev_id, "child": gateway.child().dev_id, "stranger": stranger.dev_id}
    gateway.call(messages.DP_REPORT.name, {"devId": ids[whose], "dps": {"1": True}}, "4.0")
    points = gateway.world.state.data_points
    assert [name for name, dev_id in ids.items() if points.get(dev_id)] == (
        [whose] if whose != "stranger" else []
    )


def command(gateway: Gateway) -> bool:
    world = gateway.world
    link = world.cloud._link
    sent: bool = world.rule(lambda _: link.command(gateway.child(), {1: True}, world.now_ms))
    return sent


def test_a_command_goes_to_the_gateway_and_names_the_child(gateway: Gateway) -> None:
    gateway.bind()
    assert command(gateway)
    packets = gateway.heard()
    gateway.acknowledge(packets)
    (message,) = gateway.told(packets)
    assert message.protocol == Protocol.DP_COMMAND
    assert json.loads(bytes(message.data)) == {"dps": {"1": True}, "cid": NODE}
    gateway.lists((), (NODE,))
    assert not command(gateway), "it is out of reach"
    gateway.lists((NODE,))
    gateway.drop()
    assert not command(gateway)


@pytest.mark.parametrize("kind", ResetKind)
def test_a_removal_goes_to_the_gateway_even_if_the_child_is_out_of_reach(
    gateway: Gateway, kind: ResetKind
) -> None:
    gateway.bind(online=False)
    world, child = gateway.world, gateway.child()
    wipe = int(kind is ResetKind.RESET_FACTORY)
    target = f"/app/v1/devices/{child.dev_id}?wipe={wipe}"
    assert world.get("DELETE", target, None, world.consumer(0)) is True
    packets = gateway.heard()
    (message,) = gateway.told(packets)
    assert (message.protocol, message.type) == (Protocol.CHILD_RESET, kind.value)
    assert json.loads(bytes(message.data)) == {"gwId": gateway.dev_id, "cid": NODE}
    assert not gateway.child().reset_told
    gateway.acknowledge(packets)
    assert gateway.child().reset_told
    assert gateway.known.bound, "nothing else was removed"
    assert not gateway.known.pending_reset


def test_a_removal_is_told_again_until_it_is_acknowledged(gateway: Gateway) -> None:
    gateway.bind()
    world, dev_id = gateway.world, gateway.child().dev_id
    gateway.drop()
    world.get("DELETE", f"/app/v1/devices/{dev_id}", None, world.consumer(0))
    for _ in range(2):
        packets = gateway.go_online()
        (message,) = gateway.told(packets)
        assert message.protocol == Protocol.CHILD_RESET
        gateway.drop()
    packets = gateway.go_online()
    gateway.acknowledge(packets)
    gateway.drop()
    assert gateway.told(gateway.go_online()) == []


def test_wishes_come_when_it_is_in_reach(gateway: Gateway) -> None:
    gateway.bind(online=False)
    world, dev_id = gateway.world, gateway.child().dev_id
    wish = Desired(dev_id, 1, "true", world.now_ms, world.now_ms + 1000)
    world.rule(lambda s: s.data_points.desired.put(wish))
    (message,) = gateway.told(gateway.lists((NODE,)))
    assert json.loads(bytes(message.data)) == {"dps": {"1": True}, "cid": NODE}


def test_wishes_come_when_it_is_bound_anew_too(gateway: Gateway) -> None:
    gateway.bind()
    world, dev_id = gateway.world, gateway.child().dev_id
    gateway.drop()
    wish = Desired(dev_id, 1, "true", world.now_ms, world.now_ms + 1000)
    world.rule(lambda s: s.data_points.desired.put(wish))
    gateway.activate(world.pair_token(world.consumer(0)))
    gateway.go_online()
    request = wire.SubBind(cid=NODE, product_key=PLUG, soft_ver="1.0", t=1)
    gateway.call(wire.SUB_BIND.name, json.loads(messages.encode(request)))
    (message,) = gateway.told(gateway.heard())
    assert json.loads(bytes(message.data)) == {"dps": {"1": True}, "cid": NODE}


def test_an_order_to_wipe_stands_until_its_values_are_heard(gateway: Gateway) -> None:
    gateway.bind()
    world, child = gateway.world, gateway.child()
    world.rule(lambda s: s.devices._replace(child, owner="", last_owner="uid1"))
    assert gateway.bind().reset_factory
    assert gateway.bind().reset_factory, "the answer may have been lost"
    gateway.publish(mqtt_payload.encode_dp_report(gateway.dev_id, 1, b'{"1":true}', NODE))
    assert not gateway.bind().reset_factory
    assert_reloads(world)


def test_what_a_gateway_of_the_newest_generation_is_told_of_a_child_it_can_read() -> None:
    gateway = online()
    gateway.bind()
    newest = gateway.known
    gateway.world.rule(lambda s: s.devices.note_generation(newest, "2.3"))
    assert command(gateway)
    (packet,) = gateway.heard()
    assert isinstance(packet, mqtt.Publish)
    assert mqtt_payload.version_of(packet.payload) is PayloadVersion.V23


def test_activated_again_its_children_are_gone_until_it_is_back(gateway: Gateway) -> None:
    gateway.bind()
    world = gateway.world
    gateway.activate(world.pair_token(world.consumer(0)))
    assert not gateway.is_near()
    assert gateway.child().bound


def test_a_child_is_no_client_and_no_caller(gateway: Gateway) -> None:
    gateway.bind()
    child, stranger = gateway.child(), Gateway()
    stranger.world = gateway.world
    stranger.uuid, stranger.dev_id = child.uuid, child.dev_id
    for key in ("", child.local_key):
        stranger.auth_key = stranger.sec_key = key
        password = mqtt_payload.mqtt_password(key)
        assert stranger.connect_as(child.dev_id, password) == 5
        assert stranger.connect_as(f"acon_{child.uuid}", password) == 5
    assert stranger.activate(gateway.world.pair_token(gateway.world.consumer(1))) in (
        "DEVICE_UNKNOWN",
        "PRODUCT_MISMATCH",
    )
    assert stranger.sync() == "GATEWAY_NOT_EXISTS"


def test_another_gateways_child_is_none_of_ones_business(gateway: Gateway) -> None:
    gateway.bind()
    world, other = gateway.world, Gateway()
    known = world.state.devices.get("uuid0001")
    assert known is not None
    other.world, other.dev_id, other.sec_key = world, known.dev_id, known.sec_key
    other.uuid, other.local_key = known.uuid, known.local_key
    other.go_online()
    other.call_about(wire.SUB_UNBIND)
    other.lists((), (NODE,))
    other.publish(mqtt_payload.encode_dp_report(gateway.dev_id, 1, b'{"1":true}', NODE))
    child: Device = gateway.child()
    assert child.bound
    assert gateway.is_near()
    assert world.state.data_points.get(child.dev_id) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["cid", "cids", "productKey", "softVer", "online", "offline", "type", "dps"]),
    JSON,
)


@given(st.sampled_from([4, 25]), FIELDS)
def test_garbage_in_messages_is_dropped(protocol: int, data: dict[str, object]) -> None:
    gateway = online()
    body = {"protocol": protocol, "t": 1, "data": data}
    gateway.publish(msgspec.json.encode(body))
    assert gateway.known.bound


@given(st.sampled_from([api for api in dir(wire) if api.startswith("SUB_")]), FIELDS)
def test_garbage_in_calls_is_answered(api: str, data: dict[str, object]) -> None:
    gateway = online()
    name = getattr(wire, api).name
    inner = gateway.rpc(name, msgspec.json.encode(data)).inner
    assert inner.success or inner.error_code
