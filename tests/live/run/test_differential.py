"""One scenario in both worlds: the same outcomes, and the same states of each device in order."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fleet.run.command import perform
from fleet.run.messages import Seen
from fleet.run.result import RunResult
from fleet.run.runner import Run
from fleet.run.virtual.command import perform_virtual
from fleet.run.watch import Watch

SCENARIO = str(Path(__file__).with_name("quick") / "differential.toml")
Life = list[tuple[str, str, str, str]]


class Lives:
    """What was seen of each device, in order, until the run had checked them.

    Afterwards processes end one by one, and devices may notice.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: dict[int, Life] = {}
        self.over = False
        take, check = Watch.take_seen, Run._check

        def record(watch: Watch, seen: Seen) -> None:
            if not self.over:
                state = (seen.lifecycle, seen.session, seen.light, seen.operator)
                self.of.setdefault(seen.index, []).append(state)
            take(watch, seen)

        async def check_and_close(run: Run, *what: Any) -> None:
            await check(run, *what)
            self.over = True

        monkeypatch.setattr(Watch, "take_seen", record)
        monkeypatch.setattr(Run, "_check", check_and_close)

    def taken(self) -> dict[int, Life]:
        assert self.over
        lives, self.of, self.over = self.of, {}, False
        return lives


def ends(result: RunResult) -> tuple[object, ...]:
    assert result.passed, (result.violations, result.unmet)
    assert result.incidents == ()
    outcomes, method = result.outcomes, result.by_method
    return outcomes.unbound, outcomes.rebound, outcomes.refused, outcomes.failed, method


def test_live_and_virtual_are_the_same_to_devices_and_to_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lives = Lives(monkeypatch)
    console = Console(quiet=True)
    virtual = ends(perform_virtual(SCENARIO, seed=5, console=console))
    lives_virtual = lives.taken()
    live = ends(perform(SCENARIO, seed=5, decoder="zxing", shards=1, console=console))
    lives_live = lives.taken()
    assert live == virtual
    assert set(lives_live) == set(lives_virtual) == set(range(9))
    for index in range(9):
        assert lives_live[index] == lives_virtual[index], index
