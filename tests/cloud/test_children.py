"""Rules of sub-devices: who may be bound behind a gateway, as what, and who is in reach."""

import pytest
from msgspec.structs import replace

from fleet.cloud import children, rights, upgrading
from fleet.cloud.children import Asked
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.homes import Member, Role
from fleet.cloud.reach import CHANGES_PER_S_MAX
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.removal import detach, remove
from fleet.cloud.upgrades import Firmware
from tests.cloud.children_world import NODE, OTHER_NODE, Gateway, online
from tests.cloud.support import CAMERA, PLUG, SETTINGS, assert_reloads
from tests.stories.harness import choose


def bind(gateway: Gateway, node: str = NODE, product: str = PLUG) -> Device | Refused:
    asked = Asked(node, product, "1.0.0", online=True)
    world = gateway.world
    result: Device | Refused = world.rule(children.bind, gateway.known, asked, world.now_ms)
    return result


def reason(result: Device | Refused) -> Reason:
    assert isinstance(result, Refused)
    return result.reason


def test_a_new_one_belongs_to_the_gateways_owner_and_has_no_key_of_its_own() -> None:
    gateway = Gateway()
    child = bind(gateway)
    assert isinstance(child, Device)
    known = gateway.known
    assert (child.owner, child.home, child.region) == (known.owner, known.home, known.region)
    assert (child.gateway, child.node_id) == (known.dev_id, NODE)
    assert (child.auth_key, child.sec_key, child.local_key) == ("", "", known.local_key)
    assert (child.name, child.software, child.wipe) == ("Plug", "1.0.0", False)
    assert not child.live
    assert len(child.uuid) <= 25
    assert len(child.dev_id) <= 25
    assert gateway.world.state.devices.owned_by("uid0") == sorted(
        [known, child], key=lambda one: one.uuid
    )
    assert_reloads(gateway.world)


def test_its_names_follow_from_where_it_is() -> None:
    gateway, again = Gateway(), Gateway()
    first, second = bind(gateway), bind(gateway, OTHER_NODE)
    assert isinstance(first, Device)
    assert isinstance(second, Device)
    assert (first.uuid, first.dev_id) != (second.uuid, second.dev_id)
    repeated = bind(again)
    assert isinstance(repeated, Device)
    assert (repeated.uuid, repeated.dev_id) == (first.uuid, first.dev_id)


def test_bound_twice_nothing_happens() -> None:
    gateway = Gateway()
    first = bind(gateway)
    rows, pushes = len(gateway.world.state.history.page("maker").rows), len(gateway.world.pushes)
    assert bind(gateway) == first
    assert len(gateway.world.pushes) == pushes
    assert len(gateway.world.state.history.page("maker").rows) == rows


def test_who_is_refused() -> None:
    gateway = Gateway()
    assert reason(bind(gateway, product="nosuch")) is Reason.DEVICE_UNKNOWN
    bind(gateway)
    assert reason(bind(gateway, product=CAMERA)) is Reason.PRODUCT_MISMATCH
    world = gateway.world
    world.rule(remove, "uid0", gateway.dev_id, ResetKind.RESET, world.now_ms, reachable=False)
    assert reason(bind(gateway)) is Reason.NOT_BOUND


def test_one_whose_removal_the_gateway_has_yet_to_hear_of_is_not_bound_again() -> None:
    gateway = Gateway()
    bind(gateway)
    world, child = gateway.world, gateway.child()
    world.rule(remove, "uid0", child.dev_id, ResetKind.RESET, world.now_ms, reachable=False)
    assert reason(bind(gateway)) is Reason.NOT_BOUND
    world.rule(lambda s: s.devices.confirm_reset(gateway.child()))
    assert isinstance(bind(gateway), Device)
    assert gateway.child().dev_id == child.dev_id


