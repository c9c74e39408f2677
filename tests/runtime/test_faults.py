import msgspec
import pytest

from firmware_sim.rng import Rng
from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import (
    AnyFault,
    Fault,
    blocked,
    concerns,
    connect_ms,
    copies_ms,
    impairs,
    late_ms,
    latency_ms,
    lies,
    parted,
    resend_ms,
    segment_ms,
    skew_ms,
)

ALL: tuple[Fault, ...] = (
    faults.WifiGone(1000),
    faults.CablePulled(1000),
    faults.DhcpLate(1000, 500),
    faults.DnsRefused(1000),
    faults.ConnectRefused(1000),
    faults.BlackHole(1000),
    faults.Slow(1000, 250),
    faults.HalfOpen(),
    faults.PowerCut(1000),
    faults.Loss(1000, 5),
    faults.Duplicate(1000, 100),
    faults.Reorder(1000, 300),
    faults.Partition(1000),
    faults.ClockSkew(1000, -301),
)
MANY = 4000


def test_all_of_them_are_here() -> None:
    assert {type(fault) for fault in ALL} == set(AnyFault.__args__)


@pytest.mark.parametrize("fault", ALL)
def test_a_fault_survives_the_way_to_another_process(fault: Fault) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(fault), type=AnyFault) == fault


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "wifi_gone", "for_ms": 0},
        {"kind": "wifi_gone", "for_ms": -1},
        {"kind": "wifi_gone", "for_ms": faults.DAY_MS + 1},
        {"kind": "loss", "for_ms": 1, "loss_pct": 91},
        {"kind": "duplicate", "for_ms": 1, "duplicate_pct": 0},
        {"kind": "reorder", "for_ms": 1, "reorder_ms": 0},
        {"kind": "clock_skew", "for_ms": 1, "skew_s": faults.SKEW_S_MAX + 1},
    ],
)
def test_a_fault_has_bounds(fault: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(fault), type=AnyFault)


def test_some_faults_concern_some_devices_only() -> None:
    of_wired = {type(fault) for fault in ALL if concerns(type(fault), wired=True)}
    of_wireless = {type(fault) for fault in ALL if concerns(type(fault), wired=False)}
    assert {type(fault) for fault in ALL} - of_wired == {faults.WifiGone}
    assert {type(fault) for fault in ALL} - of_wireless == {faults.CablePulled}


def test_of_the_same_kind_the_worst_counts() -> None:
    slow = (faults.Slow(9000, 20), faults.Slow(100, 50))
    late = (faults.DhcpLate(9000, 3000), faults.DhcpLate(9000, 2000))
    assert (latency_ms(slow), late_ms(slow), latency_ms(()), late_ms(())) == (50, 0, 0, 0)
    assert late_ms((*slow, *late)) == 3000
    assert lies(faults.Slow, (*late, *slow))
    assert not lies(faults.Fault, slow)
    assert blocked((*slow, faults.BlackHole(1)))
    assert not blocked(slow)


def test_of_two_wrong_clocks_the_last_counts() -> None:
    ahead, behind = faults.ClockSkew(9000, 3600), faults.ClockSkew(9000, -60)
    assert skew_ms(()) == 0
    assert skew_ms((ahead, faults.PowerCut(1), behind)) == -60_000
    assert skew_ms((behind, ahead)) == 3_600_000


@pytest.mark.parametrize("fault", ALL)
def test_few_faults_touch_what_passes_to_the_cloud(fault: Fault) -> None:
    assert impairs((fault,)) == isinstance(fault, faults.BlackHole | faults.Slow | faults.Loss)
    assert parted((fault,)) == isinstance(fault, faults.Partition)


# --- what is lost -------------------------------------------------------------------------------


def test_a_lost_segment_comes_later_and_later() -> None:
    rng = Rng(1)
    half = (faults.Loss(9000, 10), faults.Loss(9000, 50))
    times = [resend_ms(half, rng) for _ in range(MANY)]
    assert set(times) == {0, 1_000, 3_000, 7_000, 15_000, 31_000}
    for times_lost, wait_ms in enumerate((0, 1_000, 3_000)):
        assert times.count(wait_ms) == pytest.approx(MANY / 2 ** (times_lost + 1), rel=0.15)
    assert {resend_ms((faults.Slow(1, 1),), rng) for _ in range(100)} == {0}


def test_latency_and_loss_add_up_on_each_way() -> None:
    slow = faults.Slow(9000, 20)
    assert segment_ms((slow,), Rng(1)) == 20
    assert connect_ms((slow,), 3, Rng(1)) == 120
    assert connect_ms((), 3, Rng(1)) == 0
    lossy = [connect_ms((slow, faults.Loss(9000, 30)), 1, Rng(seed)) for seed in range(200)]
    assert set(lossy) >= {40, 1_040, 2_040}


def test_a_datagram_is_gone_or_comes_once_or_twice() -> None:
    rng = Rng(1)
    assert copies_ms((faults.Slow(1, 1),), rng) == (0,)
    lost = [copies_ms((faults.Loss(9000, 25),), rng) for _ in range(MANY)]
    assert set(lost) == {(), (0,)}
    assert lost.count(()) == pytest.approx(MANY / 4, rel=0.15)
    twice = [copies_ms((faults.Duplicate(9000, 75),), rng) for _ in range(MANY)]
    assert set(twice) == {(0,), (0, 0)}
    assert twice.count((0, 0)) == pytest.approx(MANY * 0.75, rel=0.1)
    assert copies_ms((faults.Partition(9000), faults.Duplicate(9000, 100)), rng) == ()


def test_each_copy_takes_its_own_time() -> None:
    both = (faults.Reorder(9000, 3), faults.Duplicate(9000, 100))
    rng = Rng(1)
    pairs = {copies_ms(both, rng) for _ in range(MANY)}
    assert pairs == {(one, other) for one in range(4) for other in range(4)}
