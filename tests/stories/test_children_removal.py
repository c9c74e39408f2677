"""What is behind a gateway is removed, alone or with it (6.8).

The app removes one, or the gateway gives it up ("Remove Sub-Devices", developer.tuya.com); a gateway
that is removed keeps them for its return, one that is removed and wiped does not ("Device Reset").
"""

import pytest

from firmware_sim import events as ev
from firmware_sim.device.flash import Tie
from firmware_sim.wire import atop_children as wire
from fleet.cloud.products import Binding
from tests.cloud.support import OWNER, REPAIR, assert_reloads
from tests.stories.children_story import BIND_MS, PLUG, SENSOR, THERMOMETER, ChildrenStory, calls
from tests.stories.harness import choose

# --- removed alone -------------------------------------------------------------------------------


@pytest.mark.parametrize("wipe", [False, True])
def test_6_8_removed_in_the_app_the_gateway_forgets_it_at_once(*, wipe: bool) -> None:
    story = ChildrenStory()
    unit = story.started()
    story.command(PLUG, "switch_1", value=True)
    dev_id = story.child(PLUG).dev_id
    story.remove_child(PLUG, wipe=wipe)
    assert story.ties()[PLUG] is Tie.GONE
    assert dev_id not in story.all_agree()
    assert story.log(story.child(PLUG).uuid)[-3:] == ["removed", "reset_sent", "reset_confirmed"]
    assert story.pushed("delete") == [dev_id]
    assert bool((unit.kept.child_values or {}).get(PLUG)) is not wipe
    assert bool(story.state.data_points.get(dev_id)) is not wipe
    assert story.history(story.account(OWNER))[-1]["operation"] == "remove"
    unit.pull_the_plug()
    unit.power()
    story.wait(BIND_MS)
    assert len(story.all_agree()) == 2, "it is not bound again by itself"
    assert_reloads(story)


def test_6_8_paired_anew_it_has_its_old_id() -> None:
    story = ChildrenStory()
    unit = story.started()
    before = story.all_agree()
    story.remove_child(PLUG)
    unit.tell(ev.ChildJoined(PLUG))
    story.wait(BIND_MS)
    assert story.all_agree() == before


def test_removed_by_a_program_while_the_gateway_is_away_it_is_told_on_its_return() -> None:
    story = ChildrenStory()
    unit = story.started()
    dev_id = story.child(PLUG).dev_id
    unit.pull_the_plug()
    story.program("DELETE", f"/v1.0/devices/{dev_id}")
    assert (story.child(PLUG).pending_reset, story.child(PLUG).reset_told) == ("reset", False)
    story.kill_and_restart()
    unit.power()
    story.wait(BIND_MS)
    assert story.child(PLUG).reset_told
    assert story.ties()[PLUG] is Tie.GONE
    assert len(story.all_agree()) == 2


def test_restored_to_factory_defaults_by_a_program_it_is_wiped() -> None:
    story = ChildrenStory()
    unit = story.started()
    story.command(PLUG, "switch_1", value=True)
    story.program("POST", f"/v2.0/cloud/thing/{story.child(PLUG).dev_id}/reset")
    assert unit.notes("child_removed") == [f"{story.node(PLUG)}, with its settings"]
    assert unit.kept.child_values is None


@pytest.mark.parametrize("away", [False, True])
def test_6_8_given_up_by_the_gateway(*, away: bool) -> None:
    story = ChildrenStory()
    unit = story.started()
    dev_id = story.child(PLUG).dev_id
    if away:
        story.cut_off()
    unit.tell(ev.ChildLeft(PLUG))
    story.settle()
    if away:
        assert story.ties()[PLUG] is Tie.LEAVING
        unit.pull_the_plug()
        story.come_back()
        unit.power()
    story.wait(BIND_MS)
    assert calls(unit)[-1] == wire.SUB_UNBIND.name
    assert story.ties()[PLUG] is Tie.GONE
    assert dev_id not in story.all_agree()
    assert story.pushed("delete") == [dev_id]
    row = story.history(story.account(OWNER))[-1]
    assert (row["operation"], row["method"], row["account"]) == ("remove", "gateway", "uid0")


# --- with its gateway ----------------------------------------------------------------------------