def test_something_else_in_the_same_place_is_another_thing() -> None:
    gateway = Gateway()
    bind(gateway)
    world = gateway.world
    world.rule(lambda s: s.data_points.report(gateway.child().dev_id, b'{"1":true}', 1))
    world.rule(detach, gateway.known, ResetKind.RESET, world.now_ms)
    child = bind(gateway, product=CAMERA)
    assert isinstance(child, Device)
    assert (child.product_id, child.name) == (CAMERA, "Camera")
    assert world.state.data_points.get(child.dev_id) == {}


def test_a_gateway_has_so_many_and_those_that_are_nobodys_make_room() -> None:
    gateway = Gateway(choose(sub_devices_per_gateway_max=2))
    world = gateway.world
    bind(gateway, "a")
    world.now_ms += 1
    bind(gateway, "b")
    assert reason(bind(gateway, "c")) is Reason.TOO_MANY
    world.rule(detach, gateway.known, ResetKind.RESET, world.now_ms)
    world.rule(lambda s: s.data_points.report(gateway.child("a").dev_id, b'{"1":true}', 1))
    gone = gateway.child("a").dev_id
    firmware = world.rule(upgrading.add, Firmware(PLUG, 0, "2.0.0", 9, ""))
    world.rule(lambda s: s.upgrades.order(gateway.child("a").uuid, firmware, 1))
    bind(gateway, "b")
    assert isinstance(bind(gateway, "c"), Device)
    state = world.state
    assert children.find(state, gateway.known, "a") is None, "the oldest of those that are nobody's"
    assert state.devices.by_dev_id(gone) is None
    assert state.data_points.get(gone) == {}
    assert state.upgrades.orders(children._names(gateway.known, "a")[0]) == []
    assert {one.node_id for one in children.all_bound(state, gateway.known)} == {"b", "c"}
    assert reason(bind(gateway, "d")) is Reason.TOO_MANY
    assert_reloads(world)


def test_one_whose_removal_is_still_to_be_told_makes_no_room() -> None:
    gateway = Gateway(choose(sub_devices_per_gateway_max=1))
    world = gateway.world
    bind(gateway)
    child = gateway.child()
    world.rule(remove, "uid0", child.dev_id, ResetKind.RESET, world.now_ms, reachable=False)
    assert reason(bind(gateway, OTHER_NODE)) is Reason.TOO_MANY
    world.rule(lambda s: s.devices.confirm_reset(gateway.child()))
    assert isinstance(bind(gateway, OTHER_NODE), Device)


def test_a_name_that_is_somebody_elses_is_not_taken() -> None:
    gateway = Gateway()
    uuid, _ = children._names(gateway.known, NODE)
    gateway.world.rule(lambda s: s.devices.add(Device(uuid, "k" * 32, CAMERA)))
    assert reason(bind(gateway)) is Reason.NAME_TAKEN


def test_one_that_came_with_a_seed_keeps_its_names() -> None:
    gateway = Gateway()
    seeded = Device("s1", "", PLUG, dev_id="bfs1", gateway=gateway.dev_id, node_id=NODE)
    gateway.world.rule(lambda s: s.devices.add(seeded))
    child = bind(gateway)
    assert isinstance(child, Device)
    assert (child.uuid, child.dev_id) == ("s1", "bfs1")


def test_for_a_stranger_everything_is_new() -> None:
    gateway = Gateway()
    world = gateway.world
    bind(gateway)
    world.rule(lambda s: s.devices.rename(gateway.child(), "Lamp", 1))
    world.rule(lambda s: s.data_points.report(gateway.child().dev_id, b'{"1":true}', 1))
    world.rule(detach, gateway.known, ResetKind.RESET, world.now_ms)
    assert gateway.child().name == "Lamp"
    taken = gateway.known
    world.rule(lambda s: s.devices._replace(taken, owner="uid1", last_owner="uid1"))
    child = bind(gateway)
    assert isinstance(child, Device)
    assert (child.owner, child.name, child.wipe) == ("uid1", "Plug", True)
    assert world.state.data_points.get(child.dev_id) == {}
    assert bind(gateway) == child, "the answer may have been lost"
    kept = gateway.known
    world.rule(lambda s: s.devices._replace(kept, local_key="another0key00000"))
    again = bind(gateway)
    assert isinstance(again, Device)
    assert (again.wipe, again.local_key) == (True, "another0key00000"), "it may not have heard it"


