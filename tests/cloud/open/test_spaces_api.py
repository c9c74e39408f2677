"""Project spaces over the Open API: the tree, and which devices are in it."""

from typing import Any

import msgspec
import pytest

from tests.cloud.open.people_world import PeopleWorld
from tests.cloud.open.test_asset_users_api import AuthorizedWorld
from tests.cloud.support import assert_reloads

BASE = "/v2.0/cloud/space"


def made(world: PeopleWorld, name: str = "house", **choices: Any) -> int:
    space_id = world.ask("POST", f"{BASE}/creation", {"name": name, **choices})
    assert isinstance(space_id, int)
    return space_id


def put_into(world: PeopleWorld, number: int, space_id: int) -> str:
    device = world.world.state.devices.get(f"uuid{number:04}")
    assert device is not None
    world.world.rule(lambda s: s.devices.move(device, 1, space=str(space_id)))
    return device.dev_id


def test_a_space_is_made_shown_changed_and_removed() -> None:
    world = PeopleWorld()
    house = made(world, description="brick")
    floor = made(world, "floor", parent_id=house)
    room = made(world, "room", parent_id=str(floor))
    assert world.ask("GET", f"{BASE}/{house}") == {
        "id": house,
        "name": "house",
        "description": "brick",
        "parent_id": 0,
        "root_id": house,
    }
    shown = world.ask("GET", f"{BASE}/{room}")
    assert (shown["parent_id"], shown["root_id"]) == (floor, house)
    assert world.ask("PUT", f"{BASE}/{house}", {"name": "hut"}) is True
    assert world.ask("PUT", f"{BASE}/{house}", {"description": ""}) is True
    shown = world.ask("GET", f"{BASE}/{house}")
    assert (shown["name"], shown["description"]) == ("hut", "")
    assert_reloads(world.world)
    dev_id = put_into(world, 0, room)
    put_into(world, 1, house)
    assert world.ask("DELETE", f"{BASE}/{floor}") is True
    assert world.refused("GET", f"{BASE}/{room}") == 1106
    device = world.world.state.devices.by_dev_id(dev_id)
    assert device is not None
    assert (device.space, device.owner) == ("", "uid0"), "in no space, but still its owner's"
    assert len(world.ask("GET", f"{BASE}/{house}/resource")["data"]) == 1
    assert_reloads(world.world)


def test_what_one_may_not_see_is_not_listed_though_it_is_in_the_space() -> None:
    """A device that was handed over stays in the space until somebody takes it out."""
    world = PeopleWorld()
    theirs = world.ask("POST", f"{BASE}/creation", {"name": "house"}, by=world.other)
    mine = made(world)
    put_into(world, 0, theirs)
    put_into(world, 1, mine)
    assert world.ask("GET", f"{BASE}/{theirs}/resource", by=world.other)["data"] == []
    assert len(world.ask("GET", f"{BASE}/{mine}/resource")["data"]) == 1


def test_what_is_below() -> None:
    world = PeopleWorld()
    house, other = made(world), made(world, "other")
    floor = made(world, "floor", parent_id=house)
    room = made(world, "room", parent_id=floor)
    first = world.ask("GET", f"{BASE}/child")
    assert first == {
        "data": sorted((house, other)),
        "last_row_key": max(house, other),
        "page_size": 100,
    }
    assert world.ask("GET", f"{BASE}/child", space_id=0)["data"] == first["data"]
    below = world.ask("GET", f"{BASE}/child", space_id=house)
    assert below["data"] == sorted((floor, room))
    spellings: tuple[dict[str, Any], ...] = (
        {"only_sub": "true", "space_id": house},
        {"onlySub": "true", "spaceId": house},
    )
    for query in spellings:
        assert world.ask("GET", f"{BASE}/child", **query)["data"] == [floor]


def test_lists_of_spaces_have_pages_that_end() -> None:
    world = PeopleWorld()
    ids = sorted(made(world, f"space {number}") for number in range(5))
    found: list[int] = []
    page = world.ask("GET", f"{BASE}/child", page_size=2)
    while page["data"]:
        assert page["page_size"] == 2
        found += page["data"]
        page = world.ask("GET", f"{BASE}/child", pageSize=2, lastRowKey=page["last_row_key"])
    assert found == ids
    assert page["last_row_key"] == 0


