"""Values that a device reports: kept, counted and told, unless the device is nobody's."""

import msgspec
import pytest

from firmware_sim.errors import PeerError
from fleet.cloud.api import dp_reports
from tests.cloud.support import World, assert_reloads


def test_a_report_is_kept_counted_and_told() -> None:
    world = World()
    device = world.state.devices.get("uuid0000")
    assert device is not None
    world.rule(dp_reports.take, device, msgspec.Raw(b'{"1":true}'), world.now_ms)
    assert list(world.state.data_points.get(device.dev_id)) == ["1"]
    assert world.state.counts["dp_reports"] == 1
    assert [push.protocol for push in world.pushes] == [4]
    assert_reloads(world)


def test_nothing_is_told_of_what_is_no_data_point() -> None:
    world = World()
    device = world.state.devices.get("uuid0000")
    assert device is not None
    world.rule(dp_reports.take, device, msgspec.Raw(b'{"x":1}'), world.now_ms)
    assert world.pushes == []


def test_what_nobody_owns_reports_for_nobody() -> None:
    world = World()
    device = world.state.devices.get("uuid0000")
    assert device is not None
    nobodys = msgspec.structs.replace(device, owner="")
    world.rule(dp_reports.take, nobodys, msgspec.Raw(b'{"1":true}'), world.now_ms)
    assert world.state.data_points.get(device.dev_id) == {}
    assert world.state.counts["dp_reports"] == 0


def test_what_is_no_report_is_refused() -> None:
    world = World()
    device = world.state.devices.get("uuid0000")
    assert device is not None
    with pytest.raises(PeerError):
        dp_reports.take(world.state, device, msgspec.Raw(b"[]"), world.now_ms)
