"""Desired values: one per data point, alive for a time, forgotten with the binding."""

from fleet.cloud.desired import Desired, DesiredPoints
from tests.cloud.support import World, assert_reloads


def put(world: World, dp_id: int, value: str, expires_ms: int = 10) -> None:
    point = Desired("bf1", dp_id, value, set_ms=1, expires_ms=expires_ms)
    world.rule(lambda s: s.data_points.desired.put(point))


def desired(world: World) -> DesiredPoints:
    return world.state.data_points.desired


def test_the_last_wish_counts_until_its_time_is_up() -> None:
    world = World()
    put(world, 2, "5")
    put(world, 1, "true", expires_ms=20)
    put(world, 2, "6")
    alive = desired(world).of("bf1", 9)
    assert [(one.dp_id, one.value, one.sent) for one in alive] == [
        (1, "true", False),
        (2, "6", False),
    ]
    assert [one.dp_id for one in desired(world).of("bf1", 10)] == [1]
    assert desired(world).of("nosuch", 1) == []
    assert_reloads(world)


def test_what_was_sent_is_marked_and_what_is_over_forgotten() -> None:
    world = World()
    put(world, 1, "true")
    put(world, 2, "5")
    world.rule(lambda s: s.data_points.desired.mark_sent(desired(world).of("bf1", 1)[:1]))
    assert [one.sent for one in desired(world).of("bf1", 1)] == [True, False]
    assert_reloads(world)
    world.rule(lambda s: s.data_points.desired.forget("bf1"))
    world.rule(lambda s: s.data_points.desired.forget("bf1"))
    assert desired(world).of("bf1", 1) == []
    assert world.store.load(Desired) == []
    assert_reloads(world)
