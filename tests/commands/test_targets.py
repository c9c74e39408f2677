"""Which devices are meant, and where their key, version and address come from."""

from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.commands.targets import Given, Target, choose

KEY, OTHER_KEY = "0123456789abcdef", "fedcba9876543210"
LIST = [
    {"id": "d1", "key": KEY, "ip": "10.0.0.1", "version": "3.3", "name": "camera"},
    {"id": "d2", "key": KEY, "ip": "10.0.0.2", "version": "3.5", "name": "gateway"},
    {"id": "d3", "key": KEY, "name": "never seen on a LAN"},
    {"id": "d4", "key": "", "ip": "10.0.0.4", "version": "3.4", "name": "unbound"},
]
READY = {
    "console": "http://127.0.0.1:8100",
    "devices": [
        {"id": "r1", "ip": "127.16.1.1", "local_key": KEY, "version": "3.4"},
        {"id": "", "ip": "127.16.1.2", "local_key": "", "version": "3.3"},
    ],
}
D1 = Target("d1", "10.0.0.1", KEY, "3.3")
D2 = Target("d2", "10.0.0.2", KEY, "3.5")
R1 = Target("r1", "127.16.1.1", KEY, "3.4")


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    path = tmp_path / "devices.json"
    path.write_bytes(msgspec.json.encode(LIST))
    return path


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    path = tmp_path / "ready.json"
    path.write_bytes(msgspec.json.encode(READY))
    return path


@pytest.mark.parametrize(
    ("names", "targets"),
    [
        (["d1"], [D1]),
        (["10.0.0.2"], [D2]),
        (["10.0.0.2", "d1"], [D2, D1]),
        (["all"], [D1, D2]),
    ],
)
def test_devices_of_a_list(devices: Path, names: list[str], targets: list[Target]) -> None:
    assert choose(names, Given(devices)) == targets


@pytest.mark.parametrize("name", ["r1", "127.16.1.1", "all"])
def test_devices_of_a_fleet(ready: Path, name: str) -> None:
    assert choose([name], Given(ready=ready)) == [R1]


def test_both_files_count(devices: Path, ready: Path) -> None:
    assert choose(["d1", "r1"], Given(devices, ready)) == [D1, R1]


def test_a_device_can_be_given_in_full() -> None:
    given = Given(key=KEY, version="3.3", ip="10.0.0.1")
    assert choose(["d1"], given) == [D1]


def test_what_is_given_wins(devices: Path) -> None:
    given = Given(devices, key=OTHER_KEY, version="3.4", ip="10.9.9.9")
    assert choose(["d1"], given) == [Target("d1", "10.9.9.9", OTHER_KEY, "3.4")]
    assert choose(["d3"], Given(devices, version="3.4", ip="10.9.9.9")) == [
        Target("d3", "10.9.9.9", KEY, "3.4")
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("d9", r"d9: no such device in .*devices\.json"),
        ("10.0.0.9", r"10\.0\.0\.9: no device is known at this address; give its id with --ip"),
        ("d3", "device d3: its address is not known; give --ip"),
        ("d4", "device d4: its local key is not known; give --key"),
    ],
)
def test_what_a_list_does_not_tell_is_asked_for(devices: Path, name: str, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        choose([name], Given(devices))


def test_an_unbound_device_of_a_fleet_is_known_by_neither_name(ready: Path) -> None:
    with pytest.raises(UsageError, match="no device is known at this address"):
        choose(["127.16.1.2"], Given(ready=ready))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (Given(), "device d1: its address is not known"),
        (Given(ip="10.0.0.1"), "its local key is not known"),
        (Given(ip="10.0.0.1", key=KEY), "its LAN version is not known; give --version"),
    ],
)
def test_without_a_file_everything_has_to_be_given(given: Given, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        choose(["d1"], given)


def test_options_of_one_device_are_not_for_several(devices: Path) -> None:
    for given in (Given(devices, key=KEY), Given(devices, ip="10.0.0.1")):
        with pytest.raises(UsageError, match="--ip and --key are one device's"):
            choose(["d1", "d2"], given)
        with pytest.raises(UsageError, match="for one device, not for all"):
            choose(["all"], given)


@pytest.mark.parametrize(
    "changes", [{"ip": "a..b"}, {"ip": "evil.example"}, {"key": "0123456789abcdé"}, {"id": ""}]
)
def test_a_broken_entry_does_not_stand_in_the_way_of_the_others(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    path = tmp_path / "devices.json"
    path.write_bytes(msgspec.json.encode([LIST[0] | {"id": "d0"} | changes, LIST[1]]))
    assert choose(["all"], Given(path)) == [D2]


def test_all_of_nothing_is_a_question() -> None:
    with pytest.raises(UsageError, match="all of which devices"):
        choose(["all"], Given())


def test_a_target_can_be_connected_and_keeps_its_secret() -> None:
    assert D1.connection().name == "device d1 at 10.0.0.1"
    assert KEY not in repr(D1)
    assert KEY not in repr(Given(key=KEY))
    with pytest.raises(UsageError, match="local key has 16"):
        Target("d1", "10.0.0.1", "short", "3.3").connection()
