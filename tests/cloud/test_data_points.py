"""The cache of data points: merged, bounded, forgotten."""

import msgspec
import pytest

from firmware_sim.errors import Malformed, TooLarge
from fleet.cloud.data_points import DpValues
from fleet.cloud.desired import Desired

from .support import SETTINGS, World, assert_reloads


def report(world: World, dps: bytes) -> None:
    world.rule(lambda s: s.data_points.report("bf1", msgspec.Raw(dps), 5))


def values(world: World) -> dict[str, bytes]:
    return {name: bytes(value) for name, value in world.state.data_points.get("bf1").items()}


def test_reports_are_merged() -> None:
    world = World()
    report(world, b'{"1":true,"2":"x"}')
    report(world, b'{"2": 1.5,"3":4}')
    assert values(world) == {"1": b"true", "2": b"1.5", "3": b"4"}
    assert_reloads(world)
    world.rule(lambda s: s.data_points.forget("bf1"))
    world.rule(lambda s: s.data_points.forget("bf1"))
    assert values(world) == {}
    assert world.store.load(DpValues) == []


@pytest.mark.parametrize(
    "dps",
    [
        *(b"", b"[]", b"3", b'{"1":', b'{"1":"\xff"}', b'{"1":' + b"[" * 2000),
        *(b'{"1":[1, 2]}', b'{"1":{}}', b'{"1":1e999}', b'{"1":' + b"9" * 5_000 + b"}"),
    ],
)
def test_what_is_no_report(dps: bytes) -> None:
    world = World()
    with pytest.raises(Malformed):
        report(world, dps)


def test_the_cache_of_one_device_is_bounded() -> None:
    world = World(msgspec.structs.replace(SETTINGS, dp_values_size_max=20))
    report(world, b'{"1":"0123456789"}')
    with pytest.raises(TooLarge):
        report(world, b'{"2":1}')
    assert list(values(world)) == ["1"]


def test_a_report_is_logged_as_it_came() -> None:
    world = World()
    assert world.state.data_points.reported_ms("bf1") == 0
    report(world, b'{"1":true}')
    report(world, b'{ "2": "a b" }')
    assert world.state.data_points.reported_ms("bf1") == 5
    log = world.state.data_points.log
    assert [(row.event, row.dps) for row in log.of("bf1")] == [
        ("report", '{"1":true}'),
        ("report", '{"2":"a b"}'),
    ]


def test_to_forget_is_to_forget_all() -> None:
    world = World()
    report(world, b'{"1":true}')
    world.rule(lambda s: s.data_points.desired.put(Desired("bf1", 1, "true", 1, 9)))
    world.rule(lambda s: s.data_points.forget("bf1"))
    points = world.state.data_points
    assert (points.log.of("bf1"), points.desired.of("bf1", 1), values(world)) == ([], [], {})
    assert_reloads(world)
