"""Users of an app over the Open API: registered, registered again, listed, shown, deleted."""

import hashlib
from typing import Any

import msgspec
import pytest

from fleet.cloud.open.users import UserForm
from tests.cloud.open.people_world import SECRET, PeopleWorld, register, user_form
from tests.cloud.support import DAY_MS, SETTINGS, START_MS, assert_reloads

USER = "/v1.0/apps/app/user"
START_S = START_MS // 1000


# --- registering --------------------------------------------------------------------------------


def test_a_user_is_registered_and_logs_in() -> None:
    world = PeopleWorld()
    uid = register(world)
    assert uid.startswith("eu")
    assert world.told() == ["userRegister"]
    users = world.world.state.users
    assert users.log_in("zoe", "secret", users.app("app")).uid == uid
    assert_reloads(world.world)


def test_registering_again_updates_and_keeps_who_one_is() -> None:
    world = PeopleWorld()
    uid = register(world, nick_name="Zoë", time_zone_id="Europe/Berlin", password="in clear")
    world.world.now_ms += 60_000
    again = register(world, country_code="1", username_type=2, time_zone_id="Asia/Tokyo")
    assert again == uid
    assert world.told() == ["userRegister", "userUpdate"]
    info = world.ask("GET", f"/v1.0/users/{uid}/infos")
    assert info == {
        "uid": uid,
        "username": "zoe",
        "country_code": "49",
        "mobile": "",
        "email": "",
        "nick_name": "Zoë",
        "avatar": "",
        "create_time": START_S,
        "update_time": START_S + 60,
        "user_properties": [],
        "time_zone_id": "Asia/Tokyo",
        "temp_unit": 1,
    }
    users = world.world.state.users
    assert users.log_in("zoe", "secret", users.app("app")).uid == uid


def test_a_password_in_clear_is_taken_but_lets_nobody_in() -> None:
    world = PeopleWorld()
    register(world, password="secret")
    users = world.world.state.users
    for given in ("secret", SECRET, hashlib.md5(SECRET.encode()).hexdigest()):
        with pytest.raises(Exception, match="bad_login"):
            users.log_in("zoe", given, users.app("app"))
    register(world)
    users.log_in("zoe", "secret", users.app("app"))


def test_mobile_and_email_are_shown_as_such() -> None:
    world = PeopleWorld()
    phone = register(world, username="1701234567", username_type=1)
    dashed = register(world, username="49-1709999999", username_type="1")
    email = register(world, username="zoe@example.com", username_type="2")
    shown = [world.ask("GET", f"/v1.0/users/{uid}/infos") for uid in (phone, dashed, email)]
    assert [(one["mobile"], one["email"]) for one in shown] == [
        ("49-1701234567", ""),
        ("49-1709999999", ""),
        ("", "zoe@example.com"),
    ]


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"username": ""}, 1100),
        ({"password": ""}, 1100),
        ({"username_type": 4}, 1109),
        ({"country_code": "de"}, 2402),
        ({"country_code": ""}, 2402),
        ({"country_code": 49}, 1109),
        ({"username": "not a number", "username_type": 1}, 2022),
        ({"username": "nobody", "username_type": 2}, 2021),
        ({"username": "x' OR '1'='1", "username_type": 2}, 2021),
    ],
)
def test_what_cannot_be_registered(choices: dict[str, Any], code: int) -> None:
    world = PeopleWorld()
    assert world.refused("POST", USER, user_form(**choices)) == code
    assert world.told() == []


@pytest.mark.parametrize("name", ["country_code", "username", "password"])
def test_what_is_needed(name: str) -> None:
    form = user_form()
    del form[name]
    assert PeopleWorld().refused("POST", USER, form) == 1100


def test_names_are_only_text() -> None:
    world = PeopleWorld()
    name = "'; DROP TABLE users; --"
    uid = register(world, username=name)
    assert world.ask("GET", f"/v1.0/users/{uid}/infos")["username"] == name


def test_countries_that_a_centre_does_not_take() -> None:
    choices = msgspec.structs.replace(SETTINGS, open_app_countries=("EU 49", "EU 33", "AY 86"))
    world = PeopleWorld(choices)
    assert world.refused("POST", USER, user_form(country_code="86")) == 2403
    register(world)


def test_the_schema_is_somebody_elses_or_nobodys() -> None:
    world = PeopleWorld()
    for path in ("/v1.0/apps/{}/users", "/v2.0/apps/{}/users"):
        assert world.refused("GET", path.format("theirs"), page_no=1, page_size=9) == 1106
        assert world.refused("GET", path.format("nothing"), page_no=1, page_size=9) == 2017
    assert world.refused("POST", "/v1.0/apps/theirs/user", user_form()) == 1106
    assert world.refused("POST", "/v1.0/apps/nothing/user", user_form()) == 2017
    assert world.refused("POST", USER, user_form(), by=world.other) == 1106


def test_the_password_is_not_shown() -> None:
    form = msgspec.convert(user_form(), UserForm)
    assert SECRET not in repr(form)


