"""The registry: what each transition leaves behind."""

import msgspec
import pytest

from fleet.cloud.devices import Device, ResetKind, Site

from .support import CAMERA, PLUG, START_MS, World, assert_reloads

SITE = Site(region="AZ", home="h1", space="s1", time_zone="-08:00", lon="1.5", lat="2.5")


def device(world: World) -> Device:
    found = world.state.devices.get("uuid0000")
    assert found is not None
    return found


def bind(world: World, owner: str, now_ms: int, site: Site = SITE) -> Device:
    found: Device = world.rule(
        lambda s: s.devices.bind(
            device(world), owner, "token", name="Hall", wipe=True, now_ms=now_ms, site=site
        )
    )
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


def test_in_order_of_id_all_or_those_of_a_product() -> None:
    world = World()
    devices = world.state.devices
    ids = [f"bfdevice{n:014}" for n in range(4)]
    assert [one.dev_id for one in devices.after("")] == ids
    assert [one.dev_id for one in devices.of_product(CAMERA)] == ids
    assert [one.dev_id for one in devices.of_product(CAMERA, ids[1])] == ids[2:]
    world.rule(lambda s: s.devices.add(Device("blank", "k", PLUG)))
    world.rule(lambda s: s.devices.add(Device("new", "k", PLUG, dev_id="bfa")))
    moved = msgspec.structs.replace(device(world), product_id=PLUG)
    world.rule(lambda s: s.devices.add(moved))
    assert [one.dev_id for one in devices.of_product(PLUG)] == ["bfa", ids[0]]
    assert [one.dev_id for one in devices.of_product(CAMERA)] == ids[1:]
    assert list(devices.of_product("nosuch")) == []
    named = msgspec.structs.replace(moved, dev_id="bfz")
    world.rule(lambda s: s.devices.add(named))
    assert [one.dev_id for one in devices.of_product(PLUG)] == ["bfa", "bfz"]


def test_keys_are_not_shown() -> None:
    one = Device("uuid", "AUTHKEY", "pid", sec_key="SECKEY", local_key="LOCALKEY")
    assert "KEY" not in repr(one)


def test_binding_gives_new_keys_and_the_old_id() -> None:
    world = World()
    before = device(world)
    world.rule(lambda s: s.devices.remove(before, ResetKind.RESET, reachable=False))
    after = bind(world, "uid1", now_ms=5)
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


@pytest.mark.parametrize("channel", [0, 9])
def test_a_version_is_noted_once_and_cut(channel: int) -> None:
    world = World()
    commits = world.commits
    assert device(world).version_of(channel) == ""
    for _ in range(2):
        world.rule(lambda s: s.devices.note_version(device(world), channel, "1.2.3" * 9))
    assert device(world).version_of(channel) == ("1.2.3" * 9)[:16]
    assert world.commits == commits + 1
    world.rule(lambda s: s.devices.note_version(device(world), channel, "1\x00.2"))
    assert device(world).version_of(channel) == "1.2"
    assert_reloads(world)


def test_a_device_has_so_many_chips() -> None:
    world = World()
    for channel in range(255, 0, -1):
        world.rule(lambda s, c=channel: s.devices.note_version(device(world), c, "1"))
    assert [channel for channel, _ in device(world).modules] == list(range(240, 256))
    world.rule(lambda s: s.devices.note_version(device(world), 255, "2"))
    assert device(world).version_of(255) == "2"


def test_a_generation_is_noted_once() -> None:
    world = World()
    commits = world.commits
    for _ in range(2):
        world.rule(lambda s: s.devices.note_generation(device(world), "2.3"))
    assert device(world).generation == "2.3"
    assert world.commits == commits + 1


def test_a_binding_says_where_and_when() -> None:
    world = World()
    after = bind(world, "uid1", START_MS + 5)
    where = (after.region, after.home, after.space, after.time_zone, after.lon, after.lat)
    assert where == ("AZ", "h1", "s1", "-08:00", "1.5", "2.5")
    assert (after.created_ms, after.activated_ms) == (START_MS, START_MS + 5)
    again = bind(world, "uid1", START_MS + 9, Site())
    assert (again.created_ms, again.activated_ms) == (START_MS, START_MS + 9)
    assert (again.region, again.home) == ("", "")
    released = world.rule(
        lambda s: s.devices.release(again, "b", ResetKind.RESET, START_MS, admit=False)
    )
    assert (released.home, released.space) == ("", "")
    assert_reloads(world)


