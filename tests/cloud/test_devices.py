"""The registry: what each transition leaves behind."""

import pytest

from fleet.cloud.devices import Device, ResetKind

from .support import START_MS, World, assert_reloads


def device(world: World) -> Device:
    found = world.state.devices.get("uuid0000")
    assert found is not None
    return found


def test_looking_up() -> None:
    devices = World().state.devices
    assert devices.get("nosuch") is None
    assert devices.by_dev_id("nosuch") is None
    assert devices.by_dev_id("") is None
    found = devices.by_dev_id("bfdevice00000000000001")
    assert found is not None
    assert found.uuid == "uuid0001"
    assert [d.uuid for d in devices.all()] == [f"uuid{n:04}" for n in range(4)]
    assert len(devices) == 4
    assert devices.owned_by("nobody") == []


def test_keys_are_not_shown() -> None:
    one = Device("uuid", "AUTHKEY", "pid", sec_key="SECKEY", local_key="LOCALKEY")
    assert "KEY" not in repr(one)


def test_binding_gives_new_keys_and_the_old_id() -> None:
    world = World()
    before = device(world)
    world.rule(lambda s: s.devices.remove(before, ResetKind.RESET, reachable=False))
    after = world.rule(
        lambda s: s.devices.bind(device(world), "uid1", "token", name="Hall", wipe=True, now_ms=5)
    )
    assert (after.owner, after.last_owner, after.bound_by) == ("uid1", "uid1", "token")
    assert (after.name, after.wipe, after.activated_ms) == ("Hall", True, 5)
    assert (after.pending_reset, after.revoked, after.live) == ("", False, True)
    assert after.dev_id == before.dev_id
    assert len(after.sec_key) == len(after.local_key) == 16
    assert after.sec_key not in (before.sec_key, after.local_key)
    assert [d.uuid for d in world.state.devices.owned_by("uid1")] == ["uuid0000", "uuid0001"]
    assert_reloads(world)


@pytest.mark.parametrize("admit", [True, False])
def test_a_release(*, admit: bool) -> None:
    world = World()
    before = device(world)
    after = world.rule(
        lambda s: s.devices.release(before, "b1", ResetKind.RESET, START_MS, admit=admit)
    )
    assert (after.bound, after.released_by, after.pending_reset) == (False, "b1", "reset")
    assert after.live is admit
    assert (after.sec_key == before.sec_key) is not admit
    assert after.last_owner == "uid0"
    assert world.state.devices.owned_by("uid0") == []
    assert_reloads(world)


@pytest.mark.parametrize(
    ("kind", "name"), [(ResetKind.RESET, "Camera"), (ResetKind.RESET_FACTORY, "")]
)
def test_a_removal(kind: ResetKind, name: str) -> None:
    world = World()
    after = world.rule(lambda s: s.devices.remove(device(world), kind, reachable=True))
    assert (after.bound, after.pending_reset, after.live, after.name) == (False, kind, True, name)
    told = world.rule(lambda s: s.devices.confirm_reset(device(world)))
    assert (told.reset_told, told.live) == (True, False)
    again = world.rule(lambda s: s.devices.offer_again(device(world)))
    assert (again.reset_told, again.live) == (False, True)
    assert_reloads(world)


def test_software_is_noted_once_and_cut() -> None:
    world = World()
    commits = world.commits
    for _ in range(2):
        world.rule(lambda s: s.devices.note_software(device(world), "1.2.3" * 9))
    assert device(world).software == ("1.2.3" * 9)[:16]
    assert world.commits == commits + 1
