from typing import Any

import pytest

from fleet.report.health import Health, judge


def health(**changes: Any) -> Health:
    usual: dict[str, Any] = {
        "virtual": False,
        "loop_lag_p99_ms": 5.0,
        "cpu_s_by_group": {"runner": 1.0, "cloud": 2.0, "shards/0": 4.0, "shards/1": 1.0},
        "wall_s": 10.0,
        "cores": 2,
    }
    return judge(**usual | changes)


def test_a_generator_that_kept_up() -> None:
    found = health()
    assert found.bottleneck is False
    assert found.cpu_pct_by_shard == {"0": 40.0, "1": 10.0}
    assert found.machine_cpu_pct == 40.0
    assert found.sentence == (
        "The generator was not the bottleneck: event loops were at most 5 ms late in 99 of 100 looks "
        "(limit 50), the busiest shard took 40 % of a core (limit 90), all processes took 40 % of "
        "2 cores (limit 95)."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loop_lag_p99_ms": 51.0}, "51 ms late"),
        ({"cpu_s_by_group": {"shards/0": 9.5}}, "took 95 % of a core"),
        ({"cpu_s_by_group": {"cloud": 12, "shards/0": 8}}, "took 100 % of 2 cores"),
    ],
)
def test_a_generator_that_did_not(changes: dict[str, Any], words: str) -> None:
    found = health(**changes)
    assert found.bottleneck is True
    assert found.sentence.startswith("The generator was the bottleneck: ")
    assert words in found.sentence
    assert found.sentence.count("limit") == 1, "only what is behind it"


def test_in_virtual_time_it_cannot_be() -> None:
    found = health(virtual=True, loop_lag_p99_ms=9_999.0)
    assert (found.bottleneck, found.cpu_pct_by_shard, found.machine_cpu_pct) == (False, {}, None)


def test_nobody_knows_without_shards() -> None:
    assert health(cpu_s_by_group={"runner": 1.0}).bottleneck is None
    assert health(wall_s=0.0).bottleneck is None
