"""A device loses its owner while it cannot be told: it is off, offline, activating or resetting.

6.3 On its next CONNECT it is refused with code 5, asks `tuya.device.info.sync` with its old key and
resets itself as the answer says, or plainly when there is none. 6.4 A wipe that it missed comes as
`resetFactory` with its next activation, and so it is when the owner is another: the device erases
its user's data and stays online ("Device Reset", developer.tuya.com; tuya/
tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c and src/mqtt_service.c).
"""

import pytest

from firmware_sim.device.flash import ResetKind
from tests.cloud.support import OWNER, REPAIR, assert_reloads
from tests.stories.harness import Story, choose
from tests.stories.unit import Unit

PROFILES = ("ipc-red-green", "ipc-new")
KINDS = {"reset": ResetKind.REMOTE_UNBIND, "reset_factory": ResetKind.REMOTE_FACTORY}
SYNC = "tuya.device.info.sync"
ACTIVATION = "tuya.device.active"
VERSIONS = "tuya.device.versions.update"


def online(profile: str = "ipc-red-green", story: Story | None = None) -> tuple[Story, Unit]:
    """Return a story in which a device is online, with a setting that its owner made."""
    story = story or Story(profile)
    unit = story.unit
    unit.power()
    link = story.cloud._link
    story.rule(lambda _: link.command(unit.known, {101: False}, story.now_ms))
    story.settle()
    assert (unit.session, unit.kept.values) == ("UP", {101: False})
    return story, unit


# --- 6.3 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", KINDS)
def test_6_3_off_at_unbind_time_it_is_refused_at_boot_and_asks_with_its_old_key(
    kind: str, profile: str
) -> None:
    story, unit = online(profile)
    unit.pull_the_plug()
    story.remove(unit, wipe=kind == "reset_factory")
    assert unit.known.revoked
    unit.power()
    assert unit.state == "WAITING"
    assert f"a={SYNC}&" in story.overheard[-1].target
    assert unit.log()[-2:] == ["removed", "reset_fetched"]
    assert unit.kept.last_reset is KINDS[kind]
    assert bool(unit.kept.values) is (kind == "reset")
    assert_reloads(story)


@pytest.mark.parametrize("kind", KINDS)
def test_6_3_without_network_at_unbind_time_it_is_refused_when_it_reconnects(kind: str) -> None:
    story, unit = online()
    story.cut_off()
    story.wait(60_000)
    assert (unit.state, unit.session) == ("ONLINE", "BACKOFF")
    story.remove(unit, wipe=kind == "reset_factory")
    story.come_back()
    story.wait(30_000)
    assert unit.state == "WAITING"
    assert unit.kept.last_reset is KINDS[kind]


def test_6_3_the_oldest_firmware_asks_whether_it_exists_and_hears_of_no_wipe() -> None:
    story, unit = online("ipc-old")
    unit.pull_the_plug()
    story.remove(unit, wipe=True)
    unit.power()
    assert unit.state == "WAITING"
    assert "/gw.json?a=s.gw.exist&" in story.overheard[-1].target
    assert unit.kept.last_reset is ResetKind.REMOTE_UNBIND
    assert unit.kept.values == {101: False}, "what was to be wiped is still there"
    unit.pair(story.pair_token(story.consumer(0)))
    assert unit.session == "UP"
    assert unit.kept.values is None, "so it came with the next activation"


@pytest.mark.parametrize("lost", ["lost", "unanswered"])
def test_6_3_any_failure_of_the_question_is_a_plain_reset(lost: str) -> None:
    story, unit = online()
    unit.pull_the_plug()
    story.remove(unit, wipe=True)
    setattr(story, lost, SYNC)
    unit.power()
    assert unit.state == "WAITING"
    assert unit.kept.last_reset is ResetKind.REMOTE_UNBIND
    assert unit.kept.values == {101: False}
    setattr(story, lost, "")
    unit.pair(story.pair_token(story.consumer(0)))
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert unit.kept.values is None, "6.4 the wipe that it missed"


def test_6_3_the_old_key_is_good_for_that_question_only_and_until_the_next_binding() -> None:
    story, unit = online()
    unit.pull_the_plug()
    story.remove(unit)
    unit.power()
    question = story.overheard_call(SYNC)
    assert b"errorCode" not in story.repeat(question)
    unit.pair(story.pair_token(story.consumer(0)))
    assert b"BAD_SIGN" in story.repeat(question)


def test_6_3_a_device_that_the_cloud_knows_again_by_then_stays_as_it_is() -> None:
    """The refusal was a mistake that somebody has put right before the device asked."""
    story, unit = online()
    story.rule(lambda s: s.devices._replace(unit.known, revoked=True))
    story.held_up = SYNC
    story.break_line(unit.conn)
    story.wait(5_000)
    assert unit.session == "SYNCING"
    story.rule(lambda s: s.devices._replace(unit.known, revoked=False))
    story.let_through()
    story.wait(30_000)
    assert (unit.state, unit.session) == ("ONLINE", "UP")


# --- 6.4 ----------------------------------------------------------------------------------------


def test_6_4_a_wipe_that_it_missed_comes_with_the_next_activation_and_it_stays_online() -> None:
    story, unit = online()
    story.cut_off()
    unit.press()  # which the cloud does not hear of
    story.wait(10_000)
    story.come_back()
    story.remove(unit, wipe=True)
    unit.device.flash.values = {101: False}  # as if the button had kept the settings
    unit.pair(story.pair_token(story.consumer(0)))
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert unit.kept.values is None
    assert unit.notes("wiped")
    assert_reloads(story)


