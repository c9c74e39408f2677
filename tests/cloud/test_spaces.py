"""Project spaces: a tree for each project in each data centre."""

import msgspec

from fleet.cloud.reasons import Reason
from fleet.cloud.spaces import Space

from .support import SETTINGS, World, assert_reloads, seed, snapshot


def made(world: World, name: str, parent: Space | None = None, access_id: str = "one") -> Space:
    above = parent.space_id if parent is not None else ""
    space = world.rule(
        lambda s: s.spaces.make(access_id, "EU", name, world.now_ms, parent=above, description="d")
    )
    assert isinstance(space, Space)
    return space


def test_a_tree_is_walked_both_ways() -> None:
    world = World(start=seed(0))
    house = made(world, "house")
    floor, roof = made(world, "floor", house), made(world, "roof", house)
    room = made(world, "room", floor)
    spaces = world.state.spaces
    assert spaces.children("one", "EU") == [house]
    below = sorted((floor, roof), key=lambda space: space.space_id)
    assert spaces.children("one", "EU", house.space_id) == below
    names = [space.name for space in spaces.subtree(house)]
    assert sorted(names) == ["floor", "house", "roof", "room"]
    assert names.index("floor") < names.index("room")
    assert list(spaces.ancestry(room)) == [room, floor, house]
    assert_reloads(world)
    gone = world.rule(lambda s: s.spaces.remove(floor))
    assert gone == [floor, room]
    assert spaces.get("one", "EU", room.space_id) is None
    assert list(spaces.subtree(house)) == [house, roof]
    assert len(spaces) == 2
    assert_reloads(world)


def test_a_space_is_its_projects_and_its_centres() -> None:
    world = World(start=seed(0))
    space = made(world, "house")
    spaces = world.state.spaces
    assert spaces.get("one", "EU", space.space_id) == space
    assert spaces.get("two", "EU", space.space_id) is None
    assert spaces.get("one", "US", space.space_id) is None
    assert spaces.children("two", "EU") == []
    changed = world.rule(lambda s: s.spaces.change(space, "hut", ""))
    assert (changed.name, changed.description) == ("hut", "")


def test_the_spaces_of_a_project_are_bounded() -> None:
    world = World(msgspec.structs.replace(SETTINGS, spaces_per_project_max=1), seed(0))
    first = made(world, "first")
    refusal = world.rule(lambda s: s.spaces.make("one", "EU", "second", 1))
    assert refusal.reason is Reason.TOO_MANY
    made(world, "theirs", access_id="two")
    world.rule(lambda s: s.spaces.remove(first))
    made(world, "second")


def test_spaces_that_are_gone_leave_nothing_behind() -> None:
    world = World(SETTINGS, seed(0))
    empty = repr(snapshot(world.state)["spaces"])
    for name in ("one", "two"):
        top = made(world, name)
        made(world, f"below {name}", top)
        world.rule(lambda s, top=top: s.spaces.remove(top))
        assert repr(snapshot(world.state)["spaces"]) == empty
    assert_reloads(world)