def test_6_8_removed_with_its_gateway_it_is_kept_and_comes_back_as_it_was() -> None:
    story = ChildrenStory()
    unit = story.started()
    story.command(PLUG, "switch_1", value=True)
    before = story.all_agree()
    story.remove(unit)
    story.wait(10_000)
    assert unit.state == "WAITING"
    assert len(unit.kept.children or {}) == 3, "the gateway keeps them"
    assert story.booked() == []
    assert {story.child(n).gateway for n in range(3)} == {unit.known.dev_id}, "detached, not gone"
    assert sorted(story.pushed("delete")) == sorted([unit.known.dev_id, *before])
    unit.pair(story.pair_token(story.consumer(0)))
    story.wait(BIND_MS)
    assert story.all_agree() == before
    assert story.child(PLUG).owner == "uid0"
    assert story.status(PLUG)["switch_1"] is True
    assert (unit.kept.child_values or {})[PLUG] == {1: True}
    assert_reloads(story)


def test_6_8_removed_and_wiped_with_its_gateway_it_is_forgotten_on_both_sides() -> None:
    story = ChildrenStory()
    unit = story.started()
    story.command(PLUG, "switch_1", value=True)
    story.program("PUT", f"/v1.0/devices/{story.child(PLUG).dev_id}", {"name": "Lamp"})
    story.remove(unit, wipe=True)
    story.wait(10_000)
    assert unit.state == "WAITING"
    assert unit.kept.children is None
    assert unit.kept.child_values is None
    assert story.child(PLUG).name == ""
    assert story.state.data_points.get(story.child(PLUG).dev_id) == {}
    unit.pair(story.pair_token(story.consumer(0)))
    story.wait(BIND_MS)
    assert len(story.all_agree()) == 3
    assert (story.child(PLUG).name, story.status(PLUG)["switch_1"]) == ("Smart plug", False)


def test_6_8_one_that_was_removed_alone_stays_away_when_its_gateway_returns() -> None:
    story = ChildrenStory()
    unit = story.started()
    story.remove_child(PLUG)
    story.remove(unit)
    story.wait(10_000)
    unit.pair(story.pair_token(story.consumer(0)))
    story.wait(BIND_MS)
    assert len(story.all_agree()) == 2


def test_one_whose_removal_the_gateway_missed_stays_away_when_it_returns() -> None:
    """The gateway is away when first its sub-device is removed and then the gateway itself."""
    story = ChildrenStory()
    unit = story.started()
    unit.pull_the_plug()
    story.remove_child(PLUG)
    story.remove(unit)
    unit.power()
    story.wait(10_000)
    assert unit.state == "WAITING"
    unit.pair(story.pair_token(story.consumer(0)))
    story.wait(BIND_MS)
    assert story.ties()[PLUG] is Tie.GONE
    assert len(story.all_agree()) == 2


def test_a_batch_unbinding_of_a_gateway_counts_once() -> None:
    story = ChildrenStory()
    unit = story.started()
    before = story.all_agree()
    unit.reset()
    assert unit.kept.children is None, "the button is a factory reset"
    assert story.booked() == before, "which ends no strong binding"
    unit.pair(story.unbind_code(REPAIR))
    assert story.owners() == [""]
    assert story.booked() == []
    assert [quota.used for quota in story.state.quotas.all()] == [1, 1]
    rows = story.history(story.account(OWNER))
    assert [row["operation"] for row in rows] == ["unbind"]
    unit.pair(story.pair_token(story.consumer(1)))
    story.wait(BIND_MS)
    assert story.all_agree() == before, "device ids are for life"
    assert {story.child(number).owner for number in range(3)} == {"uid1"}


def test_after_the_button_its_owner_gets_them_all_back() -> None:
    story = ChildrenStory()
    unit = story.started()
    before = story.all_agree()
    unit.reset()
    unit.pair(story.pair_token(story.consumer(0)))
    story.wait(BIND_MS)
    assert story.all_agree() == before
    assert len(story.pushed("bindUser")) == 3, "in the cloud they had never left"
    assert {story.child(n).local_key for n in range(3)} == {unit.kept.local_key}


