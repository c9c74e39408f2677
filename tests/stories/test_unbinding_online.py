"""A device that is online loses its owner.

6.1 There are two kinds: "remove" keeps history, name and settings, "remove and wipe data" erases
them ("Device Reset", developer.tuya.com). 6.2 The cloud publishes protocol 11 with the kind at the
root; the device acts at once, makes no call about it, gives up the topic, disconnects, erases all
but its id and the versions it reported, and waits (tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/tuya_iot.c). Here with firmware of every generation.
"""

import pytest

from firmware_sim import effects as fx
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload
from tests.cloud.support import REPAIR, assert_reloads
from tests.stories.harness import Story, choose
from tests.stories.unit import Unit

GENERATIONS = {"2.1": "ipc-old", "2.2": "ipc-red-green", "2.3": "ipc-new"}
KINDS = {"reset": False, "reset_factory": True}


def packets_since(unit: Unit, count: int) -> list[mqtt.Packet]:
    sent = [effect.data for effect in unit.said[count:] if isinstance(effect, fx.SendMqtt)]
    return mqtt.Decoder().feed(b"".join(sent))


def calls_since(story: Story, count: int) -> list[str]:
    return [request.target.partition("&")[0] for request in story.overheard[count:]]


def settle_down(unit: Unit) -> None:
    """Give the device a name of its own and a setting that is not as it left the factory."""
    world = unit.story
    world.rule(lambda s: s.devices.rename(unit.known, "Hall", world.now_ms))
    link = world.cloud._link
    world.rule(lambda _: link.command(unit.known, {101: False}, world.now_ms))
    world.settle()
    assert unit.kept.values == {101: False}
    assert "101" in world.state.data_points.get(unit.known.dev_id)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_6_2_told_at_once_it_erases_itself_without_a_call_and_waits(
    kind: str, generation: str
) -> None:
    story = Story(GENERATIONS[generation])
    unit = story.unit
    unit.power()
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    dev_id, versions = unit.kept.dev_id, unit.kept.versions
    said, called = len(unit.said), len(story.overheard)

    story.remove(unit, wipe=KINDS[kind])
    assert unit.state == "RESETTING"
    puback, unsubscribe, disconnect = packets_since(unit, said)
    assert isinstance(puback, mqtt.Puback)
    assert isinstance(unsubscribe, mqtt.Unsubscribe)
    assert unsubscribe.filters == (mqtt_payload.topic_in(dev_id),)
    assert isinstance(disconnect, mqtt.Disconnect)

    story.wait(10_000)
    assert unit.state == "WAITING"
    assert calls_since(story, called) == []
    assert (unit.kept.dev_id, unit.kept.versions) == (dev_id, versions)
    assert not unit.kept.activated
    assert not unit.kept.ssid
    assert unit.log()[-4:] == ["removed", "reset_sent", "reset_confirmed", "offline"]
    assert unit.known.revoked, "the keys are void"
    assert_reloads(story)


@pytest.mark.parametrize("kind", KINDS)
def test_6_1_what_each_side_keeps(kind: str) -> None:
    story = Story()
    unit = story.unit
    unit.power()
    settle_down(unit)
    wiped = KINDS[kind]
    story.remove(unit, wipe=wiped)
    story.wait(10_000)
    assert bool(unit.kept.values) is not wiped
    assert bool(story.state.data_points.get(unit.known.dev_id)) is not wiped
    assert unit.known.name == ("" if wiped else "Hall")
    assert story.history(story.account("maker"))[-1]["operation"] == "remove", (
        "as a record it stays"
    )

    unit.pair(story.pair_token(story.consumer(0)))
    assert unit.session == "UP"
    assert unit.known.name == ("Product" if wiped else "Hall")
    assert (unit.kept.values or {}) == ({} if wiped else {101: False})


@pytest.mark.parametrize("generation", GENERATIONS)
def test_6_2_the_next_activation_brings_the_same_id_back_and_no_versions(generation: str) -> None:
    story = Story(GENERATIONS[generation])
    unit = story.unit
    unit.power()
    dev_id, keys = unit.kept.dev_id, (unit.kept.sec_key, unit.kept.local_key)
    story.remove(unit)
    story.wait(10_000)
    called = len(story.overheard)
    unit.pair(story.pair_token(story.consumer(0)))
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert unit.kept.dev_id == unit.known.dev_id == dev_id
    assert keys != (unit.kept.sec_key, unit.kept.local_key)
    assert not [call for call in calls_since(story, called) if "update" in call]
    assert unit.known.generation == generation


def test_6_2_an_order_that_was_not_acknowledged_is_given_again() -> None:
    """The cloud is killed after it committed the removal and before the device heard of it."""
    story = Story()
    unit = story.unit
    unit.power()
    conn = unit.conn
    story.lines_open.pop(conn)  # what is said on it from now on, is lost
    story.remove(unit, wipe=True)
    assert unit.state == "ONLINE"
    assert "reset_confirmed" not in unit.log()
    story.lines_open[conn] = unit
    story.kill_and_restart()
    story.wait(20_000)
    assert unit.state == "WAITING"
    assert unit.log().count("reset_confirmed") == 1


def test_6_2_power_cut_in_the_middle_of_the_reset_ends_in_a_finished_one() -> None:
    story = Story()
    unit = story.unit
    unit.power()
    settle_down(unit)
    story.remove(unit, wipe=True)
    assert unit.state == "RESETTING"
    unit.pull_the_plug()
    assert unit.kept.sec_key, "it did not come to erase"
    unit.power()
    assert unit.state == "WAITING"
    assert not unit.kept.sec_key
    assert unit.kept.values is None
    assert unit.device.operator == "unbound"


@pytest.mark.parametrize("kind", KINDS)
def test_6_7_a_batch_unbinding_resets_as_the_settings_say(kind: str) -> None:
    story = Story(settings=choose(unbind_reset_kind=kind))
    unit = story.unit
    unit.power()
    settle_down(unit)
    unit.press()
    story.wait(10_000)
    unit.pair(story.unbind_code(REPAIR))
    assert unit.state == "WAITING"
    assert unit.device.operator == "unbound"
    assert story.owners() == [""]
    assert unit.known.pending_reset == kind
    assert unit.log()[-3:] == ["reset_sent", "reset_confirmed", "offline"]


def test_6_7_a_batch_unbinding_may_also_refuse_the_activation() -> None:
    story = Story(settings=choose(unbind_mode="refuse"))
    unit = story.unit
    unit.power()
    unit.reset()
    unit.pair(story.unbind_code())
    assert unit.state == "WAITING"
    assert unit.notes("activation_refused") == [messages.GATEWAY_NOT_EXISTS]
    assert unit.device.operator == "unbound"
    assert story.owners() == [""]
