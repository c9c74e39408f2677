"""Sub-devices and the cloud: bound one after the other, probed, told of, given up."""

import json

import msgspec
import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device import children, reporting
from firmware_sim.device.flash import Kept, Tie, read_image
from firmware_sim.device.lan_children import cid, find, status_of_children
from firmware_sim.wire import atop_children as wire
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.generation import Generation
from firmware_sim.wire.mqtt_payload import Protocol
from tests.device.stage import BOUND, CHILD_TAKEN, DEV_ID, UUID, Stage, online

SENSOR, PLUG, THERMOMETER = range(3)
LATEST_MS = children.FIRST_CALL_AFTER_MS + children.SPREAD_MS
ALL = {number: Kept(Tie.BOUND, f"child{number}") for number in range(3)}
LONG_AGO = msgspec.structs.replace(BOUND, children=ALL)


def node(number: int) -> str:
    return cid(UUID, number)


def calls(stage: Stage) -> list[tuple[str, str]]:
    """Return name and node id of every call about a sub-device."""
    found = [call for call in stage.calls() if ".sub." in call.a]
    return [(call.a, json.loads(bytes(call.data))["cid"]) for call in found]


def said(stage: Stage, protocol: Protocol) -> list[object]:
    found = [one for one in stage.messages() if one.protocol == protocol]
    return [json.loads(bytes(one.data)) for one in found]


def ties(stage: Stage) -> list[Tie]:
    return [stage.device.flash.kept(number).tie for number in range(3)]


def accept(stage: Stage, result: wire.SubBindResult = CHILD_TAKEN) -> None:
    stage.answer_call(messages.encode(result))
    stage.wait(stage.device.profile.timings.child_pause_ms)


def bound() -> Stage:
    """Return a gateway that is up, with all sub-devices bound long ago, and that needs no ping."""
    stage = Stage("gateway", LONG_AGO.image())
    profile = stage.device.profile
    timings = msgspec.structs.replace(profile.timings, keep_alive_s=0xFFFF)
    stage.device.profile = msgspec.structs.replace(profile, timings=timings)
    stage.boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.connect()
    return stage


# --- bound ---------------------------------------------------------------------------------------


def test_one_call_after_the_other_and_each_answer_is_kept() -> None:
    stage = online("gateway")
    assert calls(stage) == []
    stage.wait(LATEST_MS)
    for number in range(3):
        assert calls(stage) == [(wire.SUB_BIND.name, node(n)) for n in range(number + 1)]
        accept(stage)
        assert ties(stage)[number] is Tie.BOUND
        assert read_image(stage.flash).kept(number).dev_id == CHILD_TAKEN.dev_id
    stage.wait(10_000)
    assert len(calls(stage)) == 3


def test_what_a_binding_says() -> None:
    stage = online("nvr")
    stage.wait(LATEST_MS)
    data = json.loads(bytes(stage.calls()[-1].data))
    assert data.pop("t") * 1000 <= stage.now_ms
    assert data == {
        "cid": node(0),
        "productKey": "recorderchannel1",
        "softVer": "1.0.0",
        "uddd": wire.CHANNEL_UDDD,
    }


def test_between_two_calls_is_a_pause_even_if_somebody_comes() -> None:
    stage = online("gateway")
    stage.wait(LATEST_MS)
    stage.answer_call(messages.encode(CHILD_TAKEN))
    stage.tell(ev.ChildReached(THERMOMETER))
    assert len(calls(stage)) == 1
    stage.wait(stage.device.profile.timings.child_pause_ms)
    assert len(calls(stage)) == 2


def test_what_was_bound_is_not_bound_again() -> None:
    stage = bound()
    stage.wait(60_000)
    assert calls(stage) == []


def test_a_new_binding_of_the_gateway_binds_them_again() -> None:
    flash = msgspec.structs.replace(LONG_AGO)
    flash.keep(PLUG, Tie.GONE)
    flash.rebind_children()
    assert [flash.kept(n) for n in range(3)] == [
        Kept(Tie.NEW, "child0"),
        Kept(Tie.GONE, "child1"),
        Kept(Tie.NEW, "child2"),
    ]
    stage = online("gateway", flash.image())
    stage.wait(LATEST_MS)
    accept(stage)
    accept(stage)
    assert calls(stage) == [(wire.SUB_BIND.name, node(0)), (wire.SUB_BIND.name, node(2))]


