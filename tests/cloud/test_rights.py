"""The table of rights, against a naive model that reads like the rules, and the one answer 1106."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.cloud import rights
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.homes import Member
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.permissions import PARTNER_RIGHTS, PRESET_ROLES, GrantKind, Permission
from fleet.cloud.rights import Action
from fleet.cloud.users import App
from tests.cloud.rights_world import (
    PRODUCTS,
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
    OWNER,
    PARTNER,
    RECORDER,
    REPAIR,
    SETTINGS,
    STRANGER,
    World,
)

DEVICE_ACTIONS = {"see", "status", "see_log", "command", "rename", "move", "freeze"}
REMOVALS = {"unbind", "delete", "reset"}
READING = {"see", "status", "see_log"}
OF_PEOPLE = {"pair", "see_user", "edit_user", "see_home", "edit_home", "add_member"}
OF_OWNERS = {"add_admin", "delete_home"}


def test_the_actions_are_those_of_the_model() -> None:
    assert {*Action} == DEVICE_ACTIONS | REMOVALS | OF_PEOPLE | OF_OWNERS


# --- every role, action and product -------------------------------------------------------------

ROLES = [
    *(("partner", right) for right in PARTNER_RIGHTS),
    *(("space", role) for role in PRESET_ROLES),
    ("space", "own role"),
    ("origin", "unbind"),
]


def granted(role: str, action: str, own_role: set[str]) -> bool:
    """Say what a grant allows, in the words of the rules."""
    develops = role in {"development", "both", "developer", "Administrators"}
    if role == "own role":
        develops = "edit_product" in own_role
    if action in REMOVALS:
        return role in {
            *("development", "both", "After sale", "Administrators", "unbind"),
            *(["own role"] if "unbind" in own_role else []),
        }
    if action in READING:
        services = role in {"After sale", "customer service"}
        own = role == "own role" and "see_device_log" in own_role
        return own or services or (develops and role != "own role")
    return develops and action in {"command", "rename", "freeze"}


@pytest.mark.parametrize(("kind", "role"), ROLES)
@settings(max_examples=25)
@given(
    own_role=st.sets(st.sampled_from([*Permission])),
    products=st.sets(st.sampled_from(PRODUCTS), min_size=1),
)
def test_every_role_action_and_product(
    kind: str, role: str, own_role: set[Permission], products: set[str]
) -> None:
    world = world_of(msgspec.structs.replace(SETTINGS, open_grantee_projects=True))
    world.rule(lambda s: s.accounts.define_role(OWNER, "own role", own_role))
    for product_id in PRODUCTS:
        world.rule(lambda s, one=product_id: s.accounts.origins.note(one, STRANGER))
    grant = world.rule(lambda s: s.accounts.grant(OWNER, GrantKind(kind), STRANGER, role, products))
    for product_id, action in itertools.product(PRODUCTS, Action):
        device = device_of(world, product_id)
        expected = product_id in products and granted(role, action, {*own_role})
        told = rights.decide_at_console(world.state, STRANGER, action, device)
        assert told.allowed is expected
        assert may(world, action, caller(world, STRANGER), device) is expected
        told = rights.decide_at_console(world.state, OWNER, action, device)
        assert told.allowed is (action in DEVICE_ACTIONS | REMOVALS)
    world.rule(lambda s: s.accounts.revoke(OWNER, grant.grant_id))
    for product_id, action in itertools.product(PRODUCTS, Action):
        device = device_of(world, product_id)
        assert not rights.decide_at_console(world.state, STRANGER, action, device).allowed
        assert not may(world, action, caller(world, STRANGER), device)


@pytest.mark.parametrize("account", [PARTNER, REPAIR, BUYER])
def test_a_grant_is_for_the_console_unless_a_setting_says_more(account: str) -> None:
    world = world_of()
    assert not any(may(world, action, caller(world, account)) for action in Action)


# --- projects and people ------------------------------------------------------------------------


@given(
    maker=st.booleans(),
    schemas=st.sets(st.sampled_from(["app", "other", "third"])),
    token=st.sampled_from(["", *UIDS]),
    home_owner=st.sampled_from(UIDS),
    roles=st.dictionaries(st.sampled_from(UIDS), st.sampled_from(["admin", "member"])),
    removes=st.booleans(),
    action=st.sampled_from([*Action]),
)
def test_product_application_and_authorization(
    *,
    maker: bool,
    schemas: set[str],
    token: str,
    home_owner: str,
    roles: dict[str, str],
    removes: bool,
    action: str,
) -> None:
    roles.pop(home_owner, None)
    world = world_of(msgspec.structs.replace(SETTINGS, home_member_removes=removes))
    account = OWNER if maker else STRANGER
    give_app(world, account, *schemas)
    lives = {home_owner, *roles, "uid0"} if "uid0" in {home_owner, *roles} else {"uid0"}
    live_in(world, home_owner, *(Member(uid, role, uid) for uid, role in roles.items()))

    def at_home(uid: str) -> set[str]:
        manages = DEVICE_ACTIONS - {"freeze"} | REMOVALS | {"pair", "add_member"}
        manages |= {"see_home", "edit_home"}
        if uid not in lives:
            return set()
        if uid == "uid0" or (uid == home_owner):
            return manages | OF_OWNERS | {"see_user", "edit_user"}
        if roles[uid] == "admin":
            return manages
        return {"see", "status", "command", "see_home"} | (REMOVALS if removes else set())

    expected = (
        (maker and action in DEVICE_ACTIONS | REMOVALS)
        or "app" in schemas
        or (token != "" and action in at_home(token))
    )
    assert may(world, action, caller(world, account, uid=token)) is expected
    for uid in UIDS:
        told = rights.decide_at_home(world.state, uid, Action(action), device_of(world))
        assert told.allowed is (action in at_home(uid))
    assert set(rights.users_of(world.state, device_of(world))) == lives


def test_it_says_by_what() -> None:
    world = world_of()
    live_in(world, "uid0", Member("uid1", "member", "Ann"))

    def why(action: Action, **words: Any) -> str:
        who = caller(world, words.pop("account", STRANGER), **words)
        return rights.decide(world.state, who, action, device_of(world)).why

    assert why(Action.SEE, account=OWNER) == "product"
    assert why(Action.SEE) == "no claim on the device"
    assert why(Action.SEE, uid="uid1") == "authorized by uid1 (home member)"
    assert why(Action.DELETE, uid="uid1") == (
        "authorized by uid1 (home member) does not hold delete"
    )
    assert why(Action.SEE, account=OWNER, region="AZ") == "the device is in data centre EU, not AZ"


def test_what_a_project_paired_for_itself_is_its_own() -> None:
    world = world_of()
    own = msgspec.structs.replace(device_of(world), owner=project_of(world, STRANGER).uid)
    world.rule(lambda s: s.devices.add(own))
    allowed = {action for action in Action if may(world, action, caller(world, STRANGER))}
    assert allowed == DEVICE_ACTIONS | REMOVALS | {"pair"}
    assert not may(world, "see", caller(world, PARTNER))


def asset_world(account: str) -> World:
    """Return a world in which `joe` is an asset user and may work in the first device's asset."""
    world = world_of()
    project = project_of(world, account)
    app = App("EU", project.asset_app)
    world.rule(lambda s: s.users.register("joe", "x", "joe", now_ms=1, app=app))
    space = world.rule(lambda s: s.spaces.make(project.access_id, "EU", "Hall", 1))
    world.rule(lambda s: s.devices.move(device_of(world), 1, space=space.space_id))
    assert not may(world, "see", caller(world, account, uid="joe"))
    world.rule(lambda s: s.asset_grants.grant("joe", [space.space_id]))
    return world


