"""Whose business users and homes are, and which projects hear of a device."""

import contextlib
from typing import Any

import msgspec
import pytest

from fleet.cloud import rights
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.homes import Member
from fleet.cloud.open.codes import OpenRefused
from fleet.cloud.products import Product
from fleet.cloud.rights import Action
from tests.cloud.rights_world import (
    UIDS,
    call,
    caller,
    device_of,
    give_app,
    live_in,
    may,
    project_of,
    world_of,
)
from tests.cloud.support import (
    BUYER,
    CAMERA,
    OWNER,
    PARTNER,
    REPAIR,
    SETTINGS,
    STRANGER,
    World,
    assert_reloads,
)

# --- users and homes ----------------------------------------------------------------------------


def knows(world: World, name: str, account: str = STRANGER, **words: Any) -> bool:
    with contextlib.suppress(OpenRefused):
        rights.check_user(call(world, account, **words), name)
        return True
    return False


def test_users_are_the_business_of_their_app_and_of_whom_they_authorized() -> None:
    world = world_of()
    give_app(world, STRANGER, "app")
    assert [knows(world, uid) for uid in (*UIDS, "nosuch", "")] == [True, True, False, False, False]
    assert not knows(world, "uid0", region="AZ")
    assert not knows(world, "uid0", OWNER)
    assert knows(world, "uid2", uid="uid2")
    assert not knows(world, "uid2", uid="uid1")
    assert not knows(world, "nosuch", uid="nosuch")
    assert not knows(world, "uid2", uid="uid2", region="AZ")


def test_homes() -> None:
    world = world_of()
    home = live_in(world, "uid0", Member("uid2", "member", "Ann"))

    def allowed(account: str, **words: Any) -> set[str]:
        found = set()
        for action in Action:
            with contextlib.suppress(OpenRefused):
                asked = rights.check_home(call(world, account, **words), action, home.home_id)
                assert asked == home
                found.add(action.value)
        return found

    assert allowed(OWNER) == set()
    assert allowed(STRANGER, uid="uid1") == set()
    assert allowed(STRANGER, uid="uid2") == {"see", "status", "command", "see_home"}
    assert {"edit_home", "add_admin"} <= allowed(STRANGER, uid="uid0")
    give_app(world, STRANGER, "app")
    assert allowed(STRANGER) == {*Action}
    assert allowed(STRANGER, region="AZ") == set()
    for uid, home_id in (("uid2", home.home_id), ("uid1", "nosuch")):
        with pytest.raises(OpenRefused, match="1106"):
            rights.check_home(call(world, BUYER, uid=uid), Action.EDIT_HOME, home_id)
    with pytest.raises(OpenRefused, match="1106"):
        rights.check_user(call(world, BUYER), "uid0")
    assert_reloads(world)


# --- who hears ----------------------------------------------------------------------------------


def test_who_hears_of_a_device() -> None:
    world = world_of()

    def hearing(device: Device | None = None, schema: str = "") -> list[str]:
        found = rights.projects_for(world.state, device or device_of(world), world.now_ms, schema)
        return [project.owner for project in found]

    assert hearing() == [OWNER]
    give_app(world, STRANGER, "app")
    assert hearing() == [OWNER, STRANGER]
    code = world.rule(lambda s: s.open_tokens.consent("key-buyer", "uid0", world.now_ms))
    world.rule(lambda s: s.open_tokens.redeem("key-buyer", "EU", code.code, world.now_ms))
    assert hearing() == [BUYER, OWNER, STRANGER]
    device = device_of(world)
    world.rule(lambda s: s.devices.remove(device, ResetKind.RESET, reachable=False))
    assert hearing() == [], "it is nobody's any more"
    assert hearing(device) == [BUYER, OWNER, STRANGER]
    world.now_ms += 7_200_000
    assert hearing(device) == [OWNER, STRANGER]
    forgotten = msgspec.structs.replace(device, owner="somebody")
    assert hearing(forgotten) == [OWNER]
    assert hearing(forgotten, "app") == [OWNER, STRANGER]
    abroad = msgspec.structs.replace(project_of(world, OWNER), regions=("AZ",))
    world.rule(lambda s: s.projects.put(abroad))
    assert hearing(forgotten) == []
    own = msgspec.structs.replace(device, owner=project_of(world, REPAIR).uid)
    assert hearing(own) == [REPAIR]


@pytest.mark.parametrize(("counts", "heard"), [(True, [OWNER, PARTNER, REPAIR]), (False, [OWNER])])
def test_who_sees_a_device_by_a_grant_hears_of_it(*, counts: bool, heard: list[str]) -> None:
    world = world_of(msgspec.structs.replace(SETTINGS, open_grantee_projects=counts))
    accounts = (BUYER, OWNER, PARTNER, REPAIR, STRANGER)
    assert [one for one in accounts if may(world, "see", caller(world, one))] == heard
    found = rights.projects_for(world.state, device_of(world), world.now_ms)
    assert [project.owner for project in found] == heard


def test_a_product_that_changes_hands_takes_its_rights_along_at_once() -> None:
    world = world_of()
    product = world.state.products.get(CAMERA)
    assert isinstance(product, Product)
    sold = msgspec.structs.replace(product, owner=STRANGER)
    assert may(world, "unbind", caller(world, OWNER))
    world.rule(lambda s: s.products.put(sold))
    assert not may(world, "unbind", caller(world, OWNER))
    assert may(world, "unbind", caller(world, STRANGER))