def test_it_is_in_no_room_when_it_comes_back() -> None:
    gateway = Gateway()
    world = gateway.world
    bind(gateway)
    (home,) = world.state.homes.of_user("uid0")
    home = world.rule(lambda s: s.homes.add_room(home, "Hall"))
    room = replace(home.rooms[-1], devices=(gateway.child().dev_id,))
    world.rule(lambda s: s.homes.put_room(home, room))
    world.rule(detach, gateway.known, ResetKind.RESET, world.now_ms)
    bind(gateway)
    (home,) = world.state.homes.of_user("uid0")
    assert [room.devices for room in home.rooms] == [()]


def test_frozen_with_its_gateway_or_alone() -> None:
    gateway = Gateway()
    bind(gateway)
    state = gateway.world.state
    assert not children.is_frozen(state, gateway.child())
    state.devices.freeze(gateway.known, 1, frozen=True)
    assert children.is_frozen(state, gateway.child())
    state.devices.freeze(gateway.known, 1, frozen=False)
    state.devices.freeze(gateway.child(), 1, frozen=True)
    assert children.is_frozen(state, gateway.child())
    assert not children.is_frozen(state, gateway.known)


def test_only_what_is_bound_there_comes_and_goes() -> None:
    gateway = online(SETTINGS)
    gateway.bind(online=False)
    state = gateway.world.state
    nodes = (NODE, OTHER_NODE, NODE)
    child = gateway.child()
    children.take_presence(state, gateway.known, nodes, 1, online=True)
    assert state.reach.take_arrivals() == [child.dev_id]
    children.lose_all(state, gateway.known, 2)
    assert child.dev_id not in state.reach
    rows = state.device_log.page(child.uuid).rows
    assert [row.event for row in rows] == ["bound", "online", "offline"]
    assert rows[-1].detail == "its gateway is gone"
    detach(state, gateway.known, ResetKind.RESET, 3)
    children.take_presence(state, gateway.known, nodes, 4, online=True)
    assert state.reach.take_arrivals() == []


def test_a_gateway_that_raves_is_not_heard_out() -> None:
    gateway = online()
    gateway.bind()
    world, child = gateway.world, gateway.child()
    for _ in range(CHANGES_PER_S_MAX):
        gateway.lists((), (NODE,))
        gateway.lists((NODE,))
    events = [row.event for row in world.state.device_log.of(child.uuid)]
    assert len(events) <= CHANGES_PER_S_MAX + 2
    assert world.state.counts["sub_device_presence_dropped"] == CHANGES_PER_S_MAX // 2
    world.now_ms += 1_000
    gateway.lists((), (NODE,))
    assert not gateway.is_near()


@pytest.mark.parametrize("role", [None, Role.MEMBER, Role.ADMIN])
def test_who_has_a_part_in_the_gateway_has_it_in_what_is_behind(role: Role | None) -> None:
    gateway = Gateway()
    bind(gateway)
    world = gateway.world
    (home,) = world.state.homes.of_user("uid0")
    if role is not None:
        world.rule(lambda s: s.homes.put_member(home, Member("uid1", role.value, "Ben")))
    state, known, child = world.state, gateway.known, gateway.child()
    standing = rights.standing_at_home(state, "uid1", child)
    assert standing == rights.standing_at_home(state, "uid1", known)
    assert (standing is None) is (role is None)
    assert rights.users_of(state, child) == rights.users_of(state, known)
    world.rule(detach, known, ResetKind.RESET, world.now_ms)
    assert rights.standing_at_home(world.state, "uid1", gateway.child()) is None


def test_a_stranger_to_the_gateway() -> None:
    gateway = Gateway()
    with pytest.raises(Refused) as refused:
        children.bound(gateway.world.state, gateway.known, NODE)
    assert refused.value.reason is Reason.NOT_BOUND
