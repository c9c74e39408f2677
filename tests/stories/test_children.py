"""What is behind a gateway is bound, found, lost and set (6.8).

A recorder binds all its channels after its first time online and none that is bound; sub-devices
are probed, and offline after three unanswered probes (tuya/tuya-iotos-embeded-multimedia-demo,
demo_for_xvr_2.0.x/demo_src/tuya_xvr_dev_demo.c).
"""

import pytest

from firmware_sim import events as ev
from firmware_sim.device import reporting
from firmware_sim.wire import atop_children as wire
from firmware_sim.wire.generation import Generation
from firmware_sim.wire.mqtt_payload import Protocol
from tests.cloud.support import assert_reloads
from tests.stories.children_story import (
    BIND_MS,
    HEARTBEAT_MS,
    PLUG,
    PROBE_MS,
    SENSOR,
    THERMOMETER,
    ChildrenStory,
    calls,
    told,
)


def presence(story: ChildrenStory) -> dict[str, bool]:
    return {child: story.shown()[child] for child in story.booked()}


# --- bound ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["gateway", "nvr", "dvr"])
def test_6_8_all_are_bound_after_the_first_time_online_one_call_each(profile: str) -> None:
    story = ChildrenStory(profile)
    unit = story.unit
    unit.power()
    story.wait(BIND_MS)
    count = len(story.profile.children)
    assert calls(unit) == count * [wire.SUB_BIND.name]
    assert len(story.all_agree()) == count
    for number in range(count):
        child = story.child(number)
        assert (child.owner, child.home) == (unit.known.owner, unit.known.home)
        assert (child.local_key, child.sec_key, child.auth_key) == (unit.kept.local_key, "", "")
        product = story.state.products.get(child.product_id)
        assert product is not None
        assert child.name == product.name
        assert story.log(child.uuid)[0] == "bound"
    assert sorted(story.pushed("bindUser")) == story.booked()
    assert_reloads(story)


@pytest.mark.parametrize("generation", [Generation.ECB, Generation.GCM])
def test_firmware_of_either_generation_is_understood(generation: Generation) -> None:
    story = ChildrenStory(generation=generation)
    unit = story.started()
    assert len(story.all_agree()) == 3
    story.command(PLUG, "switch_1", value=True)
    assert story.status(PLUG)["switch_1"] is True
    story.remove_child(PLUG)
    assert unit.notes("child_removed") == [f"{story.node(PLUG)}, without its settings"]
    assert len(story.all_agree()) == 2


def test_the_oldest_firmware_keeps_them_to_itself() -> None:
    story = ChildrenStory(generation=Generation.OLD)
    unit = story.started()
    assert (unit.session, story.all_agree()) == ("UP", [])
    assert not [line for line in story.lines if "device call" in line]


def test_6_8_none_is_bound_again_that_flash_lists_as_bound() -> None:
    story = ChildrenStory()
    unit = story.started()
    bound = story.all_agree()
    unit.pull_the_plug()
    said = len(unit.said)
    unit.power()
    story.wait(BIND_MS)
    assert calls(unit, said) == []
    assert story.all_agree() == bound
    assert len(story.pushed("bindUser")) == 3


def test_a_binding_whose_answer_is_lost_is_repeated_in_the_next_session_and_gives_the_same_id() -> (
    None
):
    story = ChildrenStory()
    unit = story.unit
    unit.tell(ev.PowerApplied())
    unit.tell(ev.LinkUp(unit.ip))
    story.wait(4_000)
    assert (unit.session, calls(unit)) == ("UP", [])
    conn = unit.conn
    story.lines_open.pop(conn)  # what the cloud says on it from now on, is lost
    story.wait(BIND_MS)
    booked = story.booked()
    assert booked
    assert story.kept() == []
    story.lines_open[conn] = unit
    story.break_line(conn)
    story.wait(60_000)
    assert set(booked) < set(story.all_agree())
    assert len(story.pushed("bindUser")) == 3, "nobody is told twice"


def test_a_product_that_the_cloud_does_not_know_is_refused_once_per_start() -> None:
    story = ChildrenStory()
    product = story.state.products.get("smartplug0000001")
    assert product is not None
    story.rule(lambda s: s.products._products.remove(product))
    unit = story.started()
    assert len(story.all_agree()) == 2
    assert unit.notes("child_refused") == [f"{story.node(PLUG)}: DEVICE_UNKNOWN"]
    story.break_line(unit.conn)
    story.wait(60_000)
    assert unit.session == "UP"
    assert len(unit.notes("child_refused")) == 1
    story.rule(lambda s: s.products.put(product))
    unit.pull_the_plug()
    unit.power()
    story.wait(BIND_MS)
    assert len(story.all_agree()) == 3


# --- in reach ------------------------------------------------------------------------------------


def test_6_8_who_is_in_reach_is_told_whenever_a_session_begins() -> None:
    story = ChildrenStory()
    unit = story.started()
    online = story.child(SENSOR).dev_id, story.child(PLUG).dev_id
    assert [child for child, is_online in presence(story).items() if is_online] == sorted(online)
    story.break_line(unit.conn)
    assert not any(presence(story).values()), "with the gateway they are all gone"
    assert story.log(story.child(PLUG).uuid)[-1] == "offline"
    said = len(unit.said)
    story.wait(60_000)
    lists = {
        "online": [story.node(SENSOR), story.node(PLUG)],
        "offline": [story.node(THERMOMETER)],
    }
    assert told(unit, Protocol.CHILDREN_PRESENCE, said) == [lists]
    assert told(unit, Protocol.DP_REPORT, said) == [
        {
            "devId": unit.kept.dev_id,
            "dps": {
                "1": "disarmed",
                "2": 0,
                "3": 3,
                "4": True,
                "32": "normal",
                "34": False,
                "45": "",
            },
        }
    ], "their values have not changed"
    assert [child for child, is_online in presence(story).items() if is_online] == sorted(online)