@pytest.mark.parametrize("account", [OWNER, STRANGER])
def test_asset_users_manage_what_is_in_their_assets_and_nothing_else(account: str) -> None:
    world = asset_world(account)
    joe = caller(world, account, uid="joe")
    allowed = {action for action in Action if may(world, action, joe)}
    assert allowed == DEVICE_ACTIONS - {"freeze"} | REMOVALS | {"pair"}
    why = rights.decide_at_home(world.state, "joe", Action.SEE, device_of(world)).why
    assert why == "asset user"
    assert not may(world, "see", joe, device_of(world, RECORDER))
    assert not may(world, "see", caller(world, STRANGER, uid="uid1"))
    assert rights.users_of(world.state, device_of(world)) == ["uid0", "joe"]
    assert rights.is_asset_user(world.state, joe)
    world.rule(lambda s: s.devices.move(device_of(world), 2, space=""))
    assert not may(world, "see", joe)


def test_asset_users_do_not_dispose_of_the_projects_app_users() -> None:
    world = asset_world(STRANGER)
    give_app(world, STRANGER, "app")
    home = live_in(world, "uid0")
    rights.check_user(call(world, STRANGER), "uid0")
    rights.check_user(call(world, STRANGER, uid="joe"), "joe")
    assert rights.check_home(call(world, STRANGER), Action.SEE_HOME, home.home_id) == home
    joe = call(world, STRANGER, uid="joe")
    with pytest.raises(OpenRefused):
        rights.check_user(joe, "uid0")
    with pytest.raises(OpenRefused):
        rights.check_home(joe, Action.SEE_HOME, home.home_id)


