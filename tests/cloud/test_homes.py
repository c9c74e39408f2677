"""Homes: who lives where, which device is in which, and the bounds."""

from typing import Any

import msgspec

from fleet.cloud.devices import Device
from fleet.cloud.homes import Home, Member, Place, Role, Room
from fleet.cloud.reasons import Reason

from .support import SETTINGS, START_MS, FakeDevice, World, assert_reloads, seed


def made(world: World, owner: str = "uid5", name: str = "Home", **kwargs: Any) -> Home:
    world.now_ms += 1
    home = world.rule(lambda s: s.homes.make(owner, Place(name), world.now_ms, **kwargs))
    assert isinstance(home, Home)
    return home


def device(world: World, number: int = 0) -> Device:
    found = world.state.devices.get(f"uuid{number:04}")
    assert found is not None
    return found


def test_who_is_what_in_a_home() -> None:
    world = World()
    home = made(world)
    admin, plain = Member("uid1", Role.ADMIN.value, "A"), Member("uid2", Role.MEMBER.value, "B")
    home = world.rule(lambda s: s.homes.put_member(home, admin))
    home = world.rule(lambda s: s.homes.put_member(home, plain))
    homes = world.state.homes
    roles = [homes.role(f"uid{n}", home.home_id) for n in (5, 1, 2, 3)]
    assert roles == ["owner", "admin", "member", ""]
    assert homes.role("uid5", "no such home") == ""
    assert home.uids == ("uid5", "uid1", "uid2")
    assert [one.home_id for one in homes.of_user("uid2")][-1] == home.home_id
    assert_reloads(world)
    promoted = msgspec.structs.replace(plain, role=Role.ADMIN.value)
    home = world.rule(lambda s: s.homes.put_member(home, promoted))
    assert home.members == (admin, promoted)
    home = world.rule(lambda s: s.homes.drop_member(home, "uid1"))
    assert homes.role("uid1", home.home_id) == ""
    assert_reloads(world)


def test_homes_are_counted_by_age_and_the_first_is_ones_own() -> None:
    world = World(start=seed(0))
    other = made(world, "uid0")
    world.rule(lambda s: s.homes.put_member(other, Member("uid1", "member", "")))
    assert world.state.homes.first_of("uid1") is None
    first, second = made(world, "uid1", "first"), made(world, "uid1", "second")
    homes = world.state.homes
    assert [home.name for home in homes.of_user("uid1")] == ["Home", "first", "second"]
    assert homes.first_of("uid1") == first
    world.rule(lambda s: s.homes.remove(first))
    assert homes.first_of("uid1") == second
    assert homes.get(first.home_id) is None
    assert len(homes) == 2
    assert_reloads(world)


def test_homes_members_and_rooms_are_bounded() -> None:
    choices = {"homes_per_user_max": 1, "home_members_max": 1, "home_rooms_max": 1}
    world = World(msgspec.structs.replace(SETTINGS, **choices), seed(0))
    home = made(world, rooms=("Hall",))
    again = world.rule(lambda s: s.homes.make("uid5", Place("x"), 1))
    rooms = world.rule(lambda s: s.homes.make("uid6", Place("x"), 1, ("a", "b")))
    room = world.rule(lambda s: s.homes.add_room(home, "Attic"))
    home = world.rule(lambda s: s.homes.put_member(home, Member("uid1", "member", "")))
    full = world.rule(lambda s: s.homes.put_member(home, Member("uid2", "member", "")))
    same = world.rule(lambda s: s.homes.put_member(home, Member("uid1", "admin", "")))
    assert {one.reason for one in (again, rooms, room, full)} == {Reason.TOO_MANY}
    assert same.role("uid1") == "admin"
    assert len(world.state.homes) == 1
    assert_reloads(world)


# --- devices ------------------------------------------------------------------------------------


