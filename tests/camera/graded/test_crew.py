"""Worker processes: what they count, and that a decoder's death or sleep costs one look."""

import os
import time
from multiprocessing.connection import Connection
from typing import Any

import pytest

from firmware_sim.camera.graded import crew
from firmware_sim.camera.graded.measure import Seen, Tally, Verdict, Way
from firmware_sim.camera.graded.table import Level
from firmware_sim.errors import UsageError
from tests.camera.graded.levels import level_of

PLAIN, STRATEGY = Way("zxing", strategy=False), Way("zxing", strategy=True)
FATAL = 2
"""The look at which the decoders of these tests fail."""


def measured(levels: list[Level], ways: list[Way], frames: int, **options: Any) -> list[Any]:
    results: list[tuple[Level, dict[Way, Tally]]] = []
    crew.measure(levels, ways, frames, 2, lambda *done: results.append(done), **options)
    return results


def answer_until_fatal(pipe: Connection) -> bool:
    """Answer looks as a worker does; return True at the fatal one, False when all is done."""
    pipe.send(crew.READY)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return False
        for number in range(task.first, task.frames * len(task.ways)):
            if number == FATAL:
                return True
            pipe.send(Seen(Verdict.READ, 1_000_000))


def dies(pipe: Connection) -> None:
    if answer_until_fatal(pipe):
        os.abort()


def sleeps(pipe: Connection) -> None:
    if answer_until_fatal(pipe):
        time.sleep(600)


def test_levels_are_looked_at_in_every_way() -> None:
    levels = [level_of(), level_of(kind="none")]
    results = measured(levels, [PLAIN, STRATEGY], 2)
    assert len(results) == 2
    for level, tallies in results:
        assert list(tallies) == [PLAIN, STRATEGY]
        for tally in tallies.values():
            assert (tally.frames, tally.wrong, tally.lost) == (2, 0, 0)
            assert tally.read == (0 if level.recipe.kind == "none" else 2)
            assert tally.cpu_ns > 0


@pytest.mark.parametrize(("target", "limit_s"), [(dies, 60.0), (sleeps, 1.5)])
def test_a_decoder_that_is_gone_costs_one_look(target: Any, limit_s: float) -> None:
    ((_, tallies),) = measured([level_of()], [PLAIN, STRATEGY], 3, target=target, limit_s=limit_s)
    assert [(t.frames, t.read, t.lost) for t in tallies.values()] == [(3, 2, 1), (3, 3, 0)]


def test_an_unknown_decoder_is_said_before_anything_starts() -> None:
    with pytest.raises(UsageError, match="decoder 'eagle' is unknown"):
        measured([level_of()], [Way("eagle", strategy=False)], 1)
