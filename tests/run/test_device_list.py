import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import tinytuya
from tinytuya import cli, scanner

from firmware_sim.device import lan_children
from firmware_sim.device.profile import Point
from firmware_sim.wire.datapoint import Property
from fleet.lan.arrangement import mac_of
from fleet.run import device_list
from fleet.run.scenario import Product
from tests.run.fakes import small

POPULATION = small(
    4, products=(Product("camera", "ipc-red-green", 2), Product("gateway", "gateway", 2))
)
GATEWAY = next(unit for unit in POPULATION.units if unit.product.name == "gateway")


def address(index: int) -> str:
    return f"127.16.1.{index + 1}"


def encoded() -> bytes:
    return device_list.encode(POPULATION, POPULATION.units, address)


def entries() -> dict[str, dict[str, Any]]:
    """Return the entries by name, in the order of the file."""
    return {entry["name"]: entry for entry in json.loads(encoded())}


def test_a_device_is_all_that_a_client_needs() -> None:
    unit = POPULATION.units[0]
    entry = entries()["camera-0"]
    assert len(entry.pop("mapping")) == len(POPULATION.profile(unit).data_points)
    assert entry == {
        "name": "camera-0",
        "id": unit.dev_id,
        "key": unit.local_key,
        "mac": mac_of("127.16.1.1"),
        "uuid": unit.uuid,
        "category": "sp",
        "product_name": "camera",
        "product_id": unit.product.product_id,
        "model": "ipc-red-green",
        "sub": False,
        "ip": "127.16.1.1",
        "version": unit.lan_version.value,
    }


def test_what_is_behind_a_gateway_follows_it() -> None:
    name = f"gateway-{GATEWAY.index}"
    names = [each for each in entries() if each.startswith(name)]
    assert names == [
        name,
        f"{name} Door sensor",
        f"{name} Smart plug",
        f"{name} Temperature and humidity sensor",
    ]
    node_id = lan_children.cid(GATEWAY.uuid, 1)
    child = entries()[f"{name} Smart plug"]
    assert set(child.pop("mapping")) == {"1", "9", "18", "19", "20"}
    assert child == {
        "name": f"{name} Smart plug",
        "id": f"6c{node_id}",
        "key": GATEWAY.local_key,
        "mac": "",
        "uuid": node_id,
        "category": "cz",
        "product_name": "Smart plug",
        "sub": True,
        "node_id": node_id,
        "parent": GATEWAY.dev_id,
    }


def test_ids_are_unique() -> None:
    listed = [entry["id"] for entry in entries().values()]
    assert len(set(listed)) == len(listed) == 4 + 2 * 3


def test_data_points_as_the_wizard_maps_them() -> None:
    mapping = entries()["camera-0"]["mapping"]
    assert mapping["101"] == {"code": "basic_indicator", "type": "Boolean", "values": {}}
    assert mapping["106"]["values"] == {"range": ["0", "1", "2"]}
    assert mapping["110"] == {
        "code": "sd_status",
        "type": "Integer",
        "values": {"min": 1, "max": 5, "step": 1, "scale": 0},
    }
    assert mapping["115"] == {"code": "movement_detect_pic", "type": "Raw", "values": {}}
    assert mapping["169"] == {"code": "motion_area", "type": "String", "values": '{"maxlen":255}'}


@pytest.mark.parametrize(
    ("kind", "limits", "shown"),
    [
        ("bitmap", {"maxlen": 3}, {"maxlen": 3}),
        ("value", {"min": 0, "max": 9}, {"min": 0, "max": 9}),
    ],
)
def test_limits_that_are_not_given_are_not_made_up(
    kind: Any, limits: dict[str, int], shown: dict[str, int]
) -> None:
    prop = Property(kind, **limits)  # type: ignore[arg-type]
    point = Point(id=7, mode="rw", type="obj", property=prop, initial=0)
    assert device_list._mapped(point).values == shown


def test_one_line_per_entry() -> None:
    first, *lines, last = encoded().decode().splitlines()
    assert (first, last) == ("[", "]")
    assert len(lines) == len(entries())
    assert device_list.encode(POPULATION, (), address) == b"[\n\n]\n"


def test_no_key_is_shown() -> None:
    entry = next(device_list._entries(POPULATION, GATEWAY, address(GATEWAY.index)))
    assert GATEWAY.local_key not in repr(entry)


# --- read by tinytuya ---------------------------------------------------------------------------


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Write the file where tinytuya looks for it, and return what it makes of it."""
    monkeypatch.chdir(tmp_path)
    Path(tinytuya.DEVICEFILE).write_bytes(encoded())
    devices: list[dict[str, Any]] = tinytuya.load_devicefile()
    return devices


def test_tinytuya_finds_keys_and_node_ids(loaded: list[dict[str, Any]]) -> None:
    assert loaded == list(entries().values())
    gateway = tinytuya.Device(GATEWAY.dev_id, address(GATEWAY.index), persist=True)
    assert gateway.local_key == GATEWAY.local_key.encode()
    node_id = lan_children.cid(GATEWAY.uuid, 0)
    child = tinytuya.Device(f"6c{node_id}", parent=gateway)
    assert child.cid == node_id


def test_tinytuya_takes_the_gateway_for_the_owner_of_its_key(loaded: list[dict[str, Any]]) -> None:
    scanned = scanner.ForceScannedDevice.__new__(scanner.ForceScannedDevice)
    scanned.options = {"tuyadevices": loaded}
    scanned.deviceinfo = {"key": GATEWAY.local_key}
    scanned.device = tinytuya.Device("unknown", "127.16.1.1", "x" * 16)
    scanned.found_key()
    assert scanned.deviceinfo["id"] == GATEWAY.dev_id
    assert scanned.deviceinfo["mac"] == mac_of(address(GATEWAY.index))


def test_tinytuya_scans_with_the_keys(loaded: list[dict[str, Any]]) -> None:
    keys = [scanner.KeyObj(entry["id"], entry["key"]) for entry in loaded]
    assert {len(key.key_encoded) for key in keys} == {16}


def test_tinytuya_lists_it(
    loaded: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    cli._run_list_command(Namespace(device_file=tinytuya.DEVICEFILE, json=True))
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == [entry["id"] for entry in loaded]
    versions = {unit.dev_id: unit.lan_version.value for unit in POPULATION.units}
    assert {row["id"]: row["version"] for row in rows if row["version"]} == versions
