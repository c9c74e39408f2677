"""Logins through a project: app users with their MD5, asset users with their SHA-256."""

import hashlib
import re
from typing import Any

import msgspec
import pytest

from fleet.cloud.open.logins_api import AppLogin, AssetLogin, AssetPair, AssetUserForm
from fleet.cloud.settings import Settings
from tests.cloud.open.people_world import GUEST_ID, GUEST_SECRET, PeopleWorld, register
from tests.cloud.open.program import OTHER_ID, OTHER_SECRET, Program
from tests.cloud.support import PASSWORD, SETTINGS, assert_reloads

APP_LOGIN = "/v1.0/iot-01/associated-users/actions/authorized-login"
ASSET_LOGIN = "/v1.0/iot-03/users/login"
ASSET_USERS = "/v1.0/iot-02/users"
GUEST = {"access_id": GUEST_ID, "secret": GUEST_SECRET}


def md5(password: str) -> str:
    return hashlib.md5(password.encode()).hexdigest()


def sha256(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def app_form(**choices: Any) -> dict[str, Any]:
    """Return what a client sends for the consumer `uid0`; `choices` replace fields."""
    own = {"username": "user0", "password": md5(PASSWORD), "country_code": "49", "schema": "fleet"}
    return {**own, **choices}


class Login(Program):
    """A program without a token of its own, which people log in to."""

    def log_in(self, path: str, form: dict[str, Any]) -> dict[str, Any]:
        return self.call("POST", path, {}, msgspec.json.encode(form), token="")

    def refusal(self, path: str, form: dict[str, Any]) -> int:
        envelope = self.log_in(path, form)
        assert not envelope["success"], envelope
        code: int = envelope["code"]
        return code


def login_of(people: PeopleWorld, **kwargs: Any) -> Login:
    return Login(people.world, **kwargs)


# --- users of apps ------------------------------------------------------------------------------


def test_an_app_user_logs_in_and_acts() -> None:
    people = PeopleWorld()
    program = login_of(people)
    result = program.keep(program.log_in(APP_LOGIN, app_form()))
    assert list(result) == ["access_token", "expire_time", "refresh_token", "uid"]
    assert (result["uid"], result["expire_time"]) == ("uid0", 7200)
    [device] = program.call("GET", "/v1.0/users/uid0/devices")["result"]
    assert device["uid"] == "uid0"
    assert_reloads(people.world)


def test_a_second_login_gives_the_same_pair_and_a_refresh_another() -> None:
    people = PeopleWorld()
    one, two = login_of(people), login_of(people)
    first = one.keep(one.log_in(APP_LOGIN, app_form()))
    people.world.now_ms += 60_000
    second = two.keep(two.log_in(APP_LOGIN, app_form()))
    assert second == {**first, "expire_time": 7140}
    new = two.keep(two.call("GET", f"/v1.0/token/{two.refresh_token}", token=""))
    assert new["uid"] == "uid0"
    assert one.code("GET", "/v1.0/users/uid0/devices") == 1010
    people.world.now_ms += 7_200_000
    assert two.code("GET", "/v1.0/users/uid0/devices") == 1010
    later = two.keep(two.log_in(APP_LOGIN, app_form()))
    assert later["access_token"] != new["access_token"]


def test_a_password_that_a_developer_synchronized() -> None:
    people = PeopleWorld()
    register(people, username="zoe", password=md5("secret"))
    register(people, username="amy", password="in clear")
    program = login_of(people)
    form = app_form(username="zoe", password=md5("secret"), schema="app")
    assert program.log_in(APP_LOGIN, form)["success"]
    assert program.refusal(APP_LOGIN, {**form, "username": "amy"}) == 2401
    clear = {**form, "username": "amy", "password": md5("in clear")}
    assert program.refusal(APP_LOGIN, clear) == 2401


@pytest.mark.parametrize("country_code", ["49", 49])
def test_a_number_is_written_with_or_without_its_country(country_code: object) -> None:
    people = PeopleWorld()
    register(people, username="49-1701234567", username_type=1)
    form = app_form(password=md5("secret"), schema="app", country_code=country_code)
    for name in ("1701234567", "49-1701234567"):
        assert login_of(people).log_in(APP_LOGIN, {**form, "username": name})["success"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": md5("wrong")}, 2401),
        ({"password": PASSWORD}, 2401),
        ({"username": "nobody"}, 2401),
        ({"schema": "unheard"}, 2406),
        ({"schema": "theirs"}, 2401),
        ({"username": ""}, 1100),
        ({"schema": ""}, 1100),
        ({"password": ""}, 1100),
        ({"country_code": [49]}, 1109),
        ({"username": 7}, 1109),
    ],
)
def test_objections_to_a_login(change: dict[str, Any], code: int) -> None:
    assert login_of(PeopleWorld()).refusal(APP_LOGIN, app_form(**change)) == code


def test_a_missing_field_is_empty() -> None:
    program = login_of(PeopleWorld())
    for name in ("username", "password", "schema"):
        form = {key: value for key, value in app_form().items() if key != name}
        assert program.refusal(APP_LOGIN, form) == 1100


def test_which_code_a_wrong_password_has_can_be_chosen() -> None:
    settings = msgspec.structs.replace(SETTINGS, open_login_wrong_code=1106)
    form = app_form(password=md5("wrong"))
    assert login_of(PeopleWorld(settings)).refusal(APP_LOGIN, form) == 1106


def test_in_another_data_centre_the_skill_is_invalid() -> None:
    abroad = login_of(PeopleWorld(), prefix="/us")
    assert abroad.refusal(APP_LOGIN, app_form()) == 2406
    assert abroad.refusal(APP_LOGIN, app_form(username="nobody")) == 2401


