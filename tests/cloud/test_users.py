"""Consumers: registering, logging in, being deleted."""

import hashlib

import msgspec
import pytest

from fleet.cloud.keys import hash_password
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.users import App, Profile, User

from .support import DAY_MS, PASSWORD, SETTINGS, World, assert_reloads, seed

APP = App("EU", "app")
SECRET = hashlib.md5(b"secret").hexdigest()


def registered(world: World, name: str = "zoe", password: str = SECRET, app: App = APP) -> User:
    user = world.rule(
        lambda s: s.users.register(name, password, now_ms=world.now_ms, app=app, digested=True)
    )
    assert isinstance(user, User)
    return user


def test_register_and_log_in() -> None:
    world = World()
    user = world.rule(lambda s: s.users.register("Zoë", "secret", now_ms=1))
    assert user.uid.startswith("eu")
    assert len(user.uid) == 22
    assert world.state.users.log_in("Zoë", "secret") == user
    assert world.state.users.get(user.uid) == user
    assert_reloads(world)
    for name, password in (("Zoë", "Secret"), ("Zoe", "secret")):
        with pytest.raises(Refused) as refused:
            world.state.users.log_in(name, password)
        assert refused.value.reason is Reason.BAD_LOGIN


def test_a_name_is_taken_once() -> None:
    world = World()
    refusal = world.rule(lambda s: s.users.register("user0", "secret", now_ms=1))
    assert refusal.reason is Reason.NAME_TAKEN


def test_users_are_bounded() -> None:
    world = World(msgspec.structs.replace(SETTINGS, users_max=3), seed(0))
    world.rule(lambda s: s.users.register("third", "x", now_ms=1))
    refusal = world.rule(lambda s: s.users.register("fourth", "x", now_ms=1))
    assert refusal.reason is Reason.TOO_MANY
    assert len(world.state.users) == 3


def test_the_hash_is_not_shown() -> None:
    assert "beef" not in repr(User("uid", "name", "1$beef$beef"))


# --- digests ------------------------------------------------------------------------------------


def test_whoever_registered_can_be_known_by_the_digest() -> None:
    world = World()
    md5 = hashlib.md5(PASSWORD.encode()).hexdigest()
    users = world.state.users
    assert users.log_in("user0", md5, digested=True) == users.log_in("user0", PASSWORD)
    for given in (PASSWORD, md5.upper(), ""):
        with pytest.raises(Refused):
            users.log_in("user0", given, digested=True)


def test_a_seed_without_password_admits_nobody() -> None:
    world = World()
    world.rule(lambda s: s.users.register("closed", "", now_ms=1))
    empty = hashlib.md5(b"").hexdigest()
    for given, digested in (("", False), (empty, True), ("", True)):
        with pytest.raises(Refused):
            world.state.users.log_in("closed", given, digested=digested)


def test_who_comes_from_an_old_database_has_to_log_in_once() -> None:
    world = World()
    user = world.state.users.find(world.state.users.app(), "user0")
    assert user is not None
    hashed = hash_password(PASSWORD, world.entropy, 1)
    old = msgspec.structs.replace(user, password_hash=hashed, password_md5=False)
    world.rule(lambda s: s.users._users.put(old))
    md5 = hashlib.md5(PASSWORD.encode()).hexdigest()
    refusal = world.rule(lambda s: s.users.log_in("user0", md5, digested=True))
    assert refusal.reason is Reason.BAD_LOGIN
    assert world.rule(lambda s: s.users.log_in("user0", "wrong")).reason is Reason.BAD_LOGIN
    assert world.rule(lambda s: s.users.log_in("user0", PASSWORD)).password_md5
    assert world.state.users.log_in("user0", md5, digested=True).uid == user.uid
    assert_reloads(world)


def test_asset_users_have_a_digest_of_their_own() -> None:
    world = World()
    app = App("EU", "assets:key")
    world.rule(lambda s: s.users.register("joe", "secret", now_ms=1, app=app))
    sha256 = hashlib.sha256(b"secret").hexdigest()
    assert world.state.users.log_in("joe", sha256, app, digested=True).schema == "assets:key"
    with pytest.raises(Refused):
        world.state.users.log_in("joe", SECRET, app, digested=True)


# --- apps ---------------------------------------------------------------------------------------


def test_the_users_of_apps_are_counted_wherever_they_are() -> None:
    world = World()
    here = registered(world).uid
    there = registered(world, app=App("AZ", "app")).uid
    assert world.state.users.count({"app", "nosuch"}) == 2
    assert {*world.state.users.of_apps({"app"})} == {here, there}
    assert world.state.users.count(()) == 0


