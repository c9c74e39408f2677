"""Each check passes on a good machine and fails, with advice, on one that lacks that one thing."""

from typing import Any

import msgspec
import pytest

from fleet.doctor.checks import (
    DEVICES_PER_SHARD_MAX,
    Check,
    files_needed,
    judge,
    shards_wanted,
)
from fleet.doctor.facts import LOOPBACK, Facts

GOOD = Facts(
    python=(3, 11),
    cores=2,
    memory_mb=2000,
    files_hard=20_000,
    source_ports=(32768, 60999),
    lan=LOOPBACK,
    udp_problem="",
    tcp_problem="",
    broadcast_problem="",
    namespace_problem="",
    decoders=(("pyzbar", ""), ("zxing", "")),
    data_dir="/data",
    disk_free_mb=5000,
    disk_problem="",
    uvloop=True,
    test_packages_missing=(),
)
NO_ZBAR = (("pyzbar", "pyzbar finds no libzbar: install libzbar0"), ("zxing", ""))


def only_failure(**changes: Any) -> Check:
    facts = msgspec.structs.replace(GOOD, **changes)
    failed = [check for check in judge(facts, 300) if not check.ok]
    assert len(failed) == 1
    assert failed[0].advice
    return failed[0]


def test_a_good_machine_passes_without_advice() -> None:
    checks = judge(GOOD, 300)
    assert all(check.ok and not check.advice and not check.blocks for check in checks)
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.detail for check in checks)


@pytest.mark.parametrize(
    ("changes", "name", "detail"),
    [
        ({"python": (3, 10)}, "python", "Python 3.10"),
        ({"files_hard": 600}, "open files", "the limit is 600"),
        ({"source_ports": (40000, 40100)}, "source ports", "40000 to 40100"),
        ({"udp_problem": "UDP port 6667 is taken"}, "LAN discovery", "UDP port 6667 is taken"),
        ({"tcp_problem": "TCP is taken"}, "LAN control", "TCP is taken"),
        ({"broadcast_problem": "it went nowhere"}, "LAN broadcast", "it went nowhere"),
        ({"disk_free_mb": 50}, "disk", "50 MiB free in /data, about 109 MiB needed"),
        ({"disk_problem": "/data is read-only"}, "disk", "/data is read-only"),
    ],
)
def test_what_stops_a_run(changes: dict[str, Any], name: str, detail: str) -> None:
    check = only_failure(**changes)
    assert (check.name, check.blocks) == (name, True)
    assert detail in check.detail


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"cores": 1}, "cores"),
        ({"memory_mb": 300}, "memory"),
        ({"uvloop": False}, "event loop"),
        ({"test_packages_missing": ("mosquitto",)}, "programs of the tests"),
        ({"namespace_problem": "the program ip is missing"}, "LAN namespaces"),
        ({"decoders": NO_ZBAR}, "decoder pyzbar"),
    ],
)
def test_what_only_deserves_a_word(changes: dict[str, Any], name: str) -> None:
    check = only_failure(**changes)
    assert (check.name, check.blocks) == (name, False)


def test_a_decoder_problem_is_split_into_what_and_what_to_do() -> None:
    check = only_failure(decoders=NO_ZBAR)
    assert (check.detail, check.advice) == ("pyzbar finds no libzbar", "install libzbar0")


def test_the_decoder_that_was_asked_for_has_to_work() -> None:
    facts = msgspec.structs.replace(GOOD, decoders=NO_ZBAR)
    blocking = {
        wanted: [check.name for check in judge(facts, 300, decoder=wanted) if check.blocks]
        for wanted in ("", "pyzbar", "zxing")
    }
    assert blocking == {"": [], "pyzbar": ["decoder pyzbar"], "zxing": []}


def test_without_any_decoder_no_run_starts() -> None:
    facts = msgspec.structs.replace(GOOD, decoders=(("pyzbar", "gone"), ("zxing", "gone: too")))
    blocking = [check for check in judge(facts, 300) if check.blocks]
    assert [check.name for check in blocking] == ["decoder pyzbar", "decoder zxing"]
    assert blocking[0].advice == "use another --decoder"


def test_the_cloud_needs_most_files_when_there_are_many_shards() -> None:
    assert files_needed(1000, 4) == 300 + 1250
    assert files_needed(1000, 1) == 300 + 2250
    assert files_needed(1001, 1) == 300 + 2002 + 250


def test_shards_are_one_per_further_core_unless_given() -> None:
    facts = msgspec.structs.replace(GOOD, files_hard=300 + 1250, cores=8)
    assert not [check for check in judge(facts, 1000) if check.blocks]
    assert [check.name for check in judge(facts, 1000, shards=1) if check.blocks] == ["open files"]
    assert [check.name for check in judge(facts, 1000, shards=8) if not check.ok] == ["cores"]


def test_a_large_fleet_is_judged_by_the_shards_that_it_would_get() -> None:
    assert [shards_wanted(devices, 4) for devices in (1, 4000, 16_000)] == [3, 3, 4]
    assert [shards_wanted(devices, 1) for devices in (1, DEVICES_PER_SHARD_MAX + 1)] == [1, 2]
    assert not [check for check in judge(GOOD, 10_000) if check.blocks], "a run would start"


def test_needs_grow_with_the_devices() -> None:
    names = [check.name for check in judge(GOOD, 200_000) if not check.ok]
    assert names == ["cores", "memory", "open files", "disk"]
