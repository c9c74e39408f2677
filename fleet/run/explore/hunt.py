"""Plays seed after seed, counts what was reached, and stops at the first that fails."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from fleet.run.explore.case import Case
from fleet.run.explore.outcome import Outcome
from fleet.run.explore.workers import Players

KEPT_MAX = 100


class Caught(msgspec.Struct, frozen=True):
    """A case that fails, and how."""

    case: Case
    outcome: Outcome


class Score(msgspec.Struct):
    """What exploring has come to so far.

    `caught` are the first findings; `failed` counts all, by name. `struck` counts how often faults
    struck a device, by kind. `marks` are the rows of the firmware's tables that have fired.
    """

    seeds: int = 0
    events: int = 0
    virtual_s: float = 0.0
    struck: Counter[str] = msgspec.field(default_factory=Counter)
    marks: set[int] = set()
    failed: Counter[str] = msgspec.field(default_factory=Counter)
    caught: list[Caught] = []

    def take(self, case: Case, outcome: Outcome) -> None:
        """Add one run."""
        self.seeds += 1
        self.events += outcome.events
        self.virtual_s += outcome.virtual_s
        self.struck.update(outcome.struck)
        self.marks.update(outcome.marks)
        if outcome.finding is not None:
            self.failed[outcome.finding.name] += 1
            if len(self.caught) < KEPT_MAX:
                self.caught.append(Caught(case, outcome))


def hunt(
    players: Players,
    cases: Iterable[Case],
    score: Score,
    on_outcome: Callable[[Case, Outcome], None],
    *,
    keep_going: bool = False,
) -> None:
    """Play cases until one fails, or all of them with `keep_going`; `score` is kept meanwhile.

    The first one is that with the lowest seed, however many play at once.
    """
    for case, outcome in players.outcomes(cases):
        score.take(case, outcome)
        on_outcome(case, outcome)
        if outcome.finding is not None and not keep_going:
            return
