from itertools import islice
from typing import Any

import msgspec

from firmware_sim.runtime.faults import HalfOpen, WifiGone
from fleet.run.cloud_faults import CloudCrash
from fleet.run.fault_plan import FaultPlan, Strike, scheduled
from fleet.run.faults import FaultTable
from tests.run.fakes import SCENARIO, small

GONE = FaultTable("wifi_gone", during="home", for_s=2)


def plan(*tables: FaultTable, devices: int = 40, **changes: Any) -> FaultPlan:
    return FaultPlan(small(devices, faults=tables, **changes))


def test_a_fault_strikes_once_or_without_end() -> None:
    often = msgspec.structs.replace(GONE, at_s=1, every_s=3)
    [once] = plan(GONE).strikes(0)
    assert (once.at_ms, once.fault, once.over_ms) == (0, WifiGone(2000), 2000)
    assert [each.at_ms for each in islice(plan(often).strikes(0), 4)] == [1000, 4000, 7000, 10000]


def test_only_whom_it_concerns_and_only_a_share() -> None:
    half = msgspec.structs.replace(GONE, share_pct=50)
    pulled = FaultTable("cable_pulled", during="home", for_s=2)
    little = msgspec.structs.replace(GONE, share_pct=1)
    both = plan(GONE, half, pulled, little)
    wired = {u.index for u in small(40).units if u.product.wired}
    all_, some, cables, one = (next(both.strikes(number)) for number in range(4))
    assert set(all_.indices) == set(range(40)) - wired
    assert set(cables.indices) == wired
    assert len(some.indices) == round(len(all_.indices) / 2)
    assert len(one.indices) == 1, "a fault that is asked for is seen"
    assert set(some.indices) < set(all_.indices)


def test_nobody_on_a_bench_is_struck() -> None:
    population = small(6, faults=(GONE,))
    cameras = [unit for unit in population.units if not unit.product.wired]
    foreign = msgspec.structs.replace(cameras[0], foreign=True)
    units = tuple(foreign if one is cameras[0] else one for one in population.units)
    at_a_bench = FaultPlan(msgspec.structs.replace(population, units=units))
    assert set(next(at_a_bench.strikes(0)).indices) == {unit.index for unit in cameras[1:]}


def test_each_time_others_are_struck_each_at_its_own_moment() -> None:
    often = msgspec.structs.replace(GONE, every_s=3, within_s=2, share_pct=50)
    first, second = islice(plan(often).strikes(0), 2)
    assert first.indices != second.indices
    assert len(set(first.delays_ms)) > len(first.delays_ms) // 2
    assert all(0 <= delay_ms <= 2000 for delay_ms in first.delays_ms)
    assert first.over_ms == max(first.delays_ms) + 2000


def test_a_seed_repeats_the_plan() -> None:
    often = msgspec.structs.replace(GONE, every_s=3, within_s=2, share_pct=50)
    taken = [list(islice(plan(often).strikes(0), 5)) for _ in range(2)]
    assert taken[0] == taken[1]
    other = FaultPlan(msgspec.structs.replace(small(40, faults=(often,)), seed=2))
    assert list(islice(other.strikes(0), 5)) != taken[0]


def test_a_small_fleet_has_a_smaller_plan() -> None:
    shrinks = msgspec.structs.replace(GONE, for_s=60, shrinks=True)
    assert next(plan(shrinks, devices=SCENARIO.devices).strikes(0)).fault == WifiGone(60_000)
    assert next(plan(shrinks, devices=SCENARIO.devices // 2).strikes(0)).fault == WifiGone(30_000)


def test_a_part_of_a_strike() -> None:
    strike = Strike(3, HalfOpen(), 0, (1, 5, 9), (10, 20, 30), "online")
    assert strike.only({5, 9, 11}) == Strike(3, HalfOpen(), 0, (5, 9), (20, 30), "online")
    assert strike.over_ms == 30
    assert strike.only(()).over_ms == 0


def test_tables_by_phase() -> None:
    other = FaultTable("power_cut", during="reset", for_s=1)
    assert scheduled((GONE, other, GONE), "home") == [0, 2]
    assert scheduled((GONE, other, GONE), "unbind") == []


def test_dice_keep_who_is_struck_when_a_table_moves() -> None:
    def struck(*tables: FaultTable) -> Strike:
        return next(plan(*tables).strikes(len(tables) - 1))

    diced = msgspec.structs.replace(GONE, dice=7, within_s=2, share_pct=50)
    alone, moved = struck(diced), struck(GONE, diced)
    assert (alone.indices, alone.delays_ms) == (moved.indices, moved.delays_ms)
    assert struck(msgspec.structs.replace(diced, dice=8)).delays_ms != alone.delays_ms


def test_a_bench_is_struck_as_a_whole() -> None:
    cut = FaultTable(
        "power_cut", during="unbind", for_s=1, every_s=5, within_s=4, share_pct=30, of="benches"
    )
    population = small(40)
    of = {unit.index: unit.operator for unit in population.units}
    dark = []
    for strike in islice(plan(cut).strikes(0), 12):
        benches = {of[index] for index in strike.indices}
        dark.append(benches)
        assert strike.indices == tuple(index for index in range(40) if of[index] in benches)
        assert len(benches) == 1, "a third of three operators"
        assert len(set(strike.delays_ms)) == 1, "all at the same moment"
    assert len({tuple(benches) for benches in dark}) > 1


def test_a_crash_is_at_another_transaction_each_time_and_the_same_with_the_same_seed() -> None:
    table = FaultTable("crash_after_write", during="unbind", for_s=2, after_commits=10)
    exact = plan(table).cloud_fault(0, 0)
    assert exact == CloudCrash(2, 10, written=True)
    spread = msgspec.structs.replace(table, within_commits=90)
    drawn = [plan(GONE, spread).cloud_fault(1, turn) for turn in range(50)]
    assert drawn == [plan(GONE, spread).cloud_fault(1, turn) for turn in range(50)]
    commits = [fault.commits for fault in drawn if isinstance(fault, CloudCrash)]
    assert len(set(commits)) > 20
    assert 10 <= min(commits) < 30 < 80 < max(commits) <= 100


def test_dice_keep_a_crash_where_it_was_when_a_table_moves() -> None:
    table = FaultTable("crash_before_write", during="unbind", for_s=2, within_commits=1000, dice=7)
    assert plan(table).cloud_fault(0, 3) == plan(GONE, table).cloud_fault(1, 3)
