"""Planted homes: people live in them, devices are in them, and each mistake is one line."""

import re

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.planting import plant
from fleet.cloud.seed import HomeSeed, MemberSeed, Seed, UserSeed

from .support import World, assert_reloads
from .test_planting import SMALL

FAMILY = Seed(
    accounts=SMALL.accounts,
    users=(*SMALL.users, UserSeed(uid="u2", name="guest")),
    homes=(
        HomeSeed(owner="u1", name="House", rooms=("Hall",)),
        HomeSeed(
            owner="u1",
            name="Shop",
            members=(MemberSeed(uid="u2", name="Guest"),),
        ),
    ),
    products=SMALL.products,
    devices=SMALL.devices,
)


def test_people_live_in_homes_and_devices_are_in_them() -> None:
    bound = msgspec.structs.replace(FAMILY.devices[1], home="Shop")
    world = World(start=msgspec.structs.replace(FAMILY, devices=(bound,)))
    house, shop = world.state.homes.of_user("u1")
    assert [room.name for room in house.rooms] == ["Hall"]
    assert (shop.role("u1"), shop.role("u2")) == ("owner", "member")
    device = world.state.devices.get("d2")
    assert device is not None
    assert device.home == shop.home_id
    assert_reloads(world)


def test_a_member_may_be_an_administrator() -> None:
    members = (MemberSeed(uid="u2", name="Guest", admin=True),)
    home = msgspec.structs.replace(FAMILY.homes[0], members=members)
    world = World(start=msgspec.structs.replace(FAMILY, homes=(home,)))
    (house,) = world.state.homes.of_user("u2")
    assert house.role("u2") == "admin"


def test_a_device_without_a_home_is_in_its_owners_first() -> None:
    world = World(start=msgspec.structs.replace(FAMILY, homes=()))
    (made,) = world.state.homes.of_user("u1")
    device = world.state.devices.get("d2")
    assert device is not None
    assert device.home == made.home_id


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"owner": "u9"}, "homes[1]: there is no user u9"),
        ({"name": "House"}, "homes[1]: u1 has a home House already"),
        ({"members": (MemberSeed(uid="u9", name="x"),)}, "homes[1]: there is no user u9"),
        ({"members": (MemberSeed(uid="u1", name="x"),)}, "homes[1]: the owner is no member"),
    ],
)
def test_a_home_that_cannot_be(changes: dict[str, object], complaint: str) -> None:
    wrong = msgspec.structs.replace(FAMILY.homes[1], **changes)
    with pytest.raises(UsageError, match=f"^seed: {re.escape(complaint)}"):
        World(start=msgspec.structs.replace(FAMILY, homes=(FAMILY.homes[0], wrong)))


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        (0, "devices[0]: a device that is nobody's is in no home"),
        (1, "devices[1]: u1 has no home Barn"),
    ],
)
def test_a_home_that_is_not_there(index: int, complaint: str) -> None:
    devices = list(FAMILY.devices)
    devices[index] = msgspec.structs.replace(devices[index], home="Barn")
    with pytest.raises(UsageError, match=re.escape(complaint)):
        World(start=msgspec.structs.replace(FAMILY, devices=tuple(devices)))


def test_a_user_of_an_app_in_another_centre() -> None:
    user = UserSeed(
        uid="u3", name="zoe", schema="app", region="IN", country_code="91", nick_name="Zoë"
    )
    world = World(start=msgspec.structs.replace(SMALL, users=(*SMALL.users, user)))
    users = world.state.users
    found = users.find(users.app("app", "IN"), "zoe")
    assert found == users.get("u3")
    assert found is not None
    assert (found.country_code, found.nick_name) == ("91", "Zoë")
    assert users.find(users.app(), "user") == users.get("u1")
    nowhere = Seed(users=(UserSeed(uid="u4", name="x", region="XX"),))
    with pytest.raises(UsageError, match=r"users\[0\]: XX is no data centre"):
        plant(world.state, nowhere, world.now_ms)
