"""tinytuya, unmodified, finds our devices: in its default scan, one by one, and by force."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from firmware_sim.wire.lan_version import LanVersion
from tests.live.lan import scans
from tests.live.lan.apart import Work
from tests.live.lan.home import Unit
from tests.live.lan.phone import visible

PATIENCE_S = 100.0

Works = tuple[Work[scans.Scan], Work[scans.Sought]]


@pytest.fixture(scope="module")
def works() -> Iterator[Works]:
    """Let both run side by side, each on a LAN of its own: they mostly wait."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(Work(scans.default_scan)),
            stack.enter_context(Work(scans.searches)),
        )


@pytest.fixture(scope="module")
def sought(works: Works) -> scans.Sought:
    return works[1].result(PATIENCE_S)


def expected(unit: Unit, version: LanVersion | None = None) -> scans.Seen:
    return scans.Seen(unit.ip, version or unit.version, unit.local_key, len(visible(unit)))


def test_one_device_by_its_id(sought: scans.Sought) -> None:
    assert sought.by_id == [(unit.ip, unit.version) for unit in sought.units]


def test_one_device_by_its_address(sought: scans.Sought) -> None:
    assert sought.by_address == [unit.dev_id for unit in sought.units]


def test_a_client_that_knows_the_id_only(sought: scans.Sought) -> None:
    assert sought.unaided == [len(visible(unit)) for unit in sought.units]


def test_a_forced_scan_tries_both_families_and_every_key_on_all_versions(
    sought: scans.Sought,
) -> None:
    """It has no way to tell 3.2 from 3.3, and keeps no data points."""
    taken_for = {LanVersion.V32: LanVersion.V33}
    assert sought.forced == {
        unit.dev_id: expected(unit, taken_for.get(unit.version))._replace(points=0)
        for unit in sought.units
    }


def test_every_device_survives_it(sought: scans.Sought) -> None:
    assert sought.clients_left == [0] * len(sought.units)
    assert sought.afterwards == [len(visible(unit)) for unit in sought.units]


def test_the_default_scan_finds_150_devices_and_reads_their_data_points(works: Works) -> None:
    scan = works[0].result(PATIENCE_S)
    assert len(scan.units) == 150
    assert scan.found == {unit.dev_id: expected(unit) for unit in scan.units}
