"""What was told is written, and what was written is there after each restart."""

import asyncio
from typing import Any

import pytest

from firmware_sim.effects import Effect
from fleet.cloud.history import HistoryRow
from fleet.cloud.ledger import Ledger
from fleet.cloud.messages import Commit, SendReply
from fleet.cloud.outbox import Outbox
from fleet.cloud.push_backlog import PushMessage
from fleet.cloud.quotas import QuotaUse
from fleet.cloud.tokens import UnbindToken
from fleet.run.checks import acknowledged_survives
from fleet.run.virtual.crew import Crew
from fleet.run.virtual.disk import Disk
from tests.run.checks.support import CRASHES, a_scene, planted, says, watched

NAME = "acknowledged_survives"


def test_effects_leave_when_what_is_before_them_is_written() -> None:
    watcher = acknowledged_survives.Watcher(scene := a_scene())
    free, held = SendReply(1, 200, b""), SendReply(2, 200, b"")
    changes: Any = (1, 2)
    watcher.decided([free, Commit(changes), held])
    watcher.told(free)
    watcher.wrote(changes[:1])
    assert scene.findings.lines() == []
    watcher.told(held)
    assert says(scene.findings.lines(), NAME, "SendReply: left before 1 changes were written")
    watcher.told(free)
    assert says(scene.findings.lines(), NAME, "SendReply: left without having been decided")


def test_a_cloud_that_speaks_before_its_disk_has_written_is_caught() -> None:
    def push(self: Outbox, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Commit):
                self._submit(effect.changes)
            else:
                self._carry_out(effect)

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Outbox, "push", push)
        patch.setattr(Outbox, "settle", lambda *_: None)

    found = planted(plant)
    assert says(found, NAME, "SendReply: left before 1 changes were written, at ")
    assert says(found, NAME, "was told of a login that is not written, at ")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (UnbindToken, "owner@maker: was told of batch "),
        (HistoryRow, "owner@maker: was told of row 1, which is not written so"),
    ],
)
def test_a_service_that_keeps_something_to_itself_is_caught(kind: type, text: str) -> None:
    put = Ledger.put

    def forget(self: Ledger[Any], record: Any) -> Any:
        if not isinstance(record, kind):
            return put(self, record)
        self._rows[self._key(record)] = record
        return record

    assert says(planted(lambda patch: patch.setattr(Ledger, "put", forget)), NAME, text)


@pytest.mark.parametrize("kind", [HistoryRow, UnbindToken, PushMessage, QuotaUse])
def test_a_disk_that_loses_something_is_caught_at_the_restart(kind: type) -> None:
    load = Disk.load

    def lose(self: Disk, wanted: type) -> Any:
        loaded: list[Any] = list(load(self, wanted))
        return loaded[:-1] if wanted is kind else loaded

    found = planted(lambda patch: patch.setattr(Disk, "load", lose), CRASHES)
    assert says(found, NAME, "is not what was written before the restart, at ")


def test_nothing_is_lost_when_a_cloud_crashes_at_any_moment() -> None:
    async def storm(crew: Crew) -> None:
        for index in range(8):
            crew.power([index], on=False)
            crew.power([index], on=True)
            await asyncio.sleep(2.0 + index / 7)
            await crew.cloud.be_away(0.5, politely=False)
        await asyncio.sleep(60)

    assert watched(storm) == []
