"""A world in a thread of its own: asked from another one, ended, and what comes of failures."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.virtual.pace import FLAT_OUT, Pace
from fleet.run.virtual.paced import Over, PacedWorld

START_MS = 1_000_000
LONG_S = 60.0


class Town:
    """A world with a diary."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.diary: list[str] = []

    def write(self, line: str) -> int:
        self.diary.append(line)
        return len(self.diary)

    async def sleep(self, for_s: float) -> int:
        await asyncio.sleep(for_s)
        return round(asyncio.get_running_loop().time() * 1000)


left: list[str] = []


@asynccontextmanager
async def town(pace: Pace) -> AsyncIterator[Town]:
    left.clear()
    yield Town(pace)
    left.append("left")


def a_town(rate: float = FLAT_OUT) -> PacedWorld[Town]:
    world = PacedWorld(town, START_MS, rate)
    world.start().result(LONG_S)
    return world


def test_what_is_asked_for_is_done_there_and_answered() -> None:
    world = a_town()
    assert world.do(lambda it: it.write("one")).result(LONG_S) == 1
    assert world.let(lambda it: it.sleep(3600)).result(LONG_S) == START_MS + 3_600_000
    world.end()
    assert left == ["left"]


def test_a_mistake_is_told_to_who_made_it_and_the_world_goes_on() -> None:
    world = a_town()

    def refuse(_: Town) -> None:
        raise UsageError("not here")

    async def refuse_later(_: Town) -> None:
        await asyncio.sleep(1)
        raise UsageError("nor there")

    with pytest.raises(UsageError, match="not here"):
        world.do(refuse).result(LONG_S)
    with pytest.raises(UsageError, match="nor there"):
        world.let(refuse_later).result(LONG_S)
    assert world.do(lambda it: it.diary).result(LONG_S) == []
    world.end()


def test_what_is_asked_for_early_waits_until_the_world_is_made() -> None:
    world = PacedWorld(town, START_MS, FLAT_OUT)
    early = world.do(lambda it: it.write("early"))
    world.start()
    assert early.result(LONG_S) == 1
    world.end()


def test_what_nobody_wants_any_more_is_not_done() -> None:
    world = PacedWorld(town, START_MS, FLAT_OUT)
    unwanted = [world.do(lambda it: it.write("no")), world.let(lambda it: it.sleep(1))]
    assert [answer.cancel() for answer in unwanted] == [True, True]
    world.start().result(LONG_S)
    assert world.do(lambda it: it.diary).result(LONG_S) == []
    world.end()


def test_our_own_mistake_ends_the_world_and_is_told() -> None:
    world = a_town()

    def fail(_: Town) -> None:
        raise ZeroDivisionError("ours")

    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        with pytest.raises(ZeroDivisionError, match="ours"):
            world.do(fail).result(LONG_S)
        world.end()
    finally:
        threading.excepthook = hook
    assert world.over


def test_nothing_that_was_asked_for_stays_unanswered() -> None:
    world = a_town()
    world.do(lambda it: it.pace.pause()).result(LONG_S)
    waiting = world.let(lambda it: it.sleep(10))
    world.do(lambda _: None).result(LONG_S)
    world.end()
    with pytest.raises(Over):
        waiting.result(LONG_S)
    with pytest.raises(Over):
        world.do(lambda _: None).result(LONG_S)
    assert world.over
    world.end()  # once more does no harm


def test_a_world_that_cannot_be_made_says_why() -> None:
    @asynccontextmanager
    async def nowhere(pace: Pace) -> AsyncIterator[Town]:
        if pace.rate:
            raise UsageError("no ground to stand on")
        yield Town(pace)

    world = PacedWorld(nowhere, START_MS)
    with pytest.raises(UsageError, match="no ground"):
        world.start().result(LONG_S)
    world.end()
    assert world.over
