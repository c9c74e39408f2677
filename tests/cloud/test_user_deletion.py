"""The end of a user's days: devices, homes and logins go, when the time has come and not before."""

import pytest

from firmware_sim.events import DeadlineReached
from fleet.cloud import user_deletion
from fleet.cloud.homes import Member, Place
from fleet.cloud.reasons import Reason

from .support import DAY_MS, PASSWORD, FakeDevice, World, assert_reloads


def leaving(world: World, uid: str = "uid0") -> None:
    user = world.state.users.get(uid)
    assert user is not None
    world.rule(lambda s: s.users.prepare_delete(user, world.now_ms))


def test_a_user_goes_with_all_there_is() -> None:
    world = World()
    camera = FakeDevice(world, 0)
    camera.go_online()
    session = world.consumer(0)
    theirs = world.rule(lambda s: s.homes.make("uid1", Place("x"), world.now_ms))
    world.rule(lambda s: s.homes.put_member(theirs, Member("uid0", "admin", "")))
    world.rule(lambda s: s.asset_grants.grant("uid0", ["hall"]))
    leaving(world)
    deadline_ms = world.cloud.next_deadline_ms()
    assert deadline_ms is not None
    assert deadline_ms <= world.now_ms + 7 * DAY_MS
    world.now_ms += 7 * DAY_MS - 1
    world.handle(DeadlineReached())
    assert world.state.users.get("uid0") is not None
    assert world.state.users.next_deletion_ms == world.now_ms + 1

    session = world.get("POST", "/app/v1/login", {"name": "user0", "password": PASSWORD})["session"]
    camera.go_online()
    world.now_ms += 1
    world.handle(DeadlineReached())
    state = world.state
    assert state.users.get("uid0") is None
    assert state.devices.owned_by("uid0") == []
    assert state.homes.of_user("uid0") == []
    assert state.asset_grants.of_space("hall") == []
    assert state.homes.role("uid0", theirs.home_id) == ""
    assert world.refusal("GET", "/app/v1/devices", None, session) == Reason.NO_SESSION
    assert {"delete", "userDelete"} <= {push.biz_code for push in world.pushes}
    device = state.devices.get(camera.uuid)
    assert device is not None
    assert (device.pending_reset, device.reset_told) == ("reset_factory", False)
    assert camera.heard(), "it was online, so it is told"
    assert_reloads(world)


def test_a_device_that_is_not_there_is_refused_from_now_on() -> None:
    world = World()
    leaving(world)
    world.now_ms += 7 * DAY_MS
    world.handle(DeadlineReached())
    device = world.state.devices.get("uuid0000")
    assert device is not None
    assert device.revoked
    assert world.state.users.get("uid1") is not None


def test_many_users_go_in_several_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_deletion, "BATCH", 2)
    world = World()
    for number in range(3):
        leaving(world, f"uid{number}")
    world.now_ms += 7 * DAY_MS
    world.handle(DeadlineReached())
    assert len(world.state.users) == 4
    assert world.state.users.next_deletion_ms == world.now_ms
    world.handle(DeadlineReached())
    assert len(world.state.users) == 3
    assert world.state.users.next_deletion_ms is None