def test_another_country_is_denied() -> None:
    people = PeopleWorld()
    register(people, username="zoe", country_code="49")
    form = app_form(username="zoe", password=md5("secret"), schema="app")
    assert login_of(people).log_in(APP_LOGIN, form)["success"]
    assert login_of(people).refusal(APP_LOGIN, {**form, "country_code": "86"}) == 1106


def test_who_is_not_linked_is_denied_until_there_is_a_consent() -> None:
    people = PeopleWorld()
    stranger = login_of(people, access_id=OTHER_ID, secret=OTHER_SECRET)
    assert stranger.refusal(APP_LOGIN, app_form()) == 1106
    guest = login_of(people, **GUEST)
    assert guest.refusal(APP_LOGIN, app_form()) == 1106
    by_code = people.guest(0)
    result = guest.keep(guest.log_in(APP_LOGIN, app_form()))
    assert result["access_token"] == by_code.token
    people.world.now_ms += 7_200_000
    assert guest.refusal(APP_LOGIN, app_form()) == 1106


def test_no_pair_outlives_the_consent_that_it_rests_on() -> None:
    settings = msgspec.structs.replace(SETTINGS, open_token_same=False)
    people = PeopleWorld(settings)
    people.guest(0)
    people.world.now_ms += 3_600_000
    guest = login_of(people, **GUEST)
    assert guest.keep(guest.log_in(APP_LOGIN, app_form()))["expire_time"] == 3_600
    people.world.now_ms += 3_600_000
    assert guest.code("GET", f"/v1.0/token/{guest.refresh_token}", token="") == 1010


# --- asset users --------------------------------------------------------------------------------


def asset_user(**choices: Any) -> dict[str, Any]:
    own = {"username": "worker", "password": sha256("secret"), "country_code": "49"}
    return {**own, **choices}


def test_an_asset_user_registers_logs_in_and_refreshes() -> None:
    people = PeopleWorld()
    made = people.ask("POST", ASSET_USERS, asset_user(creator="me", user_nick_name="Joe"))
    program = login_of(people)
    result = program.keep(program.log_in(ASSET_LOGIN, asset_user()))
    assert list(result) == ["access_token", "refresh_token", "uid", "expire"]
    assert result["uid"] == made["user_id"]
    assert result["expire"] == 7200
    assert re.fullmatch("[0-9a-f]{32}", result["access_token"])
    path = f"/v1.0/iot-03/users/token/{program.refresh_token}"
    new = program.keep(program.call("POST", path, token=""))
    assert (new["uid"], new["expire"]) == (made["user_id"], 7200)
    assert program.code("POST", path, token="") == 1010
    user = people.world.state.users.get(made["user_id"])
    assert user is not None
    assert (user.nick_name, user.country_code) == ("Joe", "49")
    assert_reloads(people.world)


def test_an_asset_user_is_the_projects_own() -> None:
    people = PeopleWorld()
    people.ask("POST", ASSET_USERS, asset_user())
    other = login_of(people, access_id=OTHER_ID, secret=OTHER_SECRET)
    assert other.refusal(ASSET_LOGIN, asset_user()) == 2401
    assert login_of(people, prefix="/us").refusal(ASSET_LOGIN, asset_user()) == 2401
    theirs = people.ask("POST", ASSET_USERS, asset_user(), by=people.other)["user_id"]
    assert other.keep(other.log_in(ASSET_LOGIN, asset_user()))["uid"] == theirs
    assert people.refused("GET", f"/v1.0/users/{theirs}/infos") == 1106


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"username": "worker"}, 2023),
        ({"username": ""}, 1100),
        ({"password": ""}, 1100),
        ({"country_code": "x"}, 2402),
        ({"country_code": 49}, 1109),
    ],
)
def test_objections_to_a_registration(change: dict[str, Any], code: int) -> None:
    people = PeopleWorld()
    people.ask("POST", ASSET_USERS, asset_user())
    fresh = asset_user(username="fresh")
    assert people.refused("POST", ASSET_USERS, {**fresh, **change}) == code


@pytest.mark.parametrize(
    "change", [{"password": sha256("x")}, {"password": "secret"}, {"username": "x"}]
)
def test_objections_to_an_asset_users_login(change: dict[str, str]) -> None:
    people = PeopleWorld(Settings(password_iterations=1))
    people.ask("POST", ASSET_USERS, asset_user())
    assert login_of(people).refusal(ASSET_LOGIN, {**asset_user(), **change}) == 2401


def test_a_country_may_be_served_elsewhere_only() -> None:
    settings = msgspec.structs.replace(SETTINGS, open_app_countries=("EU 49", "AY 86"))
    people = PeopleWorld(settings)
    assert people.refused("POST", ASSET_USERS, asset_user(country_code="86")) == 2403


def test_an_asset_user_is_no_consumer_of_any_app() -> None:
    people = PeopleWorld()
    people.ask("POST", ASSET_USERS, asset_user())
    form = {"name": "worker", "password": "secret"}
    assert people.world.refusal("POST", "/app/v1/login", form) == "bad_login"
    schema = f"assets:{people.maker.access_id}"
    login = app_form(username="worker", password=sha256("secret"), schema=schema)
    assert login_of(people).refusal(APP_LOGIN, login) == 2406


def test_secrets_are_not_shown() -> None:
    forms = (
        AppLogin("me", "hush", "app"),
        AssetLogin("me", "hush"),
        AssetUserForm("me", "hush", "49"),
        AssetPair("hush", "hush", "me", 1),
    )
    assert not any("hush" in repr(form) for form in forms)
