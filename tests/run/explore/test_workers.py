"""Processes that play cases: in order, one case at a time, and none takes the others with it."""

import os
import signal
from collections.abc import Iterator

from fleet.run.explore.case import Case
from fleet.run.explore.outcome import DIED, HUNG
from fleet.run.explore.workers import Here, Workers
from tests.run.explore.support import BREAKING, DEADLY, HANGING, case, failing, outcome, play


def cases(first: int, last: int) -> Iterator[Case]:
    return (case(seed=seed) for seed in range(first, last + 1))


def test_this_process_plays_one_after_the_other() -> None:
    here = Here(lambda one: failing() if one.seed == 2 else outcome())
    came = [(one.seed, told.finding is not None) for one, told in here.outcomes(cases(1, 3))]
    assert came == [(1, False), (2, True), (3, False)]


def test_outcomes_come_in_order_from_several_processes() -> None:
    with Workers(2, play=play) as workers:
        came = list(workers.outcomes(cases(11, 30)))
        assert [one.seed for one, _ in came] == list(range(11, 31))
        assert [one.seed for one, told in came if told.finding is not None] == [14, 21, 28]
        processes = {told.events for one, told in came if one.seed % 7}
        assert len(processes) == 2
        assert os.getpid() not in processes
        # Whoever stops early is not given later what was asked before.
        for one, _ in workers.outcomes(cases(31, 50)):
            if one.seed == 32:
                break
        again = [(one.seed, told.digest) for one, told in workers.outcomes(cases(15, 20))]
        assert again == [(seed, str(seed)) for seed in range(15, 21)]


def test_what_is_too_much_for_a_process_is_a_finding() -> None:
    with Workers(1, play=play, cpu_s_max=0.2) as workers:
        came = {one.seed: told for one, told in workers.outcomes(cases(DEADLY - 1, BREAKING + 2))}
        died, hung, broke = (came[seed].finding for seed in (DEADLY, HANGING, BREAKING))
        assert died is not None and hung is not None and broke is not None  # noqa: PT018
        assert (died.name, died.what) == (DIED, "the process that played it: exit code 41")
        assert came[DEADLY - 1].events != came[DEADLY + 1].events, "it was replaced"
        assert hung.name == HUNG
        assert "in play" in hung.trail, "it says where"
        assert broke.name == "KeyError in tests.run.explore.support.play"
        assert came[BREAKING + 2].events == came[DEADLY + 1].events, "it went on"

        os.kill(came[BREAKING + 2].events, signal.SIGKILL)  # while it has nothing to do
        later = [told for _, told in workers.outcomes(cases(8, 10))]
    assert [told.digest for told in later[1:]] == ["9", "10"]
    first = later[0].finding
    assert first is None or first.what.endswith("killed by SIGKILL")
