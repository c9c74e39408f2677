"""All watchers, the cheap ones or none; without any, nothing is attached and nothing is different."""

import pytest

from fleet.run.checks import push_delivered
from fleet.run.checks.table import INVARIANTS
from fleet.run.checks.watching import WATCHED_DEVICES_MAX, Extent, usual
from tests.run.checks.support import CRASHES, play


def test_small_fleets_are_watched_closely() -> None:
    assert usual(WATCHED_DEVICES_MAX) is Extent.ALL
    assert usual(WATCHED_DEVICES_MAX + 1) is Extent.CHEAP


@pytest.mark.parametrize(("extent", "cheap"), [(Extent.ALL, None), (Extent.CHEAP, True)])
def test_so_many_are_attached(extent: Extent, cheap: bool | None) -> None:
    watchers = play(extent).watchers
    assert watchers is not None
    wanted = [
        invariant.watcher
        for invariant in INVARIANTS
        if invariant.watcher is not None and cheap in (None, invariant.cheap)
    ]
    assert [type(watcher) for watcher in watchers._watchers] == wanted
    assert len(wanted) >= 2


def test_without_watchers_all_lists_are_empty() -> None:
    played = play(Extent.NONE)
    assert played.crew is not None
    cloud = played.crew.cloud
    for looks in (
        *(played.crew.world.stepped, cloud.disk.written, cloud.arrived, cloud.decided),
        *(cloud.told, cloud.started, cloud.crashed),
    ):
        assert looks == []


def test_a_watcher_that_only_looks_on_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_delivered, "CONSUMERS", 0)
    monkeypatch.setattr(push_delivered, "SETTLE_S", 0)
    monkeypatch.setattr(push_delivered.Watcher, "ended", lambda _: None)
    digests = {play(extent, faults=CRASHES).trace.digest() for extent in Extent}
    assert len(digests) == 1


def test_a_watched_run_is_a_function_of_its_seed_as_well() -> None:
    first, second = (play(Extent.ALL, faults=CRASHES).trace.digest() for _ in range(2))
    assert first == second