def test_a_refusal_is_noted_and_not_argued_with_before_the_next_start() -> None:
    stage = online("gateway")
    stage.wait(LATEST_MS)
    stage.answer_call(code="DEVICE_UNKNOWN")
    assert stage.last(fx.Noted) == fx.Noted("child_refused", f"{node(0)}: DEVICE_UNKNOWN")
    stage.wait(1_000)
    assert calls(stage)[-1][1] == node(1), "the others are asked for all the same"
    stage.tell(ev.MqttClosed("closed"))
    stage.wait(10_000)
    stage.connect()
    stage.wait(LATEST_MS)
    assert calls(stage)[-1][1] == node(1), "which was never answered"
    stage.tell(ev.PowerRemoved())
    stage.boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.connect()
    stage.wait(LATEST_MS)
    assert calls(stage)[-1][1] == node(0)


def test_without_an_answer_the_next_one_has_its_turn() -> None:
    stage = online("gateway")
    stage.wait(LATEST_MS + 8_000 + 1_000)
    assert [node_id for _, node_id in calls(stage)] == [node(0), node(1)]


def test_an_odd_answer_is_noted() -> None:
    stage = online("gateway")
    stage.wait(LATEST_MS)
    stage.answer_call(b'{"devId":7}')
    assert stage.last(fx.Noted).kind == "bad_reply"
    assert ties(stage)[0] is Tie.NEW
    stage.wait(1_000)
    assert len(calls(stage)) == 2


def test_an_order_to_wipe_comes_with_the_binding() -> None:
    stage = online("gateway")
    stage.device.flash.child_values = {SENSOR: {1: True}, PLUG: {1: True}}
    stage.wait(LATEST_MS)
    accept(stage, msgspec.structs.replace(CHILD_TAKEN, reset_factory=True))
    assert stage.device.flash.child_values == {PLUG: {1: True}}


def test_without_a_product_the_cloud_never_hears_of_it() -> None:
    stage = online("gateway")
    profile = stage.device.profile
    lan_only = tuple(msgspec.structs.replace(one, product_id="") for one in profile.children)
    stage.device.profile = msgspec.structs.replace(profile, children=lan_only)
    stage.wait(60_000)
    assert calls(stage) == []
    assert find(stage.device, node(PLUG)) == PLUG


def test_nor_does_it_from_the_oldest_firmware() -> None:
    stage = Stage("gateway", BOUND.image())
    stage.habits(generation=Generation.OLD)
    stage.boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.connect()
    called = stage.device.call_number
    stage.tell(ev.ChildLeft(PLUG))
    stage.wait(60_000)
    targets = [effect.target for effect in stage.all(fx.SendHttp) if effect.call > called]
    assert not any(".sub." in target or "s.gw.dev" in target for target in targets)


# --- removed and given up ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset", "reset_factory"])
def test_removed_by_the_cloud(kind: str) -> None:
    stage = bound()
    stage.device.flash.child_values = {PLUG: {1: True}}
    effects = stage.message(mqtt_payload.encode_child_reset(DEV_ID, node(PLUG), 1, kind), qos=1)
    assert isinstance(effects[0], fx.SaveFlash)
    assert ties(stage) == [Tie.BOUND, Tie.GONE, Tie.BOUND]
    assert (stage.device.flash.child_values is None) is (kind == "reset_factory")
    assert stage.last(fx.Noted).kind == "child_removed"
    assert find(stage.device, node(PLUG)) is None, "nor is it on the LAN any more"
    status = status_of_children(stage.device, ())
    assert node(PLUG) not in (*status.online, *status.offline)
    stage.wait(60_000)
    assert calls(stage) == []


def test_what_is_not_there_cannot_be_removed() -> None:
    stage = bound()
    stage.message(mqtt_payload.encode_child_reset(DEV_ID, "another", 1, "reset"))
    assert stage.last(fx.Noted) == fx.Noted("child_unknown", "another")
    assert ties(stage) == 3 * [Tie.BOUND]


