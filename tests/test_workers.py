"""How the gate shares the tests out, and that a worker's network is its own."""

import os
from pathlib import Path

import pytest

from tests import workers
from tests.live.lan import apart

UNITS = ["tests/app/test_a.py", "tests/wire/test_b.py"]
LIVE = ["tests/live/lan/test_c.py", "tests/live/run/test_d.py", "tests/runtime/live/test_e.py"]


def test_a_live_file_is_one_in_a_folder_of_that_name() -> None:
    assert [path for path in [*UNITS, *LIVE, "tests/live"] if workers.is_live(path)] == LIVE


@pytest.mark.parametrize(
    ("live", "order"), [(True, [*reversed(LIVE), *UNITS]), (False, [*UNITS, *LIVE])]
)
def test_each_begins_with_what_it_likes_and_then_helps_the_others(
    live: bool, order: list[str]
) -> None:
    waiting, taken = sorted([*UNITS, *LIVE]), []
    while waiting:
        taken.append(workers.chosen(waiting, live=live))
        waiting.remove(taken[-1])
    assert taken == order


@pytest.mark.skipif(os.geteuid() != 0, reason="only root moves")
def test_where_a_worker_moves_to_nothing_else_is_seen() -> None:
    def alone() -> bool:
        workers.move()
        return [path.name for path in Path("/sys/class/net").iterdir()] == ["lo"]

    assert apart.succeeds(alone) or not workers.may_move()
