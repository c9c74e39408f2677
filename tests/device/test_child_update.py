"""New firmware of a sub-device, from the notice to the version that is reported."""

import json
from dataclasses import dataclass

import msgspec
import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.flash import Kept, Tie, read_image
from firmware_sim.device.lan_children import cid
from firmware_sim.device.uplink import CALLS_MAX
from firmware_sim.wire import atop_children as wire
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.atop_upgrade import UPGRADE_GET, UpgradeOffer
from firmware_sim.wire.generation import Generation
from firmware_sim.wire.mqtt_payload import Protocol, encode_child_reset, encode_upgrade_notice
from tests.device.stage import BOUND, DEV_ID, OFFER, UUID, Stage

PLUG = 1
NODE = cid(UUID, PLUG)
TIES = {number: Kept(Tie.BOUND, f"child{number}") for number in range(3)}
LONG_AGO = msgspec.structs.replace(BOUND, children=TIES)
STATUS = messages.UPGRADE_STATUS_UPDATE.name
LOADED_MS, INSTALLED_MS = 30_000, 33_000


@dataclass(frozen=True)
class Said:
    """A call about a sub-device."""

    name: str
    data: dict[str, object]


def started(image: bytes = b"") -> Stage:
    """Return a gateway that is up, needs no ping, and has asked what it asks at a start."""
    stage = Stage("gateway", image or LONG_AGO.image())
    profile = stage.device.profile
    timings = msgspec.structs.replace(profile.timings, keep_alive_s=0xFFFF)
    stage.device.profile = msgspec.structs.replace(profile, timings=timings)
    stage.boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.connect()
    stage.wait(2_000)
    stage.answer_call(b"null")
    return stage