def test_paired_anew_it_is_bound_again() -> None:
    stage = bound()
    stage.message(mqtt_payload.encode_child_reset(DEV_ID, node(PLUG), 1, "reset"))
    stage.tell(ev.ChildJoined(PLUG))
    stage.tell(ev.ChildJoined(SENSOR))
    stage.wait(LATEST_MS)
    assert calls(stage) == [(wire.SUB_BIND.name, node(PLUG))]
    accept(stage)
    assert ties(stage) == 3 * [Tie.BOUND]


def test_given_up_the_cloud_is_told() -> None:
    stage = bound()
    stage.wait(LATEST_MS)
    stage.tell(ev.ChildLeft(PLUG))
    assert ties(stage)[PLUG] is Tie.LEAVING
    assert calls(stage) == [(wire.SUB_UNBIND.name, node(PLUG))]
    stage.answer_call()
    assert ties(stage)[PLUG] is Tie.GONE
    stage.tell(ev.ChildLeft(PLUG))
    stage.wait(60_000)
    assert len(calls(stage)) == 1


def test_without_an_answer_it_is_told_again_in_the_next_session() -> None:
    stage = bound()
    stage.wait(LATEST_MS)
    stage.tell(ev.ChildLeft(PLUG))
    stage.wait(30_000)
    assert ties(stage)[PLUG] is Tie.LEAVING
    stage.tell(ev.MqttClosed("closed"))
    stage.wait(10_000)
    stage.connect()
    stage.wait(LATEST_MS)
    assert calls(stage) == 2 * [(wire.SUB_UNBIND.name, node(PLUG))]


@pytest.mark.parametrize("removed", [False, True])
def test_bound_while_it_was_given_up_or_removed_it_has_to_be_given_up(*, removed: bool) -> None:
    stage = online("gateway")
    stage.wait(LATEST_MS)
    if removed:
        stage.message(mqtt_payload.encode_child_reset(DEV_ID, node(0), 1, "reset"))
    else:
        stage.tell(ev.ChildLeft(0))
    accept(stage)
    assert ties(stage)[0] is Tie.LEAVING
    assert calls(stage)[-1] == (wire.SUB_UNBIND.name, node(0))


def test_joined_again_while_it_is_given_up_it_stays() -> None:
    stage = bound()
    stage.wait(LATEST_MS)
    stage.tell(ev.ChildLeft(PLUG))
    stage.tell(ev.ChildJoined(PLUG))
    stage.answer_call()
    stage.wait(1_000)
    assert calls(stage)[-1] == (wire.SUB_BIND.name, node(PLUG))


@pytest.mark.parametrize("kind", [ev.ChildReached, ev.ChildLost, ev.ChildJoined, ev.ChildLeft])
@pytest.mark.parametrize("profile", ["gateway", "base-station"])
def test_of_one_that_is_not_there_nothing_can_be_said(
    kind: type[ev.ChildReached], profile: str
) -> None:
    stage = online(profile)
    for number in (-1, 3, 99):
        assert stage.tell(kind(number)) == []


# --- in reach ------------------------------------------------------------------------------------


def test_lists_at_the_beginning_of_a_session_and_news_in_between() -> None:
    stage = bound()
    first = {"online": [node(0), node(1)], "offline": [node(2)]}
    assert said(stage, Protocol.CHILDREN_PRESENCE) == [first]
    stage.tell(ev.ChildReached(THERMOMETER))
    stage.tell(ev.ChildReached(THERMOMETER))
    assert said(stage, Protocol.CHILDREN_PRESENCE) == [first, {"online": [node(2)], "offline": []}]
    assert said(stage, Protocol.DP_REPORT)[-1]["cid"] == node(2)  # type: ignore[index]


def test_values_are_reported_once_unless_they_change() -> None:
    stage = bound()
    assert [one.get("cid") for one in said(stage, Protocol.DP_REPORT)] == [  # type: ignore[attr-defined]
        *(None, node(0), node(1)),
    ]
    stage.tell(ev.MqttClosed("closed"))
    reporting.spread(stage.device, reporting.set_values(stage.device, {1: True}, PLUG), PLUG)
    stage.wait(10_000)
    stage.connect()
    reports = [one.get("cid") for one in said(stage, Protocol.DP_REPORT)]  # type: ignore[attr-defined]
    assert reports[3:] == [None, node(PLUG)]


