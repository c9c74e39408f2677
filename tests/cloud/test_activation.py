"""Pairing: who gets a device, who does not, and what the device is told to forget."""

import json

import msgspec
import pytest

from fleet.cloud.activation import Asked, activate
from fleet.cloud.reasons import Reason, Refused

from .support import (
    CAMERA,
    OWNER,
    PLUG,
    RECORDER,
    REPAIR,
    SETTINGS,
    FakeDevice,
    World,
    assert_reloads,
    seed,
)


def released(world: World, number: int = 0) -> FakeDevice:
    device = FakeDevice(world, number)
    assert device.activate(world.unbind_token(world.account(OWNER))["token"]) == ""
    world.pushes.clear()
    return device


def test_rebinding_after_a_release() -> None:
    world = World()
    device = released(world)
    consumer = world.consumer(5)
    token = world.pair_token(consumer)
    assert device.activate(token) == ""
    assert [d.uuid for d in world.state.devices.owned_by("uid5")] == [device.uuid]
    result = world.get("GET", f"/app/v1/pair-tokens/{token}", None, consumer)
    paired = {"uuid": device.uuid, "dev_id": device.dev_id, "product_id": CAMERA, "name": "Camera"}
    assert result == {"success": [paired], "failed": []}
    made, pushed = world.pushes
    assert (made.biz_code, made.uid) == ("homeCreate", "uid5"), "the first device needs a home"
    assert pushed.biz_code == "bindUser"
    assert json.loads(pushed.data) == {"devId": device.dev_id, "uid": "uid5"}
    row = world.state.history.page(OWNER).rows[-1]
    assert (row.operation, row.status, row.account) == ("bind", "ok", "uid5")
    assert device.told(device.go_online()) == [], "nothing is pending any more"
    assert_reloads(world)


def test_a_pairing_token_dies_of_its_success() -> None:
    world = World()
    first, second = released(world, 0), released(world, 1)
    token = world.pair_token(world.consumer(5))
    assert first.activate(token) == ""
    assert second.activate(token) == "TOKEN_DEAD"
    world.get("DELETE", f"/app/v1/devices/{first.dev_id}", None, world.consumer(5))
    assert first.activate(token) == "TOKEN_DEAD", "not even the same device, once removed"


def test_a_lost_reply_is_given_again() -> None:
    world = World()
    device = released(world)
    token = world.pair_token(world.consumer(5))
    device.activate(token)
    first, rows = device.granted, len(world.state.history.page(OWNER).rows)
    world.kill_and_restart()
    assert device.activate(token) == ""
    assert device.granted == first
    assert len(world.state.history.page(OWNER).rows) == rows


def test_a_pairing_token_lives_ten_minutes() -> None:
    world = World()
    device = released(world)
    consumer = world.consumer(5)
    token = world.pair_token(consumer)
    world.now_ms += 600_000
    assert device.activate(token) == "TOKEN_DEAD"
    result = world.get("GET", f"/app/v1/pair-tokens/{token}", None, consumer)
    (failed,) = result["failed"]
    assert (failed["uuid"], failed["code"]) == (device.uuid, "token_dead")
    assert failed["msg"]


# --- binding levels -----------------------------------------------------------------------------


def test_strong_another_owner_must_wait() -> None:
    world = World()
    device = FakeDevice(world, 0)
    consumer = world.consumer(5)
    token = world.pair_token(consumer)
    assert device.activate(token) == "ALREADY_BOUND"
    assert device.activate(token) == "ALREADY_BOUND"
    row = world.state.history.page(OWNER).rows[-1]
    assert (row.operation, row.status, row.reason, row.tries) == (
        "bind",
        "refused",
        "already_bound",
        2,
    )
    failed = world.get("GET", f"/app/v1/pair-tokens/{token}", None, consumer)["failed"]
    assert [one["code"] for one in failed] == ["already_bound"], "once is enough for the app"
    assert [d.uuid for d in world.state.devices.owned_by("uid0")] == [device.uuid]
    assert device.connect() == 0, "nothing happened to the binding that stands"


@pytest.mark.parametrize("product_id", [CAMERA, RECORDER, PLUG])
def test_the_same_owner_may_always_activate_again(product_id: str) -> None:
    world = World(start=seed(1, product_id))
    device = FakeDevice(world, 0, product_id)
    device.go_online()
    old = (device.sec_key, device.local_key)
    assert device.activate(world.pair_token(world.consumer(0))) == ""
    assert (device.sec_key, device.local_key) != old
    assert not device.granted.reset_factory
    assert device.conn in world.closed, "the session of the old keys is cut"
    assert [push.biz_code for push in world.pushes] == ["online", "offline"]
    assert world.log(device.uuid) == ["online", "bound", "offline"]


@pytest.mark.parametrize(
    ("product_id", "log", "pushes"),
    [
        (RECORDER, ["taken_over", "bound"], ["homeCreate", "delete", "bindUser"]),
        (PLUG, ["bound"], ["homeCreate", "bindUser"]),
    ],
)
def test_medium_is_taken_over_with_notice_and_weak_silently(
    product_id: str, log: list[str], pushes: list[str]
) -> None:
    world = World(start=seed(1, product_id))
    device = FakeDevice(world, 0, product_id)
    assert device.activate(world.pair_token(world.consumer(2))) == ""
    assert world.log(device.uuid) == log
    assert [push.biz_code for push in world.pushes] == pushes
    assert world.state.devices.owned_by("uid0") == []
    assert len(world.state.devices.owned_by("uid2")) == 1


# --- what the device must forget ----------------------------------------------------------------