def test_who_is_above_whom() -> None:
    world = PeopleWorld()
    house = made(world)
    floor = made(world, "floor", parent_id=house)
    room = made(world, "room", parent_id=floor)

    def above(parent: int, child: int) -> bool:
        answer = world.ask("GET", f"{BASE}/relation", parent_id=parent, child_id=child)
        assert isinstance(answer, bool)
        return answer

    assert above(house, floor)
    assert above(house, room)
    assert not above(room, house)
    assert not above(house, house)
    assert world.refused("GET", f"{BASE}/relation", parent_id=house) == 1100
    assert world.refused("GET", f"{BASE}/relation", parent_id=house, child_id=1) == 1106


def test_which_devices_are_there() -> None:
    world = PeopleWorld()
    house = made(world)
    floor = made(world, "floor", parent_id=house)
    ids = [put_into(world, 0, house), put_into(world, 1, floor), put_into(world, 2, floor)]
    path = f"{BASE}/{house}/resource"
    found = world.ask("GET", path)
    assert found == {
        "data": [{"res_id": dev_id, "res_type": 0} for dev_id in ids],
        "last_row_key": 3,
        "page_size": 100,
    }
    assert [one["res_id"] for one in world.ask("GET", path, only_sub="true")["data"]] == ids[:1]
    first = world.ask("GET", path, page_size=2)
    rest = world.ask("GET", path, page_size=2, last_row_key=first["last_row_key"])
    assert [one["res_id"] for page in (first, rest) for one in page["data"]] == ids
    assert world.ask("GET", path, only_sub="", last_row_key="", page_size="") == found
    none = world.ask("GET", path, last_row_key=rest["last_row_key"])
    assert (none["data"], none["last_row_key"]) == ([], 0)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 1100),
        ({"name": ""}, 1100),
        ({"name": "x", "parent_id": 1}, 1106),
        ({"name": "x", "parent_id": -1}, 1101),
        ({"name": "x", "description": "x" * 256}, 1101),
        ([], 1109),
    ],
)
def test_what_makes_no_space(form: object, code: int) -> None:
    assert PeopleWorld().refused("POST", f"{BASE}/creation", form) == code


def test_a_space_is_nobody_elses_and_in_one_centre() -> None:
    world = PeopleWorld()
    house = made(world)

    def refusals() -> set[int]:
        by = world.maker if world.maker.prefix else world.other
        return {
            world.refused("GET", f"{BASE}/{house}", by=by),
            world.refused("PUT", f"{BASE}/{house}", {"name": "x"}, by=by),
            world.refused("DELETE", f"{BASE}/{house}", by=by),
            world.refused("GET", f"{BASE}/{house}/resource", by=by),
            world.refused("GET", f"{BASE}/child", by=by, space_id=house),
            world.refused("POST", f"{BASE}/creation", {"name": "x", "parent_id": house}, by=by),
        }

    assert refusals() == {1106}
    world.maker.prefix = "/us"
    world.maker.connect()
    assert refusals() == {1106}
    assert world.ask("GET", f"{BASE}/child")["data"] == []


def test_an_asset_user_changes_nothing_about_the_tree() -> None:
    world = AuthorizedWorld()
    world.act("batch-assets-authorized", {"asset_ids": world.house})
    worker, house = world.program(), f"{BASE}/{world.house}"
    assert worker.call("GET", house, {})["result"]["name"] == "House"
    body = msgspec.json.encode({"name": "Shed", "parent_id": world.house})
    assert worker.code("POST", f"{BASE}/creation", None, body) == 1106
    assert worker.code("PUT", house, None, body) == 1106
    assert worker.code("DELETE", house) == 1106
    assert worker.code("GET", f"{BASE}/child") == 1106
    assert worker.code("GET", f"{BASE}/{world.hall}") == 1106