# --- lists --------------------------------------------------------------------------------------


def test_the_old_list_has_pages() -> None:
    world = PeopleWorld()
    uids = []
    for name in ("c", "a", "b"):
        uids.append(register(world, username=name))
        world.world.now_ms += 1
    first = world.ask("GET", "/v1.0/apps/app/users", page_no=1, page_size=2)
    assert first == {
        "list": [{"uid": uids[0], "username": "c"}, {"uid": uids[1], "username": "a"}],
        "has_more": True,
    }
    second = world.ask("GET", "/v1.0/apps/app/users", page_no=2, page_size=2)
    assert second == {"list": [{"uid": uids[2], "username": "b"}], "has_more": False}
    assert world.ask("GET", "/v1.0/apps/app/users", page_no=9)["list"] == []
    assert len(world.ask("GET", "/v1.0/apps/fleet/users")["list"]) == 6


def test_the_list_has_a_window() -> None:
    world = PeopleWorld()
    old = register(world, username="old@example.com", username_type=2)
    world.world.now_ms += 31 * DAY_MS
    world.maker.connect()
    new = register(world, username="1701234567", username_type=1)
    now_s = world.world.now_ms // 1000
    page: dict[str, Any] = {"page_no": 1, "page_size": 100}
    path = "/v2.0/apps/app/users"
    row = {
        "uid": new,
        "username": "1701234567",
        "country_code": "49",
        "create_time": now_s,
        "update_time": now_s,
        "mobile": "49-1701234567",
    }
    assert world.ask("GET", path, **page) == {"list": [row], "has_more": False, "total": 1}
    then = world.ask("GET", path, **page, start_time=START_S, end_time=START_S)
    assert [(one["uid"], one["email"]) for one in then["list"]] == [(old, "old@example.com")]
    assert "mobile" not in then["list"][0]
    named = world.ask("GET", path, **page, username="1701234567")
    assert (named["total"], named["list"]) == (1, [row])
    for name in ("old@example.com", "nobody"):
        assert world.ask("GET", path, **page, username=name)["total"] == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"page_no": 1}, 1100),
        ({"page_size": 1}, 1100),
        ({"page_no": 1, "page_size": 101}, 1101),
        ({"page_no": 0, "page_size": 1}, 1101),
        ({"page_no": "x", "page_size": 1}, 1109),
        ({"page_no": 1, "page_size": 1, "start_time": START_S - 31 * 86_400}, 1101),
        ({"page_no": 1, "page_size": 1, "start_time": 2, "end_time": 1}, 1101),
        ({"page_no": 1, "page_size": 1, "start_time": START_MS}, 1101),
    ],
)
def test_what_no_list_is(query: dict[str, Any], code: int) -> None:
    assert PeopleWorld().refused("GET", "/v2.0/apps/app/users", **query) == code


# --- one user -----------------------------------------------------------------------------------


def test_a_users_devices() -> None:
    world = PeopleWorld()
    (device,) = world.ask("GET", "/v1.0/users/uid0/devices")
    assert (device["id"], device["uid"]) == ("bfdevice00000000000000", "uid0")
    assert world.ask("GET", "/v1.0/users/uid5/devices") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "infos"),
        ("GET", "devices"),
        ("GET", "homes"),
        ("POST", "actions/pre-delete"),
        ("POST", "actions/cancel-delete"),
    ],
)
def test_foreign_and_unknown_users_are_one_answer(method: str, path: str) -> None:
    world = PeopleWorld()
    assert world.refused(method, f"/v1.0/users/nobody/{path}") == 1106
    assert world.refused(method, f"/v1.0/users/uid0/{path}", by=world.other) == 1106


def test_a_user_is_in_one_centre() -> None:
    world = PeopleWorld()
    uid = register(world)
    world.maker.prefix = "/us"
    world.maker.connect()
    assert world.refused("GET", f"/v1.0/users/{uid}/infos") == 1106
    assert world.ask("GET", "/v1.0/apps/app/users")["list"] == []
    there = register(world)
    assert there != uid
    assert there.startswith("az")


def test_a_token_of_a_user_is_good_for_that_user() -> None:
    world = PeopleWorld()
    guest = world.guest(0)
    assert world.ask("GET", "/v1.0/users/uid0/infos", by=guest)["uid"] == "uid0"
    assert world.refused("GET", "/v1.0/users/uid1/infos", by=guest) == 1106


def test_deletion_is_announced_and_taken_back() -> None:
    world = PeopleWorld()
    uid = register(world)
    user = f"/v1.0/users/{uid}/actions"
    assert world.ask("POST", f"{user}/cancel-delete") is False
    assert world.ask("POST", f"{user}/pre-delete") is True
    leaving = world.world.state.users.get(uid)
    assert leaving is not None
    assert leaving.delete_at_ms == START_MS + 7 * DAY_MS
    assert world.ask("POST", f"{user}/cancel-delete") is True
    stays = world.world.state.users.get(uid)
    assert stays is not None
    assert stays.delete_at_ms == 0
    assert_reloads(world.world)
