"""Explanations: every way in which somebody could do something, and what is said there."""

import msgspec

from fleet.cloud.devices import ResetKind
from fleet.cloud.explain import explain
from fleet.cloud.homes import Member, Place
from fleet.cloud.rights import Action
from tests.cloud.open.program import ACCESS_ID, OTHER_ID, open_seed
from tests.cloud.support import BUYER, OWNER, REPAIR, STRANGER, World

ID = "bfdevice00000000000000"
DEVICE = "device: product camera0000000001 (Camera of maker), bound to uid0, in EU"


def lines(world: World, who: str, action: Action, name: str = ID) -> list[str]:
    told = explain(world.state, who, action, name, world.now_ms)
    if len(told.lines) > 1:
        assert told.lines[0].startswith(f"{who} may {'' if told.allowed else 'not '}{action} ")
    return told.lines


def world_of() -> World:
    return World(start=open_seed())


def test_an_owner_by_console_and_by_key() -> None:
    assert lines(world_of(), OWNER, Action.UNBIND) == [
        f"{OWNER} may unbind {ID}",
        DEVICE,
        "console: allowed: owner of the product",
        "project 'own': allowed: product",
        "batch unbinding: account maker has used 0 of 100 today",
        "batch unbinding: product camera0000000001 has used 0 of 100 today",
    ]


def test_grants() -> None:
    world = world_of()
    assert lines(world, REPAIR, Action.RESET)[2:] == ["console: allowed: space: After sale"]
    assert lines(world, BUYER, Action.SEE_LOG)[2:] == [
        "console: refused: partner purchase does not hold see_device_log"
    ]


def test_a_stranger() -> None:
    assert lines(world_of(), STRANGER, Action.SEE) == [
        f"{STRANGER} may not see {ID}",
        DEVICE,
        "console: refused: no grant of the product's owner",
        "project 'other': refused: no claim on the device",
    ]


def test_what_stands_in_the_way_of_a_project() -> None:
    world = world_of()
    own = world.state.projects.get(ACCESS_ID)
    assert own is not None
    for changes, objection in (
        ({"plan": "expired"}, "its plan is expired"),
        ({"regions": ("AZ",)}, "data centre EU is not enabled for it (28841107)"),
    ):
        changed = msgspec.structs.replace(own, **changes)
        world.rule(lambda s, changed=changed: s.projects.put(changed))
        assert lines(world, OWNER, Action.SEE)[3] == f"project 'own': refused: {objection}"


def test_consumers_by_uid_and_by_name() -> None:
    world = world_of()
    device = world.state.devices.by_dev_id(ID)
    assert device is not None
    home = world.rule(lambda s: s.homes.of_device(device) or s.homes.make("uid0", Place("H"), 1))
    world.rule(lambda s: s.homes.put_member(home, Member("uid1", "member", "Ann")))
    for who in ("uid0", "user0"):
        assert lines(world, who, Action.DELETE)[2:] == ["app user uid0: allowed: home owner"]
    for who in ("uid1", "user1"):
        assert lines(world, who, Action.DELETE)[2:] == [
            "app user uid1: refused: home member does not hold delete"
        ]
    assert lines(world, "uid2", Action.SEE)[2:] == [
        "app user uid2: refused: no claim on the device"
    ]
    assert lines(world, "user2", Action.SEE)[2:] == [
        "user2 is neither a developer account nor a consumer of this device"
    ]


def test_what_a_consumer_authorized() -> None:
    world = world_of()
    code = world.rule(lambda s: s.open_tokens.consent(OTHER_ID, "uid0", world.now_ms))
    world.rule(lambda s: s.open_tokens.redeem(OTHER_ID, "EU", code.code, world.now_ms))
    assert lines(world, STRANGER, Action.DELETE)[3] == (
        "project 'other': allowed: authorized by uid0 (home owner)"
    )
    world.now_ms += 7_200_000
    assert "refused" in lines(world, STRANGER, Action.DELETE)[3]


def test_names_that_are_no_device_id() -> None:
    world = world_of()
    assert lines(world, OWNER, Action.SEE, "nosuch") == [
        "there is no device nosuch: refused like a foreign one (1106)"
    ]
    assert lines(world, OWNER, Action.SEE, "uuid0000")[1] == (
        f"uuid0000 is a uuid; calls name the device by its id {ID}, else 1106"
    )
    device = world.state.devices.get("uuid0000")
    assert device is not None
    fresh = msgspec.structs.replace(device, uuid="fresh", dev_id="", owner="", product_id="nosuch")
    world.rule(lambda s: s.devices.add(fresh))
    assert lines(world, OWNER, Action.SEE, "fresh") == [
        "fresh is a uuid, and the device was never paired, so it has no id (1106)"
    ]


def test_a_device_of_nobody_and_of_no_product() -> None:
    world = world_of()
    device = world.state.devices.get("uuid0000")
    assert device is not None
    stray = msgspec.structs.replace(device, product_id="nosuch")
    world.rule(lambda s: s.devices.add(stray))
    world.rule(lambda s: s.devices.remove(stray, ResetKind.RESET, reachable=False))
    assert lines(world, OWNER, Action.COMMAND) == [
        f"{OWNER} may not command {ID}",
        "device: product nosuch (unknown), bound to nobody, in EU",
        "console: refused: the device's product is unknown",
        "project 'own': refused: the device has no owner",
    ]
