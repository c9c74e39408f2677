"""Each order goes to the shards that have the devices."""

from typing import Any

from firmware_sim.runtime.faults import HalfOpen
from fleet.run.fault_plan import Strike
from fleet.run.live_hands import LiveHands


class Shard:
    """Writes down what it is told."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.orders: list[tuple[str, Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **named: self.orders.append((name, given, named))


def hands(shards: int) -> Any:
    both: Any = LiveHands()
    both.shards = [Shard(number) for number in range(shards)]
    both.benches = {}
    both.dark = set()
    return both


def test_devices_are_shared_out() -> None:
    both = hands(2)
    both.power([0, 1, 2], on=True)
    both.hold([1], 5)
    both.show([0], b"code")
    both.move([0, 3], "warehouse")
    both.plug([2], connected=False)
    both.intend([1], "unbind")
    first, second = (shard.orders for shard in both.shards)
    assert first == [
        ("power", ([0, 2],), {"on": True}),
        ("show", ([0], b"code"), {}),
        ("move", ([0], "warehouse"), {}),
        ("plug", ([2],), {"connected": False}),
    ]
    assert [order[0] for order in second] == ["power", "hold", "move", "intend"]


def test_a_device_on_a_bench_is_in_no_shard() -> None:
    both = hands(2)
    both.benches = {2: Shard(7)}
    both.power([0, 1, 2], on=True)
    first, second = (shard.orders for shard in both.shards)
    assert [order[1] for order in (first[0], second[0], both.benches[2].orders[0])] == [
        ([0],), ([1],), ([2],)
    ]  # fmt: skip
    assert both.host(2).number == 7
    assert both.host(4).number == 0


def test_air_and_faults_concern_all() -> None:
    both = hands(2)
    both.switch_air("homes", on=False)
    assert both.dark == {"homes"}
    both.switch_air("homes", on=True)
    both.strike(Strike(1, HalfOpen(), 0, (0,), (0,)))
    both.call_off(number for number in (1, 2))
    assert both.dark == set()
    for shard in both.shards:
        assert [order[0] for order in shard.orders] == [
            "switch_air", "switch_air", "strike", "call_off"
        ]  # fmt: skip
        assert shard.orders[-1][1] == ((1, 2),)
