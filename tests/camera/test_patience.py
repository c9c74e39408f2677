"""Patience ends once, after real time, and never when it was told that nothing is expected."""

import asyncio
import time

import pytest

from firmware_sim.camera import patience
from firmware_sim.camera.patience import Patience

pytestmark = pytest.mark.anyio


class Wall:
    """A clock of the machine that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        monkeypatch.setattr(patience, "time", self)

    def monotonic(self) -> float:
        return self.now_s


async def turns() -> None:
    """Let timers of no time and what follows from them happen."""
    for _ in range(3):
        await asyncio.sleep(0.002)


async def test_it_ends_when_the_wall_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's timer is due long before: a fast loop must not shorten what workers get."""
    wall, ends = Wall(monkeypatch), list[float]()
    waiting = Patience(0.001, lambda: ends.append(wall.now_s))
    waiting.expect()
    await turns()
    assert ends == []
    wall.now_s = 0.001
    await turns()
    await turns()
    assert ends == [0.001]


@pytest.mark.parametrize("how", ["rest", "end"])
async def test_nothing_ends_when_nothing_is_expected(how: str) -> None:
    ends = list[float]()
    waiting = Patience(0.0, lambda: ends.append(time.monotonic()))
    waiting.expect()
    getattr(waiting, how)()
    await turns()
    assert ends == []
    waiting.expect()
    await turns()
    assert len(ends) == 1


async def test_what_comes_begins_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, ends = Wall(monkeypatch), list[float]()
    waiting = Patience(0.001, lambda: ends.append(wall.now_s))
    waiting.expect()
    wall.now_s = 0.0009
    waiting.expect()
    wall.now_s = 0.0018
    await turns()
    assert ends == []
    wall.now_s = 0.0019
    await turns()
    assert ends == [0.0019]
    waiting.end()