def test_each_app_in_each_centre_has_its_own_names() -> None:
    world = World(start=seed(0))
    apps = (APP, App("US", "app"), App("EU", "other"), world.state.users.app())
    users = [registered(world, "zoe", SECRET, app) for app in apps]
    assert [world.state.users.find(app, "zoe") for app in apps] == users
    assert [world.state.users.app_of(user) for user in users] == list(apps)
    assert world.state.users.app() == ("EU", "fleet")
    assert users[1].uid.startswith("us")
    assert_reloads(world)


def test_who_was_there_before_there_were_apps_is_the_fleets() -> None:
    old = User("uid", "zoe", "")
    world = World(start=seed(0))
    assert world.state.users.app_of(old) == world.state.users.app()


def test_md5_of_the_password_is_what_logs_in() -> None:
    world = World()
    user = registered(world)
    users = world.state.users
    assert users.log_in("zoe", "secret", APP) == user
    clear = registered(world, "clear", "secret")
    with pytest.raises(Refused):
        users.log_in("clear", "secret", APP)
    after = world.rule(lambda s: s.users.update(clear, SECRET, "", "", 7))
    assert users.log_in("clear", "secret", APP) == after
    assert after.updated_ms == 7
    assert_reloads(world)


def test_a_consumer_of_the_fleet_becomes_one_with_md5() -> None:
    world = World()
    user = world.state.users.log_in("user0", "correct horse")
    world.rule(lambda s: s.users.update(user, SECRET, "", "", 7))
    assert world.state.users.log_in("user0", "secret").uid == "uid0"
    with pytest.raises(Refused):
        world.state.users.log_in("user0", "correct horse")


def test_an_update_keeps_what_is_not_given() -> None:
    world = World(start=seed(0))
    profile = Profile("49", 2, "Zoë", "Europe/Berlin")
    user = world.rule(
        lambda s: s.users.register("z@example.com", SECRET, now_ms=1, app=APP, profile=profile)
    )
    after = world.rule(lambda s: s.users.update(user, SECRET, "", "Asia/Tokyo", 2))
    assert (after.nick_name, after.time_zone) == ("Zoë", "Asia/Tokyo")
    assert (after.country_code, after.username_type, after.created_ms) == ("49", 2, 1)


def test_users_are_listed_by_the_time_of_their_registration() -> None:
    world = World(start=seed(0))
    uids = []
    for name in ("c", "a", "b"):
        uids.append(registered(world, name).uid)
        world.now_ms += 1000
    start_ms = world.now_ms - 3000
    users = world.state.users
    assert users.registered(APP) == uids
    assert users.registered(APP, start_ms + 1, start_ms + 2001) == uids[1:]
    assert users.registered(App("EU", "nobody's")) == []


# --- deletion -----------------------------------------------------------------------------------


def deadline_ms(world: World) -> int | None:
    return world.state.users.next_deletion_ms


def test_who_is_to_be_deleted_has_seven_days() -> None:
    world = World(start=seed(0))
    user = registered(world)
    users = world.state.users
    assert deadline_ms(world) is None
    leaving = world.rule(lambda s: s.users.prepare_delete(user, world.now_ms))
    due_ms = world.now_ms + 7 * DAY_MS
    assert leaving.delete_at_ms == deadline_ms(world) == due_ms
    assert users.due(due_ms - 1, 9) == []
    assert users.due(due_ms, 9) == [leaving]
    assert users.due(due_ms, 0) == []
    again = world.rule(lambda s: s.users.prepare_delete(leaving, world.now_ms + 5))
    assert again == leaving, "the date that stands is kept"
    assert_reloads(world)
    stays = world.rule(lambda s: s.users.cancel_delete(leaving))
    assert stays == user
    assert deadline_ms(world) is None
    assert world.rule(lambda s: s.users.cancel_delete(stays)) == user
    assert_reloads(world)


def test_a_name_is_free_again_once_its_user_is_gone() -> None:
    world = World(start=seed(0))
    user, other = registered(world), registered(world, "other")
    leaving = world.rule(lambda s: s.users.prepare_delete(user, world.now_ms))
    world.rule(lambda s: s.users.remove(leaving))
    world.rule(lambda s: s.users.remove(other))
    users = world.state.users
    assert (users.find(APP, "zoe"), users.get(user.uid), users.next_deletion_ms) == (None,) * 3
    assert users.registered(APP) == []
    assert_reloads(world)
    assert registered(world).uid != user.uid