@pytest.mark.parametrize("binding", [Binding.MEDIUM, Binding.WEAK])
def test_6_6_taken_over_with_their_gateway_they_are_the_new_owners(binding: Binding) -> None:
    story = ChildrenStory(binding=binding)
    unit = story.started()
    story.command(PLUG, "switch_1", value=True)
    before = story.all_agree()
    story.cut_off()
    unit.reset()
    story.come_back()
    unit.pair(story.pair_token(story.consumer(1)))
    story.wait(BIND_MS)
    assert story.all_agree() == before
    assert {story.child(number).owner for number in range(3)} == {"uid1"}
    assert story.child(THERMOMETER).wipe, "nothing has been heard of it since"
    assert story.status(PLUG)["switch_1"] is False
    lost = sorted(story.pushed("delete"))
    assert lost == (sorted([unit.known.dev_id, *before]) if binding is Binding.MEDIUM else [])
    assert (
        story.refusal("DELETE", f"/app/v1/devices/{before[0]}", None, story.consumer(0))
        == "device_unknown"
    )
    story.get("DELETE", f"/app/v1/devices/{before[0]}", None, story.consumer(1))


def test_sold_on_it_forgets_what_its_former_owner_set_and_removed() -> None:
    """The owner removes one sub-device and then the gateway, and sells it with everything."""
    story = ChildrenStory()
    unit = story.started()
    story.command(PLUG, "switch_1", value=True)
    story.remove_child(SENSOR)
    story.remove(unit)
    story.wait(10_000)
    unit.pair(story.pair_token(story.consumer(1)))
    story.wait(BIND_MS)
    assert unit.notes("wiped")
    assert len(story.all_agree()) == 3
    assert story.status(PLUG)["switch_1"] is False


def test_unless_the_cloud_wipes_nothing_for_a_new_owner() -> None:
    story = ChildrenStory(settings=choose(wipe_on_new_owner=False))
    unit = story.started()
    story.command(PLUG, "switch_1", value=True)
    story.remove_child(SENSOR)
    story.remove(unit)
    story.wait(10_000)
    unit.pair(story.pair_token(story.consumer(1)))
    story.wait(BIND_MS)
    assert len(story.all_agree()) == 2
    assert story.status(PLUG)["switch_1"] is True


def test_but_what_was_to_be_wiped_and_was_not_is_wiped_even_then() -> None:
    """The gateway is off when its owner removes and wipes a sub-device, and removes the gateway."""
    story = ChildrenStory(settings=choose(wipe_on_new_owner=False))
    unit = story.started()
    for number in (PLUG, SENSOR):
        unit.kept.child_values = {**(unit.kept.child_values or {}), number: {1: True}}
    unit.flash = unit.kept.image()
    unit.pull_the_plug()
    story.remove_child(PLUG, wipe=True)
    story.remove(unit)
    unit.power()
    assert unit.state == "WAITING"
    unit.pair(story.pair_token(story.consumer(1)))
    story.wait(BIND_MS)
    assert unit.kept.child_values == {SENSOR: {1: True}}
    assert story.ties()[PLUG] is Tie.GONE
    assert len(story.all_agree()) == 2


def test_the_owner_is_deleted_and_all_devices_with_it() -> None:
    story = ChildrenStory(settings=choose(user_delete_days=0))
    unit = story.started()
    before = story.all_agree()
    story.program("POST", "/v1.0/users/uid0/actions/pre-delete")
    story.wait(10_000)
    assert story.owners() == [""]
    assert unit.state == "WAITING"
    assert unit.kept.children is None
    assert sorted(story.pushed("delete")) == sorted([unit.known.dev_id, *before])


def test_deleted_in_one_call_with_its_gateway() -> None:
    story = ChildrenStory()
    unit = story.started()
    plug = story.child(PLUG).dev_id
    ids = f"{unit.known.dev_id},{plug}"
    envelope = story.maker.call("DELETE", "/v1.0/iot-03/devices", {"device_ids": ids})
    assert envelope["success"], envelope
    story.wait(20_000)
    assert unit.state == "WAITING"
    assert story.ties()[PLUG] is Tie.GONE, "it was asked for by name"
    unit.pair(story.pair_token(story.consumer(0)))
    story.wait(BIND_MS)
    assert len(story.all_agree()) == 2


def test_where_the_gateway_is_put_there_they_are() -> None:
    story = ChildrenStory()
    unit = story.started()
    space = story.rule(lambda s: s.spaces.make("tuyasim0client0id000", "EU", "Hall", story.now_ms))
    path = f"/v2.0/cloud/thing/{unit.known.dev_id}/transfer"
    story.program("POST", path, {"space_id": space.space_id})
    assert {story.child(number).space for number in range(3)} == {space.space_id}