def test_6_8_one_that_leaves_three_probes_unanswered_is_offline() -> None:
    story = ChildrenStory()
    unit = story.started()
    plug = story.child(PLUG).dev_id
    unit.tell(ev.ChildLost(PLUG))
    said = len(unit.said)
    story.wait(HEARTBEAT_MS)
    assert presence(story)[plug], "so far the gateway only wonders"
    story.wait(2 * PROBE_MS)
    assert not presence(story)[plug]
    assert told(unit, Protocol.CHILDREN_PRESENCE, said) == [
        {"online": [], "offline": [story.node(PLUG)]}
    ]
    assert story.pushed("offline")[-1] == plug
    path = f"/v1.0/devices/{plug}/commands"
    body = b'{"commands":[{"code":"switch_1","value":true}]}'
    assert story.maker.code("POST", path, None, body) == 2001


def test_one_that_comes_back_says_so_itself_with_its_values() -> None:
    story = ChildrenStory()
    unit = story.started()
    cold = story.child(THERMOMETER).dev_id
    assert not presence(story)[cold]
    assert story.status(THERMOMETER) == {}
    unit.tell(ev.ChildReached(THERMOMETER))
    story.settle()
    assert presence(story)[cold]
    assert story.status(THERMOMETER)["va_temperature"] == 215
    assert story.pushed("online")[-1] == cold


def test_one_that_answers_the_third_probe_was_never_away() -> None:
    story = ChildrenStory()
    unit = story.started()
    unit.tell(ev.ChildLost(PLUG))
    story.wait(HEARTBEAT_MS)
    unit.tell(ev.ChildReached(PLUG))
    story.wait(HEARTBEAT_MS)
    assert story.log(story.child(PLUG).uuid).count("offline") == 0


def test_while_its_gateway_has_no_power_it_may_come_and_go() -> None:
    story = ChildrenStory()
    unit = story.started()
    unit.pull_the_plug()
    unit.tell(ev.ChildLost(PLUG))
    unit.tell(ev.ChildReached(THERMOMETER))
    unit.power()
    assert presence(story) == {
        story.child(SENSOR).dev_id: True,
        story.child(PLUG).dev_id: False,
        story.child(THERMOMETER).dev_id: True,
    }


# --- set and reported ----------------------------------------------------------------------------


def test_a_command_reaches_it_by_its_node_id_and_its_report_comes_back() -> None:
    story = ChildrenStory()
    unit = story.started()
    assert story.status(PLUG)["switch_1"] is False
    said = len(unit.said)
    story.command(PLUG, "switch_1", value=True)
    assert told(unit, Protocol.DP_REPORT, said) == [
        {"devId": unit.kept.dev_id, "dps": {"1": True}, "cid": story.node(PLUG)}
    ]
    assert story.status(PLUG)["switch_1"] is True
    assert "1" in story.state.data_points.get(unit.known.dev_id)
    assert story.pushed("deviceDpCommand") == [story.child(PLUG).dev_id]


def test_what_is_set_on_the_lan_while_the_cloud_is_away_is_reported_later() -> None:
    story = ChildrenStory()
    unit = story.started()
    story.cut_off()
    changed = reporting.set_values(unit.device, {1: True}, PLUG)
    reporting.spread(unit.device, changed, PLUG)
    story.come_back()
    story.wait(60_000)
    assert story.status(PLUG)["switch_1"] is True


def test_a_wish_waits_until_it_is_in_reach() -> None:
    story = ChildrenStory()
    unit = story.unit
    unit.power()
    story.wait(BIND_MS)
    unit.pull_the_plug()
    path = f"/v2.0/cloud/thing/{story.child(PLUG).dev_id}/shadow/properties/desired"
    story.program("POST", path, {"properties": '{"switch_1":true}', "duration": 600})
    assert story.status(PLUG)["switch_1"] is False
    unit.power()
    assert story.status(PLUG)["switch_1"] is True


def test_a_command_for_one_that_is_gone_without_a_word_sets_nothing() -> None:
    story = ChildrenStory()
    unit = story.started()
    unit.tell(ev.ChildLost(PLUG))
    story.command(PLUG, "switch_1", value=True)
    assert unit.notes("child_unreached") == [story.node(PLUG)]
    assert story.status(PLUG)["switch_1"] is False


def test_it_obeys_nobody_while_its_gateway_is_frozen() -> None:
    story = ChildrenStory()
    unit = story.started()
    freeze = f"/v2.0/cloud/thing/{unit.known.dev_id}/freeze"
    story.program("POST", freeze, {"state": 1})
    path = f"/v1.0/devices/{story.child(PLUG).dev_id}/commands"
    body = b'{"commands":[{"code":"switch_1","value":true}]}'
    assert story.maker.code("POST", path, None, body) == 1103
    story.program("POST", freeze, {"state": 0})
    story.command(PLUG, "switch_1", value=True)
    assert story.status(PLUG)["switch_1"] is True


def test_a_name_of_its_own_stays() -> None:
    story = ChildrenStory()
    story.started()
    story.program("PUT", f"/v1.0/devices/{story.child(PLUG).dev_id}", {"name": "Lamp"})
    story.remove(story.unit)
    story.wait(10_000)
    story.unit.pair(story.pair_token(story.consumer(0)))
    story.wait(BIND_MS)
    assert story.child(PLUG).name == "Lamp"
