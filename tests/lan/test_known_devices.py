"""The list of devices: what tinytuya writes is read, and announcements say who is where."""

import json
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan import known_devices
from fleet.lan.known_devices import ID_SIZE_MAX, Device, DeviceBook, read_devices

KEY = "0123456789abcdef"
ENTRY = {"id": "eb1", "key": KEY, "name": "front door", "ip": "10.0.0.9", "version": "3.4"}
FRONT_DOOR = Device("eb1", "front door", KEY.encode(), "10.0.0.9", LanVersion.V34)


def listed(tmp_path: Path, content: Any) -> list[Device]:
    path = tmp_path / "devices.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return read_devices(path)


def test_a_list_as_tinytuya_writes_it(tmp_path: Path) -> None:
    more = {"mac": "02:00:0a:00:00:09", "mapping": {"1": {"code": "switch"}}, "sub": False}
    assert listed(tmp_path, [ENTRY | more]) == [FRONT_DOOR]


@pytest.mark.parametrize(
    ("changes", "device"),
    [
        ({}, FRONT_DOOR),
        ({"key": ""}, Device("eb1", "front door", b"", "10.0.0.9", LanVersion.V34)),
        ({"key": "short"}, Device("eb1", "front door", b"", "10.0.0.9", LanVersion.V34)),
        ({"key": "0123456789abcdé"}, Device("eb1", "front door", b"", "10.0.0.9", LanVersion.V34)),
        ({"version": 3.4}, FRONT_DOOR),
        ({"version": "9.9"}, Device("eb1", "front door", KEY.encode(), "10.0.0.9", None)),
        (
            {"version": None, "ip": None, "name": None, "key": None},
            Device("eb1", "", b"", "", None),
        ),
    ],
)
def test_entries_that_say_less(tmp_path: Path, changes: dict[str, Any], device: Device) -> None:
    assert listed(tmp_path, [ENTRY | changes]) == [device]


def test_only_the_id_is_needed(tmp_path: Path) -> None:
    assert listed(tmp_path, [{"id": "eb1"}]) == [Device("eb1", "", b"")]


@pytest.mark.parametrize("content", [{}, [{"key": KEY}], ["eb1"], [{"id": 1}]])
def test_another_file_is_the_callers_mistake(tmp_path: Path, content: Any) -> None:
    with pytest.raises(UsageError, match=r"devices\.json: not a devices\.json as tinytuya"):
        listed(tmp_path, content)


def test_a_file_that_cannot_be_read_or_is_huge_is_the_callers_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_devices(tmp_path / "nowhere.json")
    monkeypatch.setattr(known_devices, "FILE_BYTES_MAX", 10)
    with pytest.raises(UsageError, match="MiB are no list"):
        listed(tmp_path, [ENTRY])


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(FRONT_DOOR)


# --- the book -----------------------------------------------------------------------------------


def test_the_list_says_who_is_where() -> None:
    book = DeviceBook([FRONT_DOOR, Device("eb2", "elsewhere", b"")])
    assert book.device_at("10.0.0.9") is FRONT_DOOR
    assert book.device_at("") is None
    assert book.version_at("10.0.0.9") is LanVersion.V34
    assert (book.device_at("10.0.0.8"), book.version_at("10.0.0.8")) == (None, None)


def test_an_announcement_is_newer_than_the_list() -> None:
    moved = Device("eb2", "moved", b"", "10.0.0.8", LanVersion.V33)
    book = DeviceBook([FRONT_DOOR, moved])
    book.announce("10.0.0.9", "eb2", "3.5")
    assert book.device_at("10.0.0.9") is moved
    assert book.version_at("10.0.0.9") is LanVersion.V33


def test_an_unknown_announcer_leaves_the_device_of_the_list() -> None:
    book = DeviceBook([FRONT_DOOR])
    book.announce("10.0.0.9", "its uuid, for it is not activated", "3.3")
    book.announce("10.0.0.7", "unknown", "3.5")
    assert book.device_at("10.0.0.9") is FRONT_DOOR
    assert (book.device_at("10.0.0.7"), book.version_at("10.0.0.7")) == (None, LanVersion.V35)


def test_an_id_that_is_too_long_is_nobodys() -> None:
    long = "x" * (ID_SIZE_MAX + 1)
    book = DeviceBook([Device(long, "long", b""), Device("", "nameless", b"")])
    book.announce("10.0.0.9", long, "3.4")
    assert (book.device_at("10.0.0.9"), book.version_at("10.0.0.9")) == (None, LanVersion.V34)
    assert book.device_at("10.0.0.8") is None


def test_a_book_has_a_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_devices, "ANNOUNCED_MAX", 2)
    book = DeviceBook([FRONT_DOOR])
    for number in range(3):
        book.announce(f"10.0.1.{number}", "eb1", "3.5")
    book.announce("10.0.1.0", "eb0", "3.1")
    assert [book.device_at(f"10.0.1.{number}") for number in range(3)] == [None, FRONT_DOOR, None]
