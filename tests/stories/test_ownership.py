"""Who holds a device: its owner keeps it, whatever is done to the device or said in its name.

6.5 The button resets the device: online it tells the cloud, offline nobody does. A strong binding
outlasts either. 6.6 While it stands, nobody else binds the device; firmware repeats a refused
activation every second ("Device Binding Mode", help centre; tuya/
tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c).
"""

import msgspec
import pytest

from firmware_sim.wire import atop
from firmware_sim.wire import atop_messages as messages
from fleet.cloud.messages import HttpRequested
from fleet.cloud.products import Binding
from tests.cloud.support import ADMIN, OWNER, assert_reloads
from tests.stories.harness import Story
from tests.stories.unit import Unit

ACTIVATIONS = {
    "ipc-old": "s.gw.dev.pk.active",
    "ipc-red-green": "tuya.device.active",
    "ipc-new": "thing.device.opensdk.active",
}


def refusals(story: Story) -> dict[str, int]:
    services: dict[str, int] = story.get("GET", "/admin/v1/stats", None, ADMIN)["services"]
    return {name: n for name, n in services.items() if name.startswith("device_refused_")}


# --- 6.5 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ACTIVATIONS)
def test_6_5_reset_by_its_button_online_the_cloud_is_told_and_the_binding_stands(
    profile: str,
) -> None:
    story = Story(profile)
    unit = story.unit
    unit.power()
    unit.reset()
    assert "local_reset" in unit.log()
    assert story.owners() == ["uid0"]
    assert unit.device.operator == "waiting"
    unit.pair(story.pair_token(story.consumer(1)))
    assert unit.notes("activation_refused") == ["ALREADY_BOUND"]
    assert story.owners() == ["uid0"]
    unit.pair(story.pair_token(story.consumer(0)))
    assert (unit.state, unit.session) == ("ONLINE", "UP")


def test_6_5_reset_by_its_button_offline_nobody_tells_the_cloud() -> None:
    story = Story()
    unit = story.unit
    unit.power()
    story.cut_off()
    unit.reset()
    story.come_back()
    assert "local_reset" not in unit.log()
    assert story.owners() == ["uid0"]
    unit.pair(story.pair_token(story.consumer(1)))
    assert story.owners() == ["uid0"]
    unit.pair(story.unbind_code())
    assert story.owners() == [""], "this is what batch unbinding is for"
    unit.pair(story.pair_token(story.consumer(1)))
    assert story.owners() == ["uid1"]


@pytest.mark.parametrize("binding", [Binding.MEDIUM, Binding.WEAK])
def test_6_5_a_binding_that_is_not_strong_ends_with_the_button_if_the_cloud_hears_of_it(
    binding: Binding,
) -> None:
    story = Story(binding=binding)
    unit = story.unit
    unit.power()
    unit.reset()
    assert story.owners() == [""]


# --- 6.6 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("binding", Binding)
def test_6_6_who_may_bind_a_device_that_is_bound(binding: Binding) -> None:
    story = Story(binding=binding)
    unit = story.unit
    unit.power()
    story.cut_off()
    unit.reset()
    story.come_back()
    unit.pair(story.pair_token(story.consumer(1)))
    assert story.owners() == ["uid0" if binding is Binding.STRONG else "uid1"]
    assert ("taken_over" in unit.log()) is (binding is Binding.MEDIUM)


def test_6_6_firmware_that_repeats_a_refused_activation_gets_in_when_the_owner_lets_go() -> None:
    story = Story("ipc-retry")
    unit = story.unit
    unit.power()
    unit.reset()
    token = story.pair_token(story.consumer(1))
    unit.offer(token)
    story.wait(60_000)
    assert unit.state == "ACTIVATING"
    row = story.history(story.account(OWNER))[-1]
    assert (row["reason"], row["account"]) == ("already_bound", "uid1")
    assert row["tries"] == 61, "one row, however often"
    story.remove(unit)
    story.wait(5_000)
    assert (unit.state, unit.session) == ("ONLINE", "UP")
    assert story.owners() == ["uid1"]


# --- the id of old ------------------------------------------------------------------------------


def test_6_2_a_forged_id_of_another_device_brings_the_own_one_back() -> None:
    story = Story(count=2)
    mine, other = story.units
    mine.power()
    other.power()
    mine.reset()
    mine.device.flash.dev_id = other.known.dev_id
    mine.pair(story.pair_token(story.consumer(0)))
    assert mine.kept.dev_id == mine.known.dev_id != other.known.dev_id
    assert (mine.session, other.session) == ("UP", "UP"), "the other noticed nothing"
    assert story.owners() == ["uid0", "uid0"]