def test_offline_after_three_unanswered_probes() -> None:
    stage = bound()
    timings = stage.device.profile.timings
    stage.tell(ev.ChildLost(SENSOR))
    stage.wait(timings.child_heartbeat_ms + 3 * timings.child_probe_ms - 1)
    assert len(said(stage, Protocol.CHILDREN_PRESENCE)) == 1
    assert find(stage.device, node(SENSOR)) is None
    assert node(SENSOR) in status_of_children(stage.device, ()).online, "as far as it knows"
    stage.wait(1)
    assert said(stage, Protocol.CHILDREN_PRESENCE)[1:] == [{"online": [], "offline": [node(0)]}]
    stage.wait(10 * timings.child_heartbeat_ms)
    assert len(said(stage, Protocol.CHILDREN_PRESENCE)) == 2


def test_an_answer_in_time_sets_the_count_back() -> None:
    stage = bound()
    timings = stage.device.profile.timings
    for _ in range(3):
        stage.tell(ev.ChildLost(SENSOR))
        stage.wait(timings.child_heartbeat_ms + timings.child_probe_ms)
        stage.tell(ev.ChildReached(SENSOR))
        stage.wait(timings.child_probe_ms)
    assert len(said(stage, Protocol.CHILDREN_PRESENCE)) == 1


def test_a_clock_that_is_set_ahead_loses_nobody() -> None:
    stage = bound()
    stage.tell(ev.ChildLost(SENSOR))
    by_ms = 100_000_000
    stage.now_ms += by_ms
    stage.tell(ev.ClockSet(by_ms))
    stage.wait(1_000)
    assert len(said(stage, Protocol.CHILDREN_PRESENCE)) == 1


def test_a_power_cut_changes_nothing_about_where_they_are() -> None:
    stage = bound()
    stage.tell(ev.ChildLost(SENSOR))
    stage.tell(ev.PowerRemoved())
    assert stage.tell(ev.ChildReached(THERMOMETER)) == []
    assert stage.tell(ev.ChildLost(PLUG)) == []
    stage.boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.connect()
    lists = {"online": [node(2)], "offline": [node(0), node(1)]}
    assert said(stage, Protocol.CHILDREN_PRESENCE)[-1] == lists


# --- set -----------------------------------------------------------------------------------------


def test_a_command_names_the_child_and_so_does_the_report() -> None:
    stage = bound()
    stage.message(mqtt_payload.encode_dp_command(1, b'{"1":true,"9":5}', node(PLUG)))
    assert stage.device.flash.child_values == {PLUG: {1: True, 9: 5}}
    assert said(stage, Protocol.DP_REPORT)[-1] == {
        "devId": DEV_ID,
        "dps": {"1": True, "9": 5},
        "cid": node(PLUG),
    }


@pytest.mark.parametrize("name", [node(THERMOMETER), "another"])
def test_a_command_for_one_that_is_not_in_reach_is_noted(name: str) -> None:
    stage = bound()
    stage.message(mqtt_payload.encode_dp_command(1, b'{"1":true}', name))
    assert stage.last(fx.Noted) == fx.Noted("child_unreached", name)
    assert stage.device.flash.child_values is None


def test_the_cloud_hears_nothing_of_one_that_is_not_bound() -> None:
    stage = online("gateway")
    reporting.spread(stage.device, reporting.set_values(stage.device, {1: True}, PLUG), PLUG)
    assert len(said(stage, Protocol.DP_REPORT)) == 1, "its own values"


# --- what it costs -------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["ipc-red-green", "base-station"])
def test_a_device_without_sub_devices_keeps_nothing_and_does_nothing(profile: str) -> None:
    stage = online(profile)
    assert stage.device.children is None
    assert stage.device.flash.children is None
    assert children.restarted(stage.device) is None
    children.go_up(stage.device)
    children.attend(stage.device, ev.DeadlineReached())
    children.postpone(stage.device, 5)
    assert stage.device._signals == []
