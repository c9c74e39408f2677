"""Three devices of one consumer, one of each product of the maker, and a project per account."""

import msgspec

from fleet.cloud import rights
from fleet.cloud.devices import Device
from fleet.cloud.homes import Home, Member, Place
from fleet.cloud.open.routes import Caller, OpenCall
from fleet.cloud.projects import Project
from fleet.cloud.rights import Action
from fleet.cloud.seed import DeviceSeed, ProjectSeed, UserSeed
from fleet.cloud.settings import Settings
from tests.cloud.support import (
    BUYER,
    CAMERA,
    OWNER,
    PARTNER,
    PLUG,
    RECORDER,
    REPAIR,
    SETTINGS,
    STRANGER,
    World,
    seed,
)

PRODUCTS = (CAMERA, RECORDER, PLUG)
UIDS = ("uid0", "uid1", "uid2")


def world_of(chosen: Settings = SETTINGS) -> World:
    """Return a world with three devices, one of each product, all of `uid0`.

    uid0 and uid1 are users of the app "app", uid2 of "other".
    """
    start = seed()
    users = tuple(
        UserSeed(uid=uid, name=uid, schema=schema)
        for uid, schema in zip(UIDS, ("app", "app", "other"), strict=True)
    )
    devices = tuple(
        DeviceSeed(
            uuid=f"uuid{number}",
            auth_key="a" * 32,
            product_id=product_id,
            dev_id=f"bf{product_id}",
            sec_key="s" * 16,
            local_key="l" * 16,
            owner="uid0",
        )
        for number, product_id in enumerate(PRODUCTS)
    )
    projects = tuple(
        ProjectSeed(access_id=f"key-{name}", secret="s" * 32, owner=name, name=name)
        for name in (OWNER, PARTNER, REPAIR, BUYER, STRANGER)
    )
    return World(
        chosen,
        msgspec.structs.replace(start, users=users, devices=devices, projects=projects),
    )


def device_of(world: World, product_id: str = CAMERA) -> Device:
    found = world.state.devices.by_dev_id(f"bf{product_id}")
    assert found is not None
    return found


def project_of(world: World, account: str) -> Project:
    found = world.state.projects.get(f"key-{account}")
    assert found is not None
    return found


def caller(world: World, account: str, *, region: str = "EU", uid: str = "") -> Caller:
    return Caller(project_of(world, account), region, uid)


def call(world: World, account: str, *, region: str = "EU", uid: str = "") -> OpenCall:
    who = caller(world, account, region=region, uid=uid)
    return OpenCall(world.state, world.cloud._link, who, {}, {}, b"", world.now_ms)


def may(world: World, action: str, who: Caller, device: Device | None = None) -> bool:
    decision = rights.decide(world.state, who, Action(action), device or device_of(world))
    assert decision.why
    return decision.allowed


def give_app(world: World, account: str, *schemas: str) -> None:
    project = msgspec.structs.replace(project_of(world, account), schemas=schemas)
    world.rule(lambda state: state.projects.put(project))


def live_in(world: World, owner: str, *members: Member) -> Home:
    """Put all devices into a home of `owner` with these members."""
    home: Home = world.rule(lambda s: s.homes.make(owner, Place("Home"), world.now_ms))
    for member in members:
        home = world.rule(lambda s, home=home, member=member: s.homes.put_member(home, member))
    for product_id in PRODUCTS:
        moved = msgspec.structs.replace(device_of(world, product_id), home=home.home_id)
        world.rule(lambda s, moved=moved: s.devices.add(moved))
    return home
