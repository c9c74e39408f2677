"""What tinytuya, unmodified, finds on a LAN of its own; each function is the work of one process."""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import tinytuya
from tinytuya import scanner

from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.addresses import AddressBlock
from tests.live.lan.home import Plan, Unit, home_of
from tests.live.lan.phone import dps, phone

V31, V32, V33, V34, V35 = LanVersion
SETTLE_S = 1.5  # devices that have just come up announce themselves once more than usual


class Seen(NamedTuple):
    """What a scan says of one device."""

    ip: str
    version: str
    key: str
    points: int


class Scan(NamedTuple):
    """Who was there, and who of them was found, by device id."""

    units: tuple[Unit, ...]
    found: dict[str, Seen]


def asked_only(isolated: bool) -> Plan:
    """Return a 3.5 device that only answers; on a shared network its clients could not ask it."""
    return ("nvr", V35, {"announce_unasked": not isolated})


@contextmanager
def keys_of(units: Sequence[Unit]) -> Iterator[None]:
    """Stand in a folder whose devices.json names these devices."""
    rows = [
        {"id": unit.dev_id, "key": unit.local_key, "name": unit.uuid, "mac": ""} for unit in units
    ]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "devices.json").write_text(json.dumps(rows))
        os.chdir(folder)
        yield
        os.chdir("/")


def seen(found: dict[str, dict[str, Any]], units: Sequence[Unit]) -> dict[str, Seen]:
    """Return those of `units` that are in the result of a scan."""
    addresses = {unit.ip for unit in units}
    return {
        each["gwId"]: Seen(
            each["ip"],
            str(each["version"]),
            each["key"],
            len((each.get("dps") or {}).get("dps", ())),
        )
        for each in found.values()
        if each["ip"] in addresses
    }


def default_scan(isolated: bool) -> Scan:
    """Scan as `python -m tinytuya scan` does, 18 s: a warehouse of 150, each polled when found."""
    plan: list[Plan] = [
        *[("nvr", V31)] * 25,
        *[("nvr", V32)] * 5,
        *[("nvr", V33)] * 40,
        *[("gateway", V34)] * 35,
        *[("ipc-red-green", V35)] * 15,
        *[asked_only(isolated)] * 30,
    ]
    with AddressBlock() as block, home_of(block, plan) as home, keys_of(home.units):
        time.sleep(SETTLE_S)
        return Scan(home.units, seen(tinytuya.deviceScan(), home.units))


class Sought(NamedTuple):
    """What came of searches, each in the order of `units`."""

    units: tuple[Unit, ...]
    by_id: list[tuple[str, str]]  # address and version
    by_address: list[str]
    unaided: list[int]  # data points of a client that was given neither address nor version
    forced: dict[str, Seen]
    clients_left: list[int]
    afterwards: list[int]  # data points


def searches(isolated: bool) -> Sought:
    """Look for single devices, then go through all addresses without listening to anybody."""
    plan: list[Plan] = [("nvr", version) for version in LanVersion]
    plan += [("gateway", V33), ("ipc-red-green", V34), asked_only(isolated)]
    with (
        AddressBlock() as block,
        home_of(block, plan, announce_ms=1000 if isolated else 5000) as home,
        keys_of(home.units),
    ):
        network = f"{block.address(0)}/28"
        by_id = [tinytuya.find_device(unit.dev_id) for unit in home.units]
        by_address = [tinytuya.find_device(address=unit.ip)["id"] for unit in home.units]
        unaided = [_points_unaided(unit) for unit in home.units]
        forced = scanner.devices(forcescan=[network], discover=False)
        return Sought(
            units=home.units,
            by_id=[(each["ip"], str(each["version"])) for each in by_id],
            by_address=by_address,
            unaided=unaided,
            forced=seen(forced, home.units),
            clients_left=[home.clients(unit) for unit in home.units],
            afterwards=[_points(unit) for unit in home.units],
        )


def _points_unaided(unit: Unit) -> int:
    client = tinytuya.Device(unit.dev_id, connection_retry_limit=1)
    try:
        return len(dps(client.status()))
    finally:
        client.close()


def _points(unit: Unit) -> int:
    with phone(unit) as client:
        return len(dps(client.status()))
