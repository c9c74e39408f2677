"""Walks: anything may happen at any instant, and no check fails; then peace, and the device rests."""

from functools import cache

import pytest

from firmware_sim import events as ev
from firmware_sim.device.states import Lifecycle, Session
from tests.device.stage import BOUND
from tests.device.walker import Walker

pytestmark = pytest.mark.no_cover

PROFILES = ("ipc-red-green", "ipc-retry", "gateway", "ipc-old", "ipc-new", "nvr-label")
SEEDS = range(50)
STEPS = 400
PEACE_STEPS = 60
PEACE_MS = 180_000  # three of the longest pauses


@cache
def walk(profile: str, seed: int) -> Walker:
    """Return a device after `STEPS` steps, of which a half, a quarter or an eighth are rude."""
    walker = Walker(profile, seed, BOUND.image() if seed % 2 else b"")
    for _ in range(STEPS):
        if walker.pick(2 << seed % 3):
            walker.polite()
        else:
            walker.rude()
    return walker


def at_rest(walker: Walker) -> bool:
    return walker.device.lifecycle is Lifecycle.WAITING or walker.device.session is Session.UP


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_walk_ends_at_rest(profile: str, seed: int) -> None:
    walker = walk(profile, seed)
    walker.tell(ev.ButtonReleased())
    since_ms, before = walker.now_ms, len(walker.told)
    while not at_rest(walker):
        walker.polite()
        assert len(walker.told) - before < PEACE_STEPS, walker.told[-PEACE_STEPS:]
    assert walker.now_ms - since_ms < PEACE_MS


@pytest.mark.parametrize("profile", PROFILES)
def test_walks_go_everywhere(profile: str) -> None:
    """A walk that never leaves the house proves nothing."""
    visited = set().union(*(walk(profile, seed).visited for seed in SEEDS))
    wired, online = profile in ("gateway", "nvr-label"), profile == "nvr-label"
    away = {Lifecycle.JOINING} if wired else set()
    assert visited == {*Lifecycle, *Session} - away - (set() if online else {Session.LISTENING})
