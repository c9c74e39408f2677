"""A device loads new firmware, and what else happens to it meanwhile.

Protocol 15 makes it ask what there is; it reports how far it is by status and by protocol 16, says
that it has finished, restarts and reports its version. What a reset does in the middle of that is
the firmware's choice (tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c, src/tuya_ota.c).
"""

import json
from typing import Any

import pytest

from firmware_sim.device.flash import ResetKind
from firmware_sim.device.profile import WhileUpdating
from tests.cloud.support import OWNER, assert_reloads
from tests.stories.harness import Story
from tests.stories.unit import Unit

PROFILES = ("ipc-old", "ipc-red-green", "ipc-new")
FIRMWARE = "/console/v1/products/product000000001/firmware"


def released(profile: str = "ipc-red-green", **firmware: Any) -> tuple[Story, Unit]:
    """Return an online device, and a product that has a newer version."""
    story = Story(profile, **firmware)
    story.unit.power()
    story.get("POST", FIRMWARE, {"version": "2.0.0", "size": 500_000}, story.account(OWNER))
    return story, story.unit


def order(unit: Unit) -> None:
    path = f"/console/v1/devices/{unit.uuid}/upgrades"
    unit.story.get("POST", path, {"version": "2.0.0"}, unit.story.account(OWNER))
    unit.story.settle()


def orders(unit: Unit) -> list[tuple[int, int]]:
    path = f"/console/v1/devices/{unit.uuid}/upgrades"
    found = unit.story.get("GET", path, None, unit.story.account(OWNER))
    return [(one["status"], one["percent"]) for one in found]


def pushed(story: Story) -> list[int]:
    told = (json.loads(push.data) for push in story.pushes if push.biz_code == "upgradeStatus")
    return [data["upgradeStatus"] for data in told]


@pytest.mark.parametrize("profile", PROFILES)
def test_an_online_device_loads_what_it_was_ordered_to(profile: str) -> None:
    story, unit = released(profile)
    before = unit.device.software_version
    order(unit)
    assert unit.state == "UPDATING"
    story.wait(story.profile.timings.download_ms // 2 + 1_000)
    (found,) = orders(unit)
    assert found[0] == 2
    assert 0 < found[1] < 100
    story.wait(60_000)
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert unit.device.software_version == unit.known.software == "2.0.0"
    assert orders(unit) == []
    assert pushed(story) == [2, 3]
    row = next(row for row in story.state.device_log.of(unit.uuid) if row.event == "upgraded")
    assert row.detail == f"{before} to 2.0.0"
    assert_reloads(story)


@pytest.mark.parametrize("version", ["2", "2.0-rc_1", "V2.0"])
def test_every_version_that_can_be_ordered_is_loaded(version: str) -> None:
    story, unit = released()
    account = story.account(OWNER)
    story.get("POST", FIRMWARE, {"version": version, "size": 9}, account)
    story.get("POST", f"/console/v1/devices/{unit.uuid}/upgrades", {"version": version}, account)
    story.wait(60_000)
    assert unit.known.software == version
    assert orders(unit) == []


def test_a_device_that_was_off_loads_it_when_it_comes_online() -> None:
    story, unit = released()
    unit.pull_the_plug()
    order(unit)
    assert orders(unit) == [(0, 0)]
    unit.power()
    story.wait(60_000)
    assert unit.known.software == "2.0.0"


def test_power_cut_in_the_middle_leaves_the_old_firmware_which_tries_again() -> None:
    story, unit = released()
    order(unit)
    story.wait(10_000)
    unit.pull_the_plug()
    assert unit.device.software_version != "2.0.0"
    unit.power()
    story.wait(60_000)
    assert unit.device.software_version == unit.known.software == "2.0.0"


def test_a_silent_version_is_loaded_by_whoever_starts() -> None:
    story, unit = released()
    firmware = {"version": "2.1.0", "size": 9, "silent": True}
    story.get("POST", FIRMWARE, firmware, story.account(OWNER))
    unit.pull_the_plug()
    unit.power()
    story.wait(60_000)
    assert unit.known.software == "2.1.0"
    unit.pull_the_plug()
    unit.power()
    assert unit.state == "ONLINE", "once"


def test_there_and_back_while_an_answer_is_lost_the_cloud_knows_what_runs() -> None:
    """The report of a version arrives, its answer does not; then the one before is installed."""
    story, unit = released()
    story.get("POST", FIRMWARE, {"version": "3.0.0", "size": 9}, story.account(OWNER))
    order(unit)
    story.wait(60_000)
    story.unanswered = "tuya.device.versions.update"
    path = f"/console/v1/devices/{unit.uuid}/upgrades"
    story.get("POST", path, {"version": "3.0.0"}, story.account(OWNER))
    story.wait(60_000)
    assert unit.known.software == "3.0.0"
    story.unanswered = ""
    order(unit)
    story.wait(60_000)
    assert unit.device.software_version == unit.known.software == "2.0.0"
    assert orders(unit) == []


def test_an_unbinding_in_the_middle_is_obeyed() -> None:
    story, unit = released(reset_during_update=WhileUpdating.OBEY)
    order(unit)
    story.wait(5_000)
    story.remove(unit)
    story.wait(20_000)
    assert unit.state == "WAITING"
    assert unit.known.software != "2.0.0"


def test_or_refused_and_caught_up_on_after_the_restart() -> None:
    story, unit = released(reset_during_update=WhileUpdating.REFUSE)
    order(unit)
    story.wait(5_000)
    story.remove(unit, wipe=True)
    story.wait(5_000)
    assert unit.state == "UPDATING"
    story.wait(90_000)
    assert unit.state == "WAITING"
    assert unit.device.software_version == "2.0.0"
    assert story.owners() == [""]
    assert unit.kept.last_reset is ResetKind.REMOTE_FACTORY, "it was refused, and asked"
