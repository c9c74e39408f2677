"""Consumers: registering and logging in."""

import msgspec
import pytest

from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.users import User

from .support import SETTINGS, World, assert_reloads, seed


def test_register_and_log_in() -> None:
    world = World()
    user = world.rule(lambda s: s.users.register("Zoë", "secret"))
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
    refusal = world.rule(lambda s: s.users.register("user0", "secret"))
    assert refusal.reason is Reason.NAME_TAKEN


def test_users_are_bounded() -> None:
    world = World(msgspec.structs.replace(SETTINGS, users_max=3), seed(0))
    world.rule(lambda s: s.users.register("third", "x"))
    refusal = world.rule(lambda s: s.users.register("fourth", "x"))
    assert refusal.reason is Reason.TOO_MANY
    assert len(world.state.users) == 3


def test_the_hash_is_not_shown() -> None:
    assert "beef" not in repr(User("uid", "name", "1$beef$beef"))