def test_a_device_that_was_never_bound_is_created_when_it_is() -> None:
    world = World()
    fresh = world.rule(lambda s: s.devices.add(Device("new", "authkey", "camera0000000001")))
    bound = world.rule(
        lambda s: s.devices.bind(fresh, "uid0", "t", name="N", wipe=False, now_ms=7, site=SITE)
    )
    assert (bound.created_ms, bound.activated_ms) == (7, 7)
    assert bound in list(world.state.devices.after(""))
    assert_reloads(world)


def test_names_frost_and_space() -> None:
    world = World()
    renamed = world.rule(lambda s: s.devices.rename(device(world), "Porch", 1))
    assert (renamed.name, renamed.updated_ms) == ("Porch", 1)
    frozen = world.rule(lambda s: s.devices.freeze(device(world), 2, frozen=True))
    assert (frozen.frozen, frozen.updated_ms) == (True, 2)
    moved = world.rule(lambda s: s.devices.move(device(world), 3, space="77"))
    assert (moved.space, moved.updated_ms) == ("77", 3)
    assert world.state.devices.in_space("77") == [moved]
    assert world.state.devices.in_space("nosuch") == []
    assert_reloads(world)


def test_names_of_points_end_with_owner_or_wipe() -> None:
    world = World()

    def name(names: dict[str, str]) -> Device:
        named: Device = world.rule(lambda s: s.devices.name_points(device(world), names, 1))
        return named

    assert name({"a": "A", "b": "B"}).point_names == (("a", "A"), ("b", "B"))
    assert name({"a": "", "b": "C"}).point_names == (("b", "C"),)
    assert bind(world, "uid0", 2).point_names == (("b", "C"),)
    assert_reloads(world)
    assert bind(world, "uid1", 3).point_names == ()
    name({"a": "A"})
    kept = world.rule(lambda s: s.devices.remove(device(world), ResetKind.RESET, reachable=True))
    assert kept.point_names == (("a", "A"),)
    wipe = ResetKind.RESET_FACTORY
    assert world.rule(lambda s: s.devices.remove(kept, wipe, reachable=True)).point_names == ()


def test_going_through_all_in_order_of_id() -> None:
    world = World()
    devices = world.state.devices
    ids = [one.dev_id for one in devices.after("")]
    assert ids == sorted(ids)
    assert len(ids) == 4
    assert [one.dev_id for one in devices.after(ids[1])] == ids[2:]
    assert [one.dev_id for one in devices.after(ids[1] + "0")] == ids[2:]
    assert list(devices.after("z")) == []


def test_what_is_behind_a_gateway() -> None:
    world = World()
    gateway = device(world)
    sensor = Device("s1", "authkey", gateway.product_id, dev_id="bfsub", gateway=gateway.dev_id)
    world.rule(lambda s: s.devices.add(sensor))
    assert world.state.devices.behind(gateway.dev_id) == [sensor]
    assert world.state.devices.behind("nosuch") == []
    assert_reloads(world)


def test_one_that_is_nobodys_can_be_forgotten() -> None:
    world = World()
    gateway = device(world)
    before = [one.dev_id for one in world.state.devices.after("")]
    sensor = Device("s1", "", gateway.product_id, dev_id="bfsub", gateway=gateway.dev_id)
    world.rule(lambda s: s.devices.add(sensor))
    world.rule(lambda s: s.devices.drop(sensor))
    devices = world.state.devices
    assert (devices.get("s1"), devices.by_dev_id("bfsub")) == (None, None)
    assert devices.behind(gateway.dev_id) == []
    assert [one.dev_id for one in devices.after("")] == before
    assert "bfsub" not in [one.dev_id for one in devices.of_product(gateway.product_id)]
    assert_reloads(world)


def test_how_it_was_activated() -> None:
    world = World()
    noted = {"generation": "2.1", "asked_s": 17, "ip": "192.0.2.9"}
    after = world.rule(lambda s: s.devices.note_activation(device(world), **noted))
    assert (after.generation, after.asked_s, after.ip) == ("2.1", 17, "192.0.2.9")
    assert_reloads(world)
