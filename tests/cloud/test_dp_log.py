"""The log of data points: kept per device, bounded, forgotten."""

import msgspec
import pytest

from fleet.cloud.dp_log import DpEvent, DpRow
from fleet.cloud.settings import Settings
from tests.cloud.support import SETTINGS, World, assert_reloads


def world_with(**choices: int) -> World:
    return World(msgspec.structs.replace(SETTINGS, **choices))


def add(world: World, dev_id: str, dps: str) -> None:
    world.rule(lambda s: s.data_points.log.add(dev_id, DpEvent.REPORT, dps, world.now_ms))


def kept(world: World, dev_id: str) -> list[str]:
    return [row.dps for row in world.state.data_points.log.of(dev_id)]


def test_a_device_keeps_so_many_and_all_of_them_so_many() -> None:
    world = world_with(dp_log_rows_per_device_max=2, dp_log_rows_max=3)
    for number in range(3):
        add(world, "bf1", f'{{"1":{number}}}')
    assert kept(world, "bf1") == ['{"1":1}', '{"1":2}']
    add(world, "bf2", "{}")
    add(world, "bf2", "{}")
    assert kept(world, "bf1") == ['{"1":2}']
    assert len(world.store.load(DpRow)) == 3
    assert_reloads(world)


def test_none_are_kept_where_none_are_wanted() -> None:
    world = world_with(dp_log_rows_per_device_max=0)
    commits = world.commits
    add(world, "bf1", "{}")
    assert kept(world, "bf1") == []
    assert world.commits == commits
    assert_reloads(world)


@pytest.mark.parametrize("others", [True, False])
def test_forgetting(others: bool) -> None:
    world = World()
    if others:
        add(world, "bf2", "{}")
    add(world, "bf1", "{}")
    world.rule(lambda s: s.data_points.log.forget("bf1"))
    world.rule(lambda s: s.data_points.log.forget("nosuch"))
    assert kept(world, "bf1") == []
    assert len(kept(world, "bf2")) == int(others)
    assert_reloads(world)


def test_the_settings_bound_it() -> None:
    assert (Settings().dp_log_rows_per_device_max, Settings().dp_log_rows_max) == (200, 50_000)
