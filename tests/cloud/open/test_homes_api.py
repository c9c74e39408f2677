"""Homes over the Open API: made, changed, removed; who may add whom."""

from typing import Any

import pytest

from fleet.cloud import rights
from fleet.cloud.devices import Device
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import OpenCall
from fleet.cloud.rights import Action
from tests.cloud.open.people_world import PeopleWorld, register
from tests.cloud.support import FakeDevice, assert_reloads

CREATE = "/v1.0/home/create-home"


def home_form(uid: str, **choices: Any) -> dict[str, Any]:
    return {"uid": uid, "home": {"name": "Villa", **choices}}


def made(world: PeopleWorld, uid: str = "uid5", **choices: Any) -> str:
    """Make a home; return its path."""
    return f"/v1.0/homes/{world.ask('POST', CREATE, home_form(uid, **choices))}"


def member(number: int, *, admin: bool = False, **choices: Any) -> dict[str, Any]:
    account = {
        "country_code": "49",
        "member_account": f"user{number}",
        "admin": admin,
        "name": f"n{number}",
    }
    return {"app_schema": "fleet", "member": {**account, **choices}}


# --- homes --------------------------------------------------------------------------------------


def test_a_home_is_made_shown_changed_and_removed() -> None:
    world = PeopleWorld()
    form = home_form("uid5", geo_name="Berlin", lon=13.4, lat="52.5")
    home_id = world.ask("POST", CREATE, {**form, "rooms": ["Hall", "Attic"]})
    assert world.told() == ["homeCreate", "roomCreate", "roomCreate"]
    path = f"/v1.0/homes/{home_id}"
    shown = {"home_id": home_id, "name": "Villa", "geo_name": "Berlin", "lon": 13.4, "lat": 52.5}
    assert world.ask("GET", path) == shown
    assert world.ask("GET", "/v1.0/users/uid5/homes") == [shown]
    assert world.ask("PUT", path, {"name": "Hut"}) is True
    assert world.ask("PUT", path, {"geo_name": "", "lon": "", "lat": 0}) is True
    changed = {"home_id": home_id, "name": "Hut", "geo_name": "", "lon": 0.0, "lat": 0.0}
    assert world.ask("GET", path) == changed
    assert world.told() == ["homeUpdate", "homeUpdate"]
    assert_reloads(world.world)
    assert world.ask("DELETE", path) is True
    assert world.told() == ["homeDelete"]
    assert world.refused("GET", path) == 2501
    assert world.ask("GET", "/v1.0/users/uid5/homes") == []


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"home": {"name": "x"}}, 1100),
        ({"uid": "uid5"}, 1100),
        ({"uid": "uid5", "home": {}}, 1100),
        ({"uid": "uid5", "home": {"name": "x", "lon": 181}}, 1101),
        ({"uid": "uid5", "home": {"name": "x", "lat": "north"}}, 1109),
        ({"uid": "uid5", "home": {"name": "x"}, "rooms": [""]}, 1100),
        ({"uid": "nobody", "home": {"name": "x"}}, 1106),
    ],
)
def test_what_makes_no_home(form: dict[str, Any], code: int) -> None:
    world = PeopleWorld()
    assert world.refused("POST", CREATE, form) == code
    assert world.told() == []


def test_the_devices_of_a_home() -> None:
    world = PeopleWorld()
    (home,) = world.ask("GET", "/v1.0/users/uid0/homes")
    assert home["name"] == "My Home"
    path = f"/v1.0/homes/{home['home_id']}"
    (device,) = world.ask("GET", f"{path}/devices")
    assert (device["id"], device["owner_id"]) == ("bfdevice00000000000000", str(home["home_id"]))
    assert world.ask("GET", f"{made(world)}/devices") == []


def test_the_devices_of_a_removed_home_are_unbound() -> None:
    world = PeopleWorld()
    camera = FakeDevice(world.world, 0)
    camera.go_online()
    (home,) = world.ask("GET", "/v1.0/users/uid0/homes")
    world.ask("DELETE", f"/v1.0/homes/{home['home_id']}")
    assert world.world.state.devices.owned_by("uid0") == []
    assert world.told()[-2:] == ["delete", "homeDelete"]
    assert camera.heard()
    assert_reloads(world.world)


def test_a_home_stays_while_one_of_its_devices_may_not_be_unbound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(call: OpenCall, action: Action, device: Device) -> Device:
        assert (call.path["home_id"], action) == (home["home_id"], Action.DELETE)
        raise OpenRefused(Code.PERMISSION_DENY)

    world = PeopleWorld()
    (home,) = world.ask("GET", "/v1.0/users/uid0/homes")
    owned = world.world.state.devices.owned_by("uid0")
    home = {"home_id": str(home["home_id"])}
    monkeypatch.setattr(rights, "check", refuse)
    assert world.refused("DELETE", f"/v1.0/homes/{home['home_id']}") == 1106
    assert world.world.state.devices.owned_by("uid0") == owned != []
    assert len(world.ask("GET", "/v1.0/users/uid0/homes")) == 1


def test_foreign_homes_are_refused_and_none_do_not_exist() -> None:
    world = PeopleWorld()
    path = made(world)
    for method, tail, form in (
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/devices", None),
        ("GET", "/members", None),
        ("POST", "/members", member(1)),
        ("GET", "/rooms", None),
        ("POST", "/room", {"name": "x"}),
    ):
        assert world.refused(method, f"{path}{tail}", form, by=world.other) == 1106
        assert world.refused(method, f"{path}{tail}", form, by=world.guest(0)) == 1106
        assert world.refused(method, f"/v1.0/homes/1{tail}", form) == 2501


