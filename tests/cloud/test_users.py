"""Consumers: registering, logging in, being deleted."""

import hashlib

import msgspec
import pytest

from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.users import App, Profile, User

from .support import DAY_MS, SETTINGS, World, assert_reloads, seed

APP = App("EU", "app")
SECRET = hashlib.md5(b"secret").hexdigest()


def registered(world: World, name: str = "zoe", password: str = SECRET, app: App = APP) -> User:
    user = world.rule(
        lambda s: s.users.register(name, password, now_ms=world.now_ms, app=app, md5=True)
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


# --- apps ---------------------------------------------------------------------------------------


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