@pytest.mark.parametrize("wipes", [True, False])
def test_a_new_owner_does_not_see_the_old_ones_data(*, wipes: bool) -> None:
    world = World(msgspec.structs.replace(SETTINGS, wipe_on_new_owner=wipes))
    device = FakeDevice(world, 0)
    device.go_online()
    device.report(b'{"1":true}')
    device.drop()
    known = world.state.devices.get(device.uuid)
    world.rule(lambda s: s.devices.rename(known, "Anna's bedroom", world.now_ms))
    device.activate(world.unbind_token(world.account(REPAIR))["token"])
    assert not device.granted.reset_factory
    device.activate(world.pair_token(world.consumer(5)))
    assert [d.name for d in world.state.devices.owned_by("uid5")] == ["Camera"]
    assert device.granted.reset_factory is wipes
    assert world.state.data_points.get(device.dev_id) == {}
    assert_reloads(world)


def test_the_old_owner_finds_everything_again() -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.go_online()
    device.report(b'{"1":true}')
    device.drop()
    known = world.state.devices.get(device.uuid)
    world.rule(lambda s: s.devices.rename(known, "Hall", world.now_ms))
    device.activate(world.unbind_token(world.account(REPAIR))["token"])
    device.activate(world.pair_token(world.consumer(0)))
    assert not device.granted.reset_factory
    assert next(d.name for d in world.state.devices.owned_by("uid0")) == "Hall"
    assert list(world.state.data_points.get(device.dev_id)) == ["1"]


@pytest.mark.parametrize("told", ["not at all", "on a question", "and acknowledged it"])
def test_a_factory_reset_that_was_missed_comes_with_the_next_activation(told: str) -> None:
    """What it was answered it may not have heard: the reply may be lost."""
    world = World()
    device = FakeDevice(world, 0)
    consumer = world.consumer(0)
    if told == "and acknowledged it":
        device.go_online()
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}?wipe=1", None, consumer)
    if told == "on a question":
        assert device.sync() == "reset_factory"
    elif device.conn:
        device.acknowledge(device.heard())
    device.activate(world.pair_token(consumer))
    assert device.granted.reset_factory is (told != "and acknowledged it")
    assert_reloads(world)


def test_a_new_owner_is_safe_even_if_the_device_was_told_to_erase_everything() -> None:
    """That it was told does not mean that it did: somebody may have pulled its plug."""
    world = World()
    device = FakeDevice(world, 0)
    target = f"/app/v1/devices/{device.dev_id}?wipe=1"
    world.get("DELETE", target, None, world.consumer(0))
    assert device.sync() == "reset_factory"
    device.activate(world.pair_token(world.consumer(5)))
    assert device.granted.reset_factory


# --- what is wrong with the caller --------------------------------------------------------------


def test_product_mismatch() -> None:
    world = World()
    device = released(world)
    token = world.pair_token(world.consumer(5))
    assert device.activate(token, RECORDER) == "PRODUCT_MISMATCH"
    assert world.state.history.page(OWNER).rows[-1].reason == "product_mismatch"
    assert device.activate(token) == "", "the token is still good"


def test_an_unknown_device_never_binds() -> None:
    world = World()
    token = world.pair_token(world.consumer(5))
    asked = Asked(token[2:10], CAMERA, "1.0")
    assert token[2:10] not in repr(asked)
    refusal = world.rule(activate, "no-such-uuid", asked, world.now_ms)
    assert isinstance(refusal, Refused)
    assert refusal.reason is Reason.DEVICE_UNKNOWN


def test_a_first_activation_gives_a_device_id_for_life() -> None:
    start = seed(1)
    fresh = msgspec.structs.replace(start.devices[0], dev_id="", sec_key="", local_key="", owner="")
    world = World(start=msgspec.structs.replace(start, devices=(fresh,)))
    device = FakeDevice(world, 0)
    assert device.activate(world.pair_token(world.consumer(0))) == ""
    first = device.dev_id
    assert 20 <= len(first) <= 22
    assert not device.granted.reset_factory
    device.activate(world.unbind_token(world.account(REPAIR))["token"])
    device.activate(world.pair_token(world.consumer(1)))
    assert device.dev_id == first


# --- repeated -----------------------------------------------------------------------------------


def asked(world: World, token: str, signed_s: int) -> Asked:
    return Asked(token[2:10], CAMERA, "1.2.3", "2.2", signed_s, "192.0.2.9")


@pytest.mark.parametrize("refuses", [True, False])
def test_what_was_signed_before_the_last_activation_is_a_replay(*, refuses: bool) -> None:
    """An operator's code is good for many devices, and so it would be for one device many times."""
    world = World(msgspec.structs.replace(SETTINGS, refuse_replayed_activations=refuses))
    now_s = world.now_ms // 1000
    code = world.unbind_token(world.account(OWNER))["token"]
    overheard = asked(world, code, now_s)
    world.rule(activate, "uuid0000", overheard, world.now_ms)
    bought = asked(world, world.pair_token(world.consumer(5)), now_s + 20)
    device, is_new = world.rule(activate, "uuid0000", bought, world.now_ms)
    assert (device.owner, is_new) == ("uid5", True)
    answer = world.rule(activate, "uuid0000", overheard, world.now_ms)
    assert isinstance(answer, Refused) is refuses
    assert [d.uuid for d in world.state.devices.owned_by("uid5")] == ["uuid0000"] * refuses
    if refuses:
        assert answer.reason is Reason.REPLAYED
    assert_reloads(world)


def test_a_device_without_a_clock_cannot_be_told_from_its_echo() -> None:
    world = World()
    token = world.pair_token(world.consumer(0))
    for is_new in (True, False):
        device, was_new = world.rule(activate, "uuid0000", asked(world, token, 0), world.now_ms)
        assert (device.owner, was_new) == ("uid0", is_new)
