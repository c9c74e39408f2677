"""Rooms over the Open API: added, named, filled, emptied, removed."""

import pytest

from tests.cloud.open.people_world import PeopleWorld
from tests.cloud.support import assert_reloads

CAMERA = "bfdevice00000000000000"


def home_of(world: PeopleWorld, uid: str = "uid0") -> str:
    (home,) = world.ask("GET", f"/v1.0/users/{uid}/homes")
    return f"/v1.0/homes/{home['home_id']}"


def test_a_room_is_added_named_and_removed() -> None:
    world = PeopleWorld()
    home = home_of(world)
    room_id = world.ask("POST", f"{home}/room", {"name": "Hall"})
    shown = world.ask("GET", f"{home}/rooms")
    assert shown["rooms"] == [{"room_id": room_id, "name": "Hall"}]
    assert shown["name"] == "My Home"
    assert set(shown) == {"home_id", "name", "geo_name", "lon", "lat", "rooms"}
    assert world.ask("PUT", f"{home}/rooms/{room_id}", {"name": "Attic"}) is True
    assert world.ask("GET", f"{home}/rooms")["rooms"][0]["name"] == "Attic"
    assert world.ask("DELETE", f"{home}/rooms/{room_id}") is True
    assert world.ask("GET", f"{home}/rooms")["rooms"] == []
    assert world.told() == ["roomCreate", "roomNameUpdate", "roomDelete"]
    assert_reloads(world.world)


def test_devices_are_put_into_rooms() -> None:
    world = PeopleWorld()
    home = home_of(world)
    hall, attic = (
        f"{home}/rooms/{world.ask('POST', f'{home}/room', {'name': name})}/devices"
        for name in ("Hall", "Attic")
    )
    ids = {"device_ids": [CAMERA, CAMERA]}

    def where() -> list[list[str]]:
        return [[one["id"] for one in world.ask("GET", room)] for room in (hall, attic)]

    assert where() == [[], []]
    assert world.ask("POST", hall, ids) is True
    assert world.ask("POST", hall, ids) is True
    assert where() == [[CAMERA], []]
    assert world.ask("PUT", attic, ids) is True
    assert where() == [[], [CAMERA]], "a device is in one room"
    assert world.ask("DELETE", hall, ids) is True
    assert world.ask("DELETE", attic, ids) is True
    assert where() == [[], []]
    world.ask("POST", hall, ids)
    assert world.ask("PUT", hall, {"device_ids": []}) is True
    assert where() == [[], []]
    assert_reloads(world.world)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_devices_of_the_home(method: str) -> None:
    world = PeopleWorld()
    home = home_of(world)
    room = f"{home}/rooms/{world.ask('POST', f'{home}/room', {'name': 'Hall'})}/devices"
    for dev_id in ("bfdevice00000000000001", "uuid0000", "nothing"):
        assert world.refused(method, room, {"device_ids": [dev_id]}) == 1106
    assert world.refused(method, room, {}) == 1100


def test_a_room_that_is_not_there() -> None:
    world = PeopleWorld()
    room = f"{home_of(world)}/rooms/1"
    for method, tail, form in (
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/devices", None),
        ("POST", "/devices", {"device_ids": []}),
    ):
        assert world.refused(method, f"{room}{tail}", form) == 2502
    home = home_of(world)
    assert world.refused("POST", f"{home}/room", {"name": ""}) == 1100
    assert world.refused("POST", f"{home}/room", {"name": "x"}, by=world.guest(1)) == 1106