def test_who_lets_a_project_act() -> None:
    world = world_of()
    project = project_of(world, STRANGER)
    assert not rights.lets_act(world.state, project, "uid0", world.now_ms)
    code = world.rule(lambda s: s.open_tokens.consent(project.access_id, "uid0", world.now_ms))
    world.rule(lambda s: s.open_tokens.redeem(project.access_id, "EU", code.code, world.now_ms))
    assert rights.lets_act(world.state, project, "uid0", world.now_ms)
    assert not rights.lets_act(world.state, project, "uid1", world.now_ms)
    give_app(world, STRANGER, "app")
    assert rights.lets_act(world.state, project_of(world, STRANGER), "uid1", world.now_ms)


# --- one answer ---------------------------------------------------------------------------------


def refused(world: World, device: Device | None, **words: Any) -> None:
    for action in Action:
        with pytest.raises(OpenRefused) as refusal:
            rights.check(call(world, words.pop("account", OWNER), **words), action, device)
        assert refusal.value.code is Code.PERMISSION_DENY
        assert refusal.value.msg == "permission deny"


def test_foreign_elsewhere_unbound_and_uuid_are_one_answer() -> None:
    world = world_of()
    device = device_of(world)
    assert rights.check(call(world, OWNER), Action.SEE, device) is device
    by_uuid = world.state.devices.by_dev_id(device.uuid)
    refused(world, by_uuid)
    refused(world, world.state.devices.by_dev_id("nosuch"))
    refused(world, device, region="AZ")
    for action, account in itertools.product(Action, (PARTNER, STRANGER)):
        with pytest.raises(OpenRefused):
            rights.check(call(world, account), action, device)
    world.rule(lambda s: s.devices.remove(device, ResetKind.RESET, reachable=False))
    refused(world, device_of(world))
    bought = caller(world, OWNER)
    told = rights.decide(world.state, bought, Action.SEE, device_of(world))
    assert told.why == "the device has no owner"


def test_a_device_is_only_in_the_data_centre_where_it_was_paired() -> None:
    world = world_of()
    moved = msgspec.structs.replace(device_of(world), region="AZ")
    world.rule(lambda s: s.devices.add(moved))
    assert may(world, "see", caller(world, OWNER, region="AZ"), moved)
    assert not may(world, "see", caller(world, OWNER, region="EU"), moved)
    assert rights.region_of(world.state, moved) == "AZ"


def test_at_the_console_makers_read_about_what_nobody_owns() -> None:
    world = world_of()
    device = device_of(world)
    world.rule(lambda s: s.devices.remove(device, ResetKind.RESET, reachable=False))
    for action in Action:
        told = rights.decide_at_console(world.state, OWNER, action, device_of(world))
        assert told.allowed is (action in READING)
    stray = msgspec.structs.replace(device, product_id="nosuch")
    for account in (OWNER, STRANGER):
        told = rights.decide_at_console(world.state, account, Action.SEE, stray)
        assert (told.allowed, told.why) == (False, "the device's product is unknown")
    told = rights.decide_at_console(world.state, PARTNER, Action.PAIR, device)
    assert told.why == "no grant holds pair"


def test_a_device_of_an_unknown_product_is_nobodys_by_product() -> None:
    world = world_of(msgspec.structs.replace(SETTINGS, open_grantee_projects=True))
    stray = msgspec.structs.replace(device_of(world), product_id="nosuch")
    assert not may(world, "see", caller(world, OWNER), stray)
    assert may(world, "see", caller(world, OWNER, uid="uid0"), stray)
    assert rights.projects_for(world.state, stray, world.now_ms) == []
