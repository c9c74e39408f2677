"""A sub-device is ordered onto new firmware, which its gateway loads for it and hands on.

The order of things is that of the page "OTA Updates" for gateways (developer.tuya.com): the gateway
is told, loads, tells the progress, and reports the version that runs.
"""

import json

import pytest

from firmware_sim import events as ev
from firmware_sim.rng import Rng
from fleet.cloud.upgrades import UpgradeOrder
from tests.cloud.support import OWNER, assert_reloads
from tests.stories.children_story import BIND_MS, PLUG, THERMOMETER, ChildrenStory

ALL_MS = 60_000


def released(profile: str = "gateway") -> ChildrenStory:
    """Return a gateway with all that is behind it, for which there is newer firmware."""
    story = ChildrenStory(profile)
    story.started()
    story.wait(BIND_MS)
    account = story.account(OWNER)
    for product in sorted({child.product_id for child in story.profile.children}):
        path = f"/console/v1/products/{product}/firmware"
        story.get("POST", path, {"version": "2.0.0", "size": 500_000}, account)
    return story


def order(story: ChildrenStory, number: int = PLUG) -> None:
    path = f"/console/v1/devices/{story.child(number).uuid}/upgrades"
    story.get("POST", path, {"version": "2.0.0"}, story.account(OWNER))
    story.settle()


def orders(story: ChildrenStory, number: int = PLUG) -> list[UpgradeOrder]:
    return story.state.upgrades.orders(story.child(number).uuid)


def told(story: ChildrenStory) -> list[tuple[str, int]]:
    """Return of which device programs heard how far it is, in order."""
    pushes = [push for push in story.pushes if push.biz_code == "upgradeStatus"]
    return [(push.dev_id, json.loads(push.data)["upgradeStatus"]) for push in pushes]


@pytest.mark.parametrize("profile", ["gateway", "nvr"])
def test_what_is_in_reach_loads_it_at_once(profile: str) -> None:
    story = released(profile)
    order(story)
    story.wait(10_000)
    (running,) = orders(story)
    assert running.status == 2
    assert 0 < running.percent < 100
    assert story.unit.state == "ONLINE"
    story.wait(ALL_MS)
    assert (orders(story), story.child(PLUG).software) == ([], "2.0.0")
    dev_id = story.child(PLUG).dev_id
    assert told(story) == [(dev_id, 2), (dev_id, 3)]
    assert story.log(story.child(PLUG).uuid)[-2:] == ["upgrade_ordered", "upgraded"]
    assert_reloads(story)


def test_what_is_out_of_reach_loads_it_when_it_comes_back() -> None:
    story = released()
    order(story, THERMOMETER)
    story.wait(ALL_MS)
    assert [one.status for one in orders(story, THERMOMETER)] == [0]
    story.unit.tell(ev.ChildReached(THERMOMETER))
    story.wait(ALL_MS)
    assert (orders(story, THERMOMETER), story.child(THERMOMETER).software) == ([], "2.0.0")


@pytest.mark.parametrize("happens", ["power cut", "line broken", "cloud killed", "all of them"])
def test_whatever_comes_between_in_the_end_it_runs(happens: str) -> None:
    for seed in range(15):
        story, rng = released(), Rng(seed)
        order(story)
        story.wait(rng.below(36_000))
        if happens != "cloud killed":
            story.break_line(story.unit.conn)
        if happens in ("cloud killed", "all of them"):
            story.kill_and_restart()
        if happens in ("power cut", "all of them"):
            story.unit.pull_the_plug()
            story.unit.power()
        story.wait(2 * ALL_MS)
        assert (orders(story), story.child(PLUG).software) == ([], "2.0.0"), seed
        assert 48 not in [status for _, status in told(story)], seed


def test_it_keeps_its_firmware_through_everything() -> None:
    story = released()
    unit = story.unit
    order(story)
    story.wait(ALL_MS)
    story.remove(unit, wipe=True)
    story.wait(10_000)
    assert unit.state == "WAITING"
    unit.pair(story.pair_token(story.consumer(1)))
    story.wait(BIND_MS)
    assert (story.child(PLUG).owner, story.child(PLUG).software) == ("uid1", "2.0.0")


def test_removed_meanwhile_it_loads_nothing_and_after_that_it_does() -> None:
    story = released()
    order(story)
    story.wait(5_000)
    story.remove_child(PLUG)
    story.wait(ALL_MS)
    assert story.child(PLUG).software == "1.0.0"
    assert orders(story)[0].open
    story.unit.tell(ev.ChildJoined(PLUG))
    story.wait(ALL_MS)
    assert (orders(story), story.child(PLUG).software) == ([], "2.0.0")


def test_while_its_gateway_loads_firmware_of_its_own_it_waits() -> None:
    story = released()
    account = story.account(OWNER)
    product = story.unit.known.product_id
    path = f"/console/v1/products/{product}/firmware"
    story.get("POST", path, {"version": "3.0.0", "size": 9}, account)
    path = f"/console/v1/devices/{story.unit.uuid}/upgrades"
    story.get("POST", path, {"version": "3.0.0"}, account)
    story.settle()
    order(story)
    assert story.unit.state == "UPDATING"
    story.wait(2 * ALL_MS)
    assert story.unit.known.software == "3.0.0"
    assert (orders(story), story.child(PLUG).software) == ([], "2.0.0")
