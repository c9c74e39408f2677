"""The one list of kinds: complete, consistent with what is declared, and told to people."""

import msgspec
import pytest

from firmware_sim.runtime.faults import AnyFault
from fleet.run.fault_kinds import KINDS, Range, whose
from fleet.run.faults import FaultTable

KEYS = {field.name: field for field in msgspec.structs.fields(FaultTable)}


def test_every_fault_of_a_device_has_one_kind_of_its_name() -> None:
    of_devices = {name: kind.fault for name, kind in KINDS.items() if kind.fault is not None}
    assert set(of_devices.values()) == set(AnyFault.__args__)
    assert [fault.__struct_config__.tag for fault in of_devices.values()] == list(of_devices)
    assert all(kind.live for kind in KINDS.values() if kind.fault is not None)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_allowed_is_within_what_can_be_written(name: str) -> None:
    kind = KINDS[name]
    assert kind.what[0].islower()
    for key, allowed in kind.keys.items():
        field = KEYS[key]
        assert key in whose(key) or name in whose(key).split(", ")
        if allowed is None:
            continue
        [meta] = field.type.__metadata__
        assert meta.ge <= allowed.low < allowed.high <= meta.le
        assert allowed.admits(field.default) != allowed.needed


def test_keys_of_all_kinds_are_nobody_s() -> None:
    assert whose("for_s") == whose("during") == ""
    assert whose("latency_ms") == "slow, cloud_slow, disk_slow"


def test_a_range_says_what_it_admits() -> None:
    whole, part, both = Range(1, 5), Range(0.5, 600.0), Range(-3, 3)
    assert [str(each) for each in (whole, part, both)] == [
        "a whole number from 1 to 5",
        "from 0.5 to 600",
        "a whole number from -3 to 3, not 0",
    ]
    assert [whole.admits(n) for n in (0, 1, 5, 6)] == [False, True, True, False]
    assert [both.admits(n) for n in (-3, 0, 3)] == [True, False, True]
    assert Range(0, 3, needed=False).admits(0)