@pytest.mark.parametrize("wipes", [True, False])
def test_6_4_so_it_is_when_the_new_owner_is_another(*, wipes: bool) -> None:
    story, unit = online(story=Story(settings=choose(wipe_on_new_owner=wipes)))
    story.remove(unit)
    story.wait(10_000)
    assert unit.kept.values == {101: False}
    unit.pair(story.pair_token(story.consumer(1)))
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert unit.kept.values == (None if wipes else {101: False})
    assert story.owners() == ["uid1"]


@pytest.mark.parametrize("by_batch", [False, True])
def test_6_4_a_wipe_of_which_the_answer_was_lost_is_ordered_again(*, by_batch: bool) -> None:
    """The new owner's first code binds it, but it never hears so, and what it holds is not his."""
    story, unit = online()
    story.remove(unit)
    story.wait(10_000)
    story.unanswered = ACTIVATION
    unit.pair(story.pair_token(story.consumer(1)))
    story.wait(60_000)
    assert (unit.state, unit.kept.values) == ("WAITING", {101: False})
    assert story.owners() == ["uid1"]
    story.unanswered = ""
    if by_batch:
        unit.pair(story.unbind_code())
        assert unit.kept.values is None
    unit.pair(story.pair_token(story.consumer(1)))
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert unit.kept.values is None
    assert len(unit.notes("wiped")) == 1
    story.remove(unit, owner=1)
    story.wait(10_000)
    unit.pair(story.pair_token(story.consumer(1)))
    assert len(unit.notes("wiped")) == 1, "it came online, so it knows"
    assert_reloads(story)


# --- while it activates -------------------------------------------------------------------------


def test_mid_activation_removed_before_the_cloud_hears_of_it() -> None:
    """The owner removes it in the app while it is paired anew and the call is on its way."""
    story, unit = online()
    unit.reset()
    story.held_up = ACTIVATION
    unit.offer(story.pair_token(story.consumer(0)))
    story.remove(unit, wipe=True)
    story.let_through()
    story.wait(20_000)
    assert (unit.state, unit.session) == ("ONLINE", "UP"), "the token was still good"
    assert story.owners() == ["uid0"]
    assert unit.notes("wiped")


def test_mid_activation_removed_before_the_device_connects() -> None:
    story, unit = online()
    unit.reset()
    unit.kept.versions = ""  # so that it declares them before it connects
    story.held_up = VERSIONS
    unit.offer(story.pair_token(story.consumer(0)))
    assert (unit.state, unit.session) == ("ONLINE", "DECLARING")
    story.remove(unit)
    story.let_through()
    story.wait(30_000)
    assert unit.state == "WAITING"
    assert unit.log()[-3:] == ["bound", "removed", "reset_fetched"]


def test_mid_activation_removed_while_the_reply_is_lost() -> None:
    """The binding is gone and the token spent: the device may not come back with it."""
    story, unit = online()
    unit.reset()
    story.unanswered = ACTIVATION
    token = story.pair_token(story.consumer(0))
    unit.offer(token)
    assert unit.known.bound_by == token[2:10]
    story.remove(unit)
    story.unanswered = ""
    story.wait(20_000)
    assert unit.state == "WAITING"
    assert unit.notes("activation_refused") == ["TOKEN_DEAD"]
    assert story.owners() == [""]


def test_mid_activation_of_a_batch_unbinding_a_lost_reply_is_given_again_and_charged_once() -> None:
    story, unit = online()
    unit.reset()
    story.unanswered = ACTIVATION
    unit.offer(story.unbind_code(REPAIR))
    assert story.owners() == [""]
    story.wait(3_000)
    story.unanswered = ""
    story.wait(30_000)
    assert (unit.state, unit.device.operator) == ("WAITING", "unbound")
    assert [quota.used for quota in story.state.quotas.all()] == [1, 1]
    rows = story.history(story.account(OWNER))
    assert [(row["operation"], row["tries"]) for row in rows] == [("unbind", 1)]


# --- while it resets ----------------------------------------------------------------------------


def test_mid_reset_it_hears_nothing_and_misses_nothing() -> None:
    """The owner removes it in the app while it erases itself because of the button."""
    story, unit = online()
    unit.press()
    assert unit.state == "RESETTING"
    story.remove(unit, wipe=True)
    story.wait(10_000)
    assert unit.state == "WAITING"
    assert not unit.known.reset_told
    unit.pair(story.pair_token(story.consumer(0)))
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert unit.notes("wiped"), "6.4 the cloud cannot know what the button erased"


# --- while the cloud is away --------------------------------------------------------------------


def test_an_outage_between_the_release_and_the_order_to_reset() -> None:
    """A batch unbinding is committed; then the cloud is killed, and away for ten minutes."""
    story, unit = online()
    unit.reset()
    unit.kept.versions = ""
    story.held_up = VERSIONS
    unit.offer(story.unbind_code())
    assert story.owners() == [""]
    story.cut_off()
    story.let_through()
    story.kill_and_restart()
    story.wait(600_000)
    assert unit.state == "ONLINE"
    story.come_back()
    story.wait(60_000)
    assert (unit.state, unit.device.operator) == ("WAITING", "unbound")
    assert unit.log()[-3:] == ["reset_sent", "reset_confirmed", "offline"]
    assert [quota.used for quota in story.state.quotas.all()] == [1, 1]


def test_an_outage_while_a_bound_device_is_removed_by_nobody_changes_nothing() -> None:
    story, unit = online()
    story.cut_off()
    story.wait(600_000)
    story.kill_and_restart()
    story.come_back()
    story.wait(60_000)
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert story.owners() == ["uid0"]