def test_a_consumers_device_is_in_a_home() -> None:
    world = World()
    home = world.state.homes.of_device(device(world))
    assert home is not None
    assert (home.owner, home.name) == ("uid0", "My Home")
    assert device(world).home == home.home_id
    assert world.state.homes.of_device(Device("u", "a", "p")) is None


def test_the_first_device_makes_the_first_home() -> None:
    world = World()
    camera = FakeDevice(world, 0)
    world.get("DELETE", f"/app/v1/devices/{camera.dev_id}", None, world.consumer(0))
    assert device(world).home == ""
    assert world.state.homes.of_user("uid5") == []
    assert camera.activate(world.pair_token(world.consumer(5))) == ""
    (home,) = world.state.homes.of_user("uid5")
    assert device(world).home == home.home_id
    told = [push.biz_code for push in world.pushes]
    assert told == ["delete", "homeCreate", "bindUser"]
    assert_reloads(world)


def test_a_device_goes_where_its_owner_manages_and_else_home() -> None:
    world = World()
    other = made(world, "uid1")
    own = world.state.homes.first_of("uid0")
    assert own is not None

    def where(home_id: str, uid: str = "uid0") -> tuple[str, bool]:
        home, fresh = world.rule(lambda s: s.homes.take_in(uid, home_id, "bf1", START_MS))
        return home.home_id, fresh

    assert where("no such home") == (own.home_id, False)
    assert where(other.home_id) == (own.home_id, False), "a stranger there"
    other = world.rule(lambda s: s.homes.put_member(other, Member("uid0", "member", "")))
    assert where(other.home_id) == (own.home_id, False), "a plain member adds no devices"
    world.rule(lambda s: s.homes.put_member(other, Member("uid0", "admin", "")))
    assert where(other.home_id) == (other.home_id, False)
    home_id, fresh = where(other.home_id, "uid5")
    assert fresh
    assert world.state.homes.role("uid5", home_id) == "owner"


def test_who_leaves_a_home_takes_the_devices_along() -> None:
    world = World()
    other = made(world, "uid1")
    other = world.rule(lambda s: s.homes.put_member(other, Member("uid0", "admin", "")))
    there = msgspec.structs.replace(device(world), home=other.home_id)
    homes = world.state.homes
    assert homes.of_device(there) == other
    world.rule(lambda s: s.homes.drop_member(other, "uid0"))
    assert homes.of_device(there) == homes.first_of("uid0")


# --- rooms --------------------------------------------------------------------------------------


def test_a_device_is_in_one_room() -> None:
    world = World(start=seed(0))
    home = made(world, rooms=("Hall", "Attic"))
    hall, attic = home.rooms
    assert hall.room_id != attic.room_id
    filled = Room(hall.room_id, "Hall", ("bf1", "bf2"))
    home = world.rule(lambda s: s.homes.put_room(home, filled))
    home = world.rule(lambda s: s.homes.put_room(home, Room(attic.room_id, "Loft", ("bf2",))))
    assert [(room.name, room.devices) for room in home.rooms] == [
        ("Hall", ("bf1",)),
        ("Loft", ("bf2",)),
    ]
    assert home.room("no such room") is None
    home, fresh = world.rule(lambda s: s.homes.take_in("uid5", home.home_id, "bf2", 1))
    assert not fresh
    assert [room.devices for room in home.rooms] == [("bf1",), ()]
    home = world.rule(lambda s: s.homes.drop_room(home, hall.room_id))
    assert [room.name for room in home.rooms] == ["Loft"]
    home = world.rule(lambda s: s.homes.add_room(home, "Cellar"))
    assert [room.name for room in home.rooms] == ["Loft", "Cellar"]
    changed = world.rule(lambda s: s.homes.change(home, Place("New", "There", 1.5, -2.5)))
    assert (changed.name, changed.geo_name, changed.lon, changed.lat) == ("New", "There", 1.5, -2.5)
    assert changed.rooms == home.rooms
    assert_reloads(world)
