"""Logins: whose they are, how long they live, and that only their hash is kept."""

import msgspec
import pytest

from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.sessions import APP, CONSOLE, Session

from .support import OWNER, SETTINGS, World, assert_reloads

SHORT = msgspec.structs.replace(SETTINGS, session_life_s=10, sessions_per_subject_max=2)


def opened(world: World, kind: str = CONSOLE, subject: str = OWNER) -> str:
    token = world.rule(lambda s: s.sessions.open(kind, subject, world.now_ms))
    assert isinstance(token, str)
    return token


def is_open(world: World, token: str, kind: str = CONSOLE) -> bool:
    try:
        return world.state.sessions.subject(kind, token, world.now_ms) == OWNER
    except Refused as refused:
        return refused.reason is not Reason.NO_SESSION


def test_a_session_survives_a_restart_but_not_its_life() -> None:
    world = World(SHORT)
    token = opened(world)
    world.kill_and_restart()
    world.now_ms += 9_999
    assert is_open(world, token)
    world.now_ms += 1
    assert not is_open(world, token)


def test_a_session_is_for_one_api() -> None:
    world = World(SHORT)
    assert not is_open(world, opened(world), APP)
    assert not is_open(world, "")
    assert is_open(world, opened(world, APP), APP)


def test_a_new_login_ends_the_oldest_and_the_dead() -> None:
    world = World(SHORT)
    tokens = []
    for _ in range(3):
        world.now_ms += 1
        tokens.append(opened(world))
    assert [is_open(world, token) for token in tokens] == [False, True, True]
    world.now_ms += 10_000
    opened(world)
    assert len(world.store.load(Session)) == 1
    assert_reloads(world)


def test_the_token_itself_is_not_kept() -> None:
    world = World(SHORT)
    token = opened(world)
    (kept,) = world.store.load(Session)
    assert token not in repr(kept)


@pytest.mark.parametrize("subject", ["maker", "uid1"])
def test_tokens_are_long_and_never_the_same(subject: str) -> None:
    world = World()
    tokens = {opened(world, CONSOLE, subject) for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {32}


def test_somebody_is_logged_out_everywhere() -> None:
    world = World(SHORT)
    tokens = [opened(world), opened(world)]
    other = opened(world, APP)
    world.rule(lambda s: s.sessions.end_all(CONSOLE, OWNER))
    world.rule(lambda s: s.sessions.end_all(CONSOLE, "nobody"))
    assert [is_open(world, token) for token in tokens] == [False, False]
    assert is_open(world, other, APP)
    assert_reloads(world)
