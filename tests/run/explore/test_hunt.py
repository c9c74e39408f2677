"""Seeds are played until one fails, and everything is counted."""

from collections.abc import Iterator

from fleet.run.explore.case import Case
from fleet.run.explore.hunt import KEPT_MAX, Score, hunt
from fleet.run.explore.outcome import Outcome
from fleet.run.explore.workers import Here
from tests.run.explore.support import case, failing, outcome


def cases(count: int) -> Iterator[Case]:
    return (case(seed=seed) for seed in range(1, count + 1))


def play(one: Case) -> Outcome:
    if one.seed % 10 == 0:
        return failing()
    return outcome(events=2, struck={"slow": one.seed}, marks=(one.seed, 3))


def test_it_stops_at_the_first_that_fails() -> None:
    score, seen = Score(), list[int]()
    hunt(Here(play), cases(30), score, lambda one, _: seen.append(one.seed))
    assert seen == list(range(1, 11))
    assert [caught.case.seed for caught in score.caught] == [10]
    assert score.failed == {"planted": 1}


def test_it_goes_on_if_told_so_and_counts_everything() -> None:
    score = Score()
    hunt(Here(play), cases(30), score, lambda *_: None, keep_going=True)
    assert (score.seeds, score.failed["planted"]) == (30, 3)
    assert score.events == 27 * 2 + 3 * 3
    assert score.struck["slow"] == sum(range(31)) - 60
    assert score.marks == {*range(1, 30)} - {10, 20, 30}
    assert score.virtual_s == 30 * 60


def test_it_does_not_keep_all_of_very_many() -> None:
    score = Score()
    hunt(Here(lambda _: failing()), cases(KEPT_MAX + 5), score, lambda *_: None, keep_going=True)
    assert (len(score.caught), score.failed["planted"]) == (KEPT_MAX, KEPT_MAX + 5)