def noticed(stage: Stage, node_id: str = NODE, channel: int = 0) -> None:
    stage.message(encode_upgrade_notice(DEV_ID, stage.now_ms // 1000, channel, node_id))


def loading(offer: UpgradeOffer = OFFER) -> Stage:
    stage = started()
    noticed(stage)
    stage.answer_call(messages.encode(offer))
    return stage


def calls(stage: Stage) -> list[Said]:
    """Return every call that names the sub-device."""
    found = [Said(call.a, json.loads(bytes(call.data))) for call in stage.calls()]
    return [call for call in found if call.data.get("cid") == NODE]


def statuses(stage: Stage) -> list[object]:
    return [call.data["upgradeStatus"] for call in calls(stage) if call.name == STATUS]


def reported(stage: Stage) -> list[object]:
    found = [call for call in calls(stage) if call.name == wire.SUB_UPDATE.name]
    return [call.data["softVer"] for call in found]


def progress(stage: Stage) -> list[str]:
    found = [m for m in stage.messages() if m.protocol == Protocol.UPGRADE_PROGRESS]
    data = [json.loads(bytes(message.data)) for message in found]
    assert {(one["cid"], one["firmwareType"]) for one in data} <= {(NODE, 0)}
    return [one["progress"] for one in data]


def test_from_the_notice_to_the_version_that_is_reported() -> None:
    stage = loading()
    assert [call.name for call in calls(stage)] == [UPGRADE_GET.name, STATUS]
    assert (stage.state, stage.device.light) == ("ONLINE", "online"), "the gateway goes on working"
    stage.wait(LOADED_MS)
    assert progress(stage) == [str(percent) for percent in range(10, 101, 10)]
    assert read_image(stage.flash).child_software is None
    stage.wait(INSTALLED_MS - LOADED_MS)
    assert read_image(stage.flash).child_software == {PLUG: OFFER.version}
    assert (statuses(stage), reported(stage)) == ([2], [OFFER.version])
    stage.answer_call()
    stage.wait(10_000)
    assert reported(stage) == [OFFER.version]


def test_it_is_in_flash_before_the_cloud_hears_of_it() -> None:
    stage = loading()
    stage.wait(INSTALLED_MS - 1)
    stage.now_ms += 1
    effects = stage.tell(ev.DeadlineReached())
    assert [type(effect) for effect in effects] == [fx.SaveFlash, fx.SendMqtt]


def test_what_runs_is_told_after_a_start_once_and_when_it_is_bound_anew() -> None:
    stage = loading()
    stage.wait(INSTALLED_MS)
    again = started(stage.flash)
    again.wait(5_000)
    assert reported(again) == [OFFER.version]
    again.answer_call()
    again.tell(ev.MqttClosed("reset"))
    again.wait(1_000)
    again.connect()
    again.wait(10_000)
    assert reported(again) == [OFFER.version]
    kept = msgspec.structs.replace(read_image(stage.flash), children=None)
    anew = started(kept.image())
    anew.wait(5_000)
    anew.answer_call(messages.encode(wire.SubBindResult(dev_id="c0", schema_id="s", schema="[]")))
    anew.wait(1_000)
    (bind,) = [call for call in calls(anew) if call.name == wire.SUB_BIND.name]
    assert bind.data["softVer"] == OFFER.version
    anew.answer_call(messages.encode(wire.SubBindResult(dev_id="c1", schema_id="s", schema="[]")))
    anew.wait(10_000)
    assert reported(anew) == []


def test_a_report_that_is_not_answered_is_made_again_in_the_next_session_only() -> None:
    stage = loading()
    stage.wait(INSTALLED_MS + 20_000)
    assert reported(stage) == [OFFER.version]
    stage.tell(ev.MqttClosed("reset"))
    stage.wait(1_000)
    stage.connect()
    noticed(stage)
    stage.answer_call(messages.encode(OFFER))
    stage.wait(6_000)
    assert reported(stage) == [OFFER.version] * 2
    assert statuses(stage) == [2], "it is not declined, for the cloud is going to hear of it"


@pytest.mark.parametrize(
    ("change", "said"),
    [({"version": "1.0.0"}, "channel 0, 1.0.0"), ({"type": 3}, "channel 3, 1.1.0")],
)
def test_what_is_none_for_it_is_declined(change: dict[str, str | int], said: str) -> None:
    stage = loading(msgspec.structs.replace(OFFER, **change))
    assert statuses(stage) == [48]
    assert stage.last(fx.Noted) == fx.Noted("child_upgrade_declined", f"{NODE}: {said}")


@pytest.mark.parametrize("answer", [b"null", None])
def test_where_there_is_nothing_it_failed(answer: bytes | None) -> None:
    stage = started()
    noticed(stage, channel=3)
    if answer is None:
        stage.wait(8_000)
    else:
        stage.answer_call(answer)
    assert [(one.data["type"], one.data["upgradeStatus"]) for one in calls(stage)[1:]] == [(3, 4)]


def test_who_is_not_there_is_not_asked_for() -> None:
    stage = started()
    stage.tell(ev.ChildLeft(0))
    stage.wait(5_000)
    made = len(stage.calls())
    for node_id in (cid(UUID, 0), cid(UUID, 2), "nobody"):
        noticed(stage, node_id)
        assert stage.last(fx.Noted) == fx.Noted("child_unreached", node_id)
    assert len(stage.calls()) == made


def test_the_oldest_firmware_knows_nothing_of_it() -> None:
    stage = Stage("gateway", LONG_AGO.image())
    stage.habits(generation=Generation.OLD)
    stage.boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.connect()
    noticed(stage)
    assert stage.last(fx.Noted) == fx.Noted("child_unreached", NODE)


def test_a_second_notice_disturbs_nothing() -> None:
    stage = started()
    noticed(stage)
    noticed(stage)
    stage.answer_call(messages.encode(OFFER))
    first = stage.calls()[-2]
    assert first.a == UPGRADE_GET.name
    stage.wait(10_000)
    noticed(stage)
    stage.answer_call(messages.encode(OFFER))
    assert statuses(stage) == [2]
    stage.wait(INSTALLED_MS)
    assert progress(stage) == [str(percent) for percent in range(10, 101, 10)]


def test_another_version_that_is_offered_meanwhile_comes_next() -> None:
    stage = loading()
    stage.wait(10_000)
    noticed(stage)
    newer = msgspec.structs.replace(OFFER, version="1.2.0")
    stage.answer_call(messages.encode(newer))
    stage.wait(INSTALLED_MS - 10_000)
    assert [call.name for call in calls(stage)][-2:] == [UPGRADE_GET.name, wire.SUB_UPDATE.name]
    stage.answer_call()
    asked = next(call for call in reversed(stage.calls()) if call.a == UPGRADE_GET.name)
    answer = mqtt_rpc.encode_response(asked.id, 1, messages.encode(newer))
    stage.hear(mqtt.Publish(mqtt_payload.topic_rpc_response(DEV_ID), answer))
    stage.wait(INSTALLED_MS)
    assert reported(stage) == [OFFER.version, newer.version]


# --- what comes between -------------------------------------------------------------------------


def test_one_that_is_silent_is_waited_for() -> None:
    stage = loading()
    stage.wait(10_000)
    stage.tell(ev.ChildLost(PLUG))
    stage.wait(20_000)
    assert progress(stage) == ["10", "20", "30"]
    stage.tell(ev.ChildReached(PLUG))
    stage.wait(INSTALLED_MS)
    assert reported(stage) == [OFFER.version]


def broken_by(happened: str) -> Stage:
    stage = loading()
    stage.wait(10_000)
    if happened == "lost":
        stage.tell(ev.ChildLost(PLUG))
        stage.wait(200_000)
    elif happened == "left":
        stage.tell(ev.ChildLeft(PLUG))
    elif happened == "removed":
        stage.message(encode_child_reset(DEV_ID, NODE, 1, "reset"))
    else:
        stage.tell(ev.MqttClosed("reset"))
        stage.wait(1_000)
        stage.connect()
    return stage


@pytest.mark.parametrize("happened", ["lost", "left", "removed", "session"])
def test_what_breaks_it_off(happened: str) -> None:
    stage = broken_by(happened)
    stage.tell(ev.ChildReached(PLUG))
    stage.tell(ev.ChildJoined(PLUG))
    stage.wait(100_000)
    assert progress(stage) == ["10", "20", "30"]
    assert read_image(stage.flash).child_software is None
    assert ("child_upgrade_broken_off" in stage.notes()) is (happened != "session")


def test_power_cut_leaves_the_old_firmware() -> None:
    stage = loading()
    stage.wait(LOADED_MS)
    stage.tell(ev.PowerRemoved())
    assert stage.device.children is not None
    assert stage.device.children.each[PLUG].loading is None
    assert stage.device.flash.child_software is None


def test_one_that_is_removed_before_the_answer_gets_nothing() -> None:
    stage = started()
    noticed(stage)
    stage.message(encode_child_reset(DEV_ID, NODE, 1, "reset"))
    stage.answer_call(messages.encode(OFFER))
    assert statuses(stage) == []


def test_the_clock_is_set() -> None:
    stage = loading()
    stage.now_ms += 3_600_000
    stage.tell(ev.ClockSet(3_600_000))
    stage.wait(LOADED_MS - 1)
    assert len(progress(stage)) == 9


def test_a_report_waits_until_there_is_room_for_a_call() -> None:
    stage = loading()
    stage.wait(INSTALLED_MS - 1_000)
    for _ in range(CALLS_MAX):
        stage.message(encode_upgrade_notice(DEV_ID, stage.now_ms // 1000))
    stage.wait(1_000)
    assert reported(stage) == []
    stage.wait(10_000)
    assert reported(stage) == [OFFER.version]
