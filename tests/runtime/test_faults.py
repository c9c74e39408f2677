import msgspec
import pytest

from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import (
    AnyFault,
    Fault,
    blocked,
    concerns,
    late_ms,
    latency_ms,
    lies,
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
)


@pytest.mark.parametrize("fault", ALL)
def test_a_fault_survives_the_way_to_another_process(fault: Fault) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(fault), type=AnyFault) == fault


@pytest.mark.parametrize("for_ms", [0, -1, faults.DAY_MS + 1])
def test_a_fault_has_a_length(for_ms: int) -> None:
    data = msgspec.msgpack.encode({"kind": "wifi_gone", "for_ms": for_ms})
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(data, type=AnyFault)


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
