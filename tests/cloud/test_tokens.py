"""Tokens: their text, their life, and how many of them one person can hold."""

import msgspec
import pytest

from firmware_sim.wire.provisioning import parse_token
from fleet.cloud.devices import Site
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.tokens import FAILURES_MAX, PairToken, UnbindToken

from .support import OWNER, REPAIR, SETTINGS, START_MS, World, assert_reloads


def pair(world: World, uid: str = "uid0") -> PairToken:
    token = world.rule(lambda s: s.tokens.make_pair_token(uid, world.now_ms))
    assert isinstance(token, PairToken), token
    return token


def unbind(world: World, account: str = REPAIR, **wanted: int) -> UnbindToken:
    token = world.rule(lambda s: s.tokens.make_unbind_token(account, "qr", world.now_ms, **wanted))
    assert isinstance(token, UnbindToken), token
    return token


def test_the_text_has_region_token_and_secret() -> None:
    world = World(msgspec.structs.replace(SETTINGS, region="AY", token_secret="0101"))
    for token in (pair(world), unbind(world)):
        parts = parse_token(token.text)
        assert (parts.region, parts.token, parts.secret) == ("AY", token.token, "0101")
        assert len(token.text) == 14
        assert token.token.isalnum()
    assert_reloads(world)


def test_texts_are_not_shown() -> None:
    world = World()
    for token in (pair(world), unbind(world)):
        assert token.token not in repr(token)


def test_a_pairing_token_lives_until_spent_or_expired() -> None:
    world = World()
    token = pair(world)
    assert token.expires_ms == START_MS + 600_000
    assert token.alive(token.expires_ms - 1)
    assert not token.alive(token.expires_ms)
    spent = world.rule(lambda s: s.tokens.spend(token, "uuid"))
    assert not spent.alive(START_MS)
    assert world.state.tokens.pair_token(token.token) == spent


def test_failures_are_remembered_once_and_bounded() -> None:
    world = World()
    token = pair(world)
    for number in [0, 0, *range(FAILURES_MAX + 4)]:
        uuid = f"uuid{number}"
        token = world.rule(lambda s, t=token, u=uuid: s.tokens.note_failure(t, u, Reason.NOT_BOUND))
    assert [f.uuid for f in token.failed] == [f"uuid{n}" for n in range(4, FAILURES_MAX + 4)]
    assert_reloads(world)


def test_a_pairing_token_says_where_and_how_long() -> None:
    world = World()
    site = Site(region="AZ", home="7")
    token = world.rule(lambda s: s.tokens.make_pair_token("uid0", START_MS, site=site, life_s=300))
    assert (token.site, token.expires_ms) == (site, START_MS + 300_000)
    assert token.text == f"AZ{token.token}pr_0"
    assert pair(world).text.startswith("EU")
    assert_reloads(world)


def test_an_unbinding_token_is_what_was_ordered_within_limits() -> None:
    world = World(msgspec.structs.replace(SETTINGS, unbind_token_life_s_max=3_600))
    default = unbind(world)
    assert (default.devices_max, default.expires_ms) == (30, START_MS + 600_000)
    ordered = unbind(world, devices_max=5, life_s=60)
    assert (ordered.devices_max, ordered.expires_ms) == (5, START_MS + 60_000)
    for wrong in ({"devices_max": 31}, {"devices_max": -1}, {"life_s": 3_601}, {"life_s": -1}):
        with pytest.raises(Refused) as refused:
            world.state.tokens.make_unbind_token(REPAIR, "qr", START_MS, **wrong)
        assert refused.value.reason is Reason.BAD_REQUEST


def test_a_batch_is_its_makers() -> None:
    world = World()
    token = unbind(world)
    assert world.state.tokens.batch(REPAIR, token.batch) == token
    for account, batch in ((OWNER, token.batch), (REPAIR, "nosuch")):
        with pytest.raises(Refused) as refused:
            world.state.tokens.batch(account, batch)
        assert refused.value.reason is Reason.NOT_FOUND
    cancelled = world.rule(lambda s: s.tokens.cancel(token))
    assert not cancelled.alive(START_MS)


def test_a_new_token_pushes_out_a_dead_one_but_no_living() -> None:
    world = World(msgspec.structs.replace(SETTINGS, tokens_per_subject_max=2))
    first = pair(world)
    second = pair(world)
    full = world.rule(lambda s: s.tokens.make_pair_token("uid0", world.now_ms))
    assert isinstance(full, Refused)
    assert full.reason is Reason.TOO_MANY
    pair(world, "uid1")
    world.rule(lambda s: s.tokens.spend(second, "uuid"))
    third = pair(world)
    known = world.state.tokens.pair_token
    assert [known(t.token) is not None for t in (first, second, third)] == [True, False, True]
    assert_reloads(world)


def test_pairing_tokens_of_all_consumers_are_bounded_too() -> None:
    world = World(msgspec.structs.replace(SETTINGS, pair_tokens_max=2))
    first, second = pair(world, "uid0"), pair(world, "uid1")
    full = world.rule(lambda s: s.tokens.make_pair_token("uid2", world.now_ms))
    assert isinstance(full, Refused)
    assert full.reason is Reason.TOO_MANY
    unbind(world)
    world.kill_and_restart()
    world.now_ms = first.expires_ms
    third = pair(world, "uid2")
    known = world.state.tokens.pair_token
    assert [known(t.token) is not None for t in (first, second, third)].count(True) == 2
    assert known(third.token) == third
    assert_reloads(world)


def test_a_pairing_token_that_died_young_makes_room() -> None:
    world = World(msgspec.structs.replace(SETTINGS, pair_tokens_max=2))
    old = pair(world)
    young = world.rule(lambda s: s.tokens.make_pair_token("uid1", world.now_ms, life_s=300))
    world.now_ms += 400_000
    third = pair(world, "uid2")
    known = world.state.tokens.pair_token
    assert [known(t.token) for t in (old, young, third)] == [old, None, third]
    assert_reloads(world)


def test_a_dead_batch_is_pushed_out_like_any_token() -> None:
    world = World(msgspec.structs.replace(SETTINGS, tokens_per_subject_max=1))
    first = unbind(world)
    world.rule(lambda s: s.tokens.cancel(first))
    second = unbind(world)
    assert world.state.tokens.unbind_token(first.token) is None
    with pytest.raises(Refused):
        world.state.tokens.batch(REPAIR, first.batch)
    assert world.state.tokens.batch(REPAIR, second.batch) == second
    assert_reloads(world)