# --- members ------------------------------------------------------------------------------------


def test_members_are_added_shown_changed_and_removed() -> None:
    world = PeopleWorld()
    path = f"{made(world)}/members"
    assert world.ask("POST", path, member(1)) is True
    assert world.ask("POST", path, member(2, admin=True)) is True
    shown = world.ask("GET", path)
    assert [(one["uid"], one["owner"], one["admin"]) for one in shown] == [
        ("uid5", True, True),
        ("uid1", False, False),
        ("uid2", False, True),
    ]
    assert shown[0]["name"] == "user5"
    assert shown[1] == {
        "uid": "uid1",
        "name": "n1",
        "member_account": "user1",
        "country_code": "",
        "admin": False,
        "owner": False,
        "avatar": "",
    }
    assert world.ask("PUT", f"{path}/uid1", {"admin": True}) is True
    assert [one["admin"] for one in world.ask("GET", path) if one["uid"] == "uid1"] == [True]
    assert world.ask("DELETE", f"{path}/uid2") is True
    assert {one["uid"] for one in world.ask("GET", path)} == {"uid5", "uid1"}
    assert_reloads(world.world)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (member(1), 2507),
        (member(5), 2507),
        (member(9), 2506),
        ({**member(2), "app_schema": "theirs"}, 1106),
        ({**member(2), "app_schema": "nothing"}, 2017),
        ({"member": {}}, 1100),
        (member(2, name=""), 1100),
    ],
)
def test_who_cannot_become_a_member(form: dict[str, Any], code: int) -> None:
    world = PeopleWorld()
    path = f"{made(world)}/members"
    world.ask("POST", path, member(1))
    assert world.refused("POST", path, form) == code


def test_a_member_is_from_where_the_form_says() -> None:
    world = PeopleWorld()
    register(world, username="zoe", country_code="33")
    path = f"{made(world)}/members"
    form = {**member(2, member_account="zoe"), "app_schema": "app"}
    assert world.refused("POST", path, form) == 2504
    form["member"]["country_code"] = "33"
    assert world.ask("POST", path, form) is True


def test_the_owner_is_no_member_and_a_stranger_neither() -> None:
    world = PeopleWorld()
    path = f"{made(world)}/members"
    for method, form in (("PUT", {"admin": True}), ("DELETE", None)):
        assert world.refused(method, f"{path}/uid5", form) == 2505
        assert world.refused(method, f"{path}/uid1", form) == 2509


# --- what a role allows (a token of the user, handed to a program that has no app) ---------------


def roles_world() -> tuple[PeopleWorld, str, dict[str, Any]]:
    """Return a home of uid5 with administrators 1 and 3, plain members 2 and 4."""
    world = PeopleWorld()
    path = made(world)
    for number in (1, 2, 3, 4):
        world.ask("POST", f"{path}/members", member(number, admin=number % 2 == 1))
    programs = {"owner": world.guest(5), "admin": world.guest(1), "member": world.guest(2)}
    return world, path, programs


def test_only_the_owner_changes_roles() -> None:
    world, path, by = roles_world()
    for role in ("admin", "member"):
        refused = world.refused("PUT", f"{path}/members/uid4", {"admin": True}, by=by[role])
        assert refused == 2508
    assert world.ask("PUT", f"{path}/members/uid4", {"admin": True}, by=by["owner"]) is True


def test_who_may_add_whom() -> None:
    """The app of the new member must be the program's own, so the maker's programs ask here."""
    world, path, _ = roles_world()
    rules = {("owner", True): 0, ("owner", False): 0, ("admin", False): 0, ("admin", True): 2508}
    rules |= {("member", False): 2508, ("member", True): 2508}
    for (role, admin), code in rules.items():
        by = world.guest({"owner": 5, "admin": 1, "member": 2}[role])
        body = member(0, admin=admin)
        got = world.refused("POST", f"{path}/members", body, by=by)
        assert got == (code or 1106), "1106: allowed, but the app is not the guest's"


def test_who_may_remove_whom() -> None:
    world, path, by = roles_world()
    assert world.refused("DELETE", f"{path}/members/uid4", by=by["member"]) == 2508
    assert world.refused("DELETE", f"{path}/members/uid3", by=by["admin"]) == 2508
    assert world.ask("DELETE", f"{path}/members/uid4", by=by["admin"]) is True
    assert world.ask("DELETE", f"{path}/members/uid3", by=by["owner"]) is True
    assert world.ask("DELETE", f"{path}/members/uid2", by=by["member"]) is True, "oneself"
    assert world.ask("DELETE", f"{path}/members/uid1", by=by["admin"]) is True, "oneself"
    assert world.refused("GET", path, by=by["member"]) == 1106


def test_who_may_change_and_remove_the_home() -> None:
    world, path, by = roles_world()
    assert world.refused("PUT", path, {"name": "x"}, by=by["member"]) == 1106
    assert world.ask("GET", path, by=by["member"])["name"] == "Villa"
    assert world.ask("PUT", path, {"name": "x"}, by=by["admin"]) is True
    assert world.refused("DELETE", path, by=by["admin"]) == 1106
    assert world.ask("DELETE", path, by=by["owner"]) is True