def test_a_forged_id_does_not_unbind_the_other_either() -> None:
    story = Story(count=2)
    mine, other = story.units
    mine.power()
    other.power()
    mine.reset()
    mine.device.flash.dev_id = other.known.dev_id
    mine.pair(story.unbind_code())
    assert story.owners() == ["", "uid0"]
    assert other.session == "UP"


# --- overheard and repeated ---------------------------------------------------------------------


def inner(unit: Unit, reply: bytes, profile: str) -> atop.Inner:
    et = {"ipc-old": atop.ET_NONE, "ipc-new": atop.ET_GCM}.get(profile, atop.ET_ECB)
    return atop.decode_inner(atop.decode_reply(reply, unit.identity.auth_key, et))


def activated(profile: str, *, unbind: bool = False) -> tuple[Story, Unit, HttpRequested]:
    """Return a device that was reset and brought a token, and its activation as overheard."""
    story = Story(profile)
    unit = story.unit
    unit.power()
    unit.reset()
    unit.pair(story.unbind_code() if unbind else story.pair_token(story.consumer(0)))
    return story, unit, story.overheard_call(ACTIVATIONS[profile])


@pytest.mark.parametrize("profile", ACTIVATIONS)
def test_a_repeated_activation_disturbs_nobody(profile: str) -> None:
    story, unit, heard = activated(profile)
    log, keys = unit.log(), (unit.kept.sec_key, unit.kept.local_key)
    known = unit.known
    stranger = msgspec.structs.replace(heard, headers={"x-peer-ip": "192.0.2.66"})
    assert inner(unit, story.repeat(stranger), profile).success
    assert unit.session == "UP", "its connection stands"
    assert (unit.log(), unit.known) == (log, known)
    assert keys == (unit.known.sec_key, unit.known.local_key)


@pytest.mark.parametrize("profile", ["ipc-red-green", "ipc-new"])
def test_an_activation_repeated_after_the_window_is_stale(profile: str) -> None:
    story, unit, heard = activated(profile)
    story.wait(301_000)
    assert inner(unit, story.repeat(heard), profile).error_code == "STALE_TIME"
    assert unit.session == "UP"


@pytest.mark.parametrize("profile", ACTIVATIONS)
def test_an_activation_repeated_after_the_owner_removed_the_device_binds_nobody(
    profile: str,
) -> None:
    story, unit, heard = activated(profile)
    story.remove(unit)
    story.wait(10_000)
    assert inner(unit, story.repeat(heard), profile).error_code == "TOKEN_DEAD"
    assert story.owners() == [""]


@pytest.mark.parametrize("profile", ACTIVATIONS)
def test_an_unbinding_repeated_after_somebody_bought_the_device_releases_nothing(
    profile: str,
) -> None:
    """The code is alive and has places left, and the request is young: only its time betrays it."""
    story, unit, heard = activated(profile, unbind=True)
    assert story.owners() == [""]
    unit.pair(story.pair_token(story.consumer(1)))
    assert story.owners() == ["uid1"]
    rows = story.history(story.account(OWNER))
    assert inner(unit, story.repeat(heard), profile).error_code == "REPLAYED"
    assert story.owners() == ["uid1"]
    assert unit.session == "UP"
    assert story.history(story.account(OWNER)) == rows
    assert refusals(story) == {"device_refused_replayed": 1}
    assert_reloads(story)


def test_what_is_repeated_in_another_form_does_not_fit_its_signature() -> None:
    """A call of newer firmware, sent as one of the oldest, whose clock does not count."""
    story, _, heard = activated("ipc-red-green")
    story.wait(301_000)
    target = heard.target.replace("/d.json", "/gw.json").replace("uuid=", "gwId=")
    reply = story.repeat(msgspec.structs.replace(heard, target=target))
    assert atop.decode_inner(reply).error_code == "BAD_SIGN"


def test_somebody_elses_device_id_in_a_call() -> None:
    story = Story(count=2)
    mine, other = story.units
    mine.power()
    other.power()
    request = messages.StampRequest(t=story.now_ms // 1000)
    target, body = atop.encode_request(
        messages.RESET.name,
        messages.RESET.version,
        story.now_ms // 1000,
        mine.kept.sec_key,
        messages.encode(request),
        dev_id=other.known.dev_id,
    )
    reply = story.repeat(HttpRequested(0, "POST", target, {}, body))
    assert atop.decode_inner(reply).error_code == "BAD_SIGN"
    assert "local_reset" not in other.log()
