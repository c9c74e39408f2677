"""Data points: what can be set is set and reported, and nothing else."""

import msgspec
import pytest

from firmware_sim import effects as fx
from firmware_sim.device import reporting
from firmware_sim.device.profile import Point
from firmware_sim.wire import lan_body, mqtt, mqtt_payload
from firmware_sim.wire.datapoint import Property
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from tests.device.lan_peer import Peer, bound
from tests.device.stage import BOUND, LOCAL_KEY, Stage, online


def test_a_command_sets_what_can_be_set_and_reports_it() -> None:
    stage = online()
    stage.message(mqtt_payload.encode_dp_command(1, b'{"101":false,"110":3,"106":"9","7":1}'))
    report = stage.packets()[-1]
    assert isinstance(report, mqtt.Publish)
    body = bytes(mqtt_payload.decode(LOCAL_KEY.encode(), report.payload).data)
    assert b'"dps":{"101":false}' in body
    (note,) = [note for note in stage.all(fx.Noted) if note.kind == "dp_refused"]
    assert note.detail == "data point 110 cannot be set; 2 more"


def test_settings_are_kept_before_they_are_told_and_survive_a_power_cut() -> None:
    stage = online()
    effects = stage.message(mqtt_payload.encode_dp_command(1, b'{"101":false}'))
    assert [type(effect) for effect in effects] == [fx.SaveFlash, fx.SendMqtt]
    revived = online(flash=stage.flash)
    report = next(each for each in revived.packets() if isinstance(each, mqtt.Publish))
    body = bytes(mqtt_payload.decode(LOCAL_KEY.encode(), report.payload).data)
    assert b'"101":false' in body
    assert b'"104":true' in body


def test_what_is_so_already_is_reported_and_not_written_again() -> None:
    stage = online()
    setting = mqtt_payload.encode_dp_command(1, b'{"101":false}')
    stage.message(setting)
    assert [type(effect) for effect in stage.message(setting)] == [fx.SendMqtt]


def test_a_command_that_sets_nothing_reports_nothing() -> None:
    stage = online()
    sent = len(stage.packets())
    stage.message(mqtt_payload.encode_dp_command(1, b'{"7":1}'))
    assert len(stage.packets()) == sent


def test_a_point_that_can_only_be_set_is_obeyed_and_never_reported() -> None:
    stage = online()
    step = Point(id=200, mode="wr", type="obj", property=Property("bool"), initial=False)
    stage.device.profile = msgspec.structs.replace(stage.device.profile, data_points=(step,))
    assert reporting.values(stage.device) == {}
    sent = len(stage.packets())
    stage.message(mqtt_payload.encode_dp_command(1, b'{"200":true}'))
    assert len(stage.packets()) == sent
    assert "dp_refused" not in stage.notes()
    assert reporting.values(stage.device) == {}


@pytest.mark.parametrize("version", LanVersion)
def test_what_a_device_holds_always_fits_into_a_frame(version: LanVersion) -> None:
    stage = bound(version)
    text = Point(id=1, mode="rw", type="obj", property=Property("string"), initial="")
    stage.device.profile = msgspec.structs.replace(stage.device.profile, data_points=(text,))
    peer = Peer(stage, version).negotiated()
    longest = "x" * (lan_body.VALUES_SIZE_MAX - len('{"1":""}'))
    assert len(peer.control({1: longest + "x"})) == 1
    assert stage.last(fx.Noted).detail == "all data points together do not fit into a frame"
    heard = [*peer.control({1: longest})[1:], *peer.query(), *peer.ask(Command.DP_REFRESH)[1:]]
    assert [lan_body.decode_status(frame.payload).dps for frame in heard] == 3 * [{1: longest}]
    assert isinstance(stage.packets()[-1], mqtt.Publish)


def test_a_device_without_data_points_reports_none() -> None:
    stage = Stage(flash=BOUND.image())
    stage.device.profile = msgspec.structs.replace(stage.device.profile, data_points=())
    reporting.report_all(stage.device)
    assert stage.packets() == []


def test_what_is_set_on_a_child_survives_a_power_cut_and_goes_with_a_factory_reset() -> None:
    stage = online("gateway")
    device = stage.device
    number, child = next(
        (n, each)
        for n, each in enumerate(device.profile.children)
        if any(point.mode == "rw" for point in each.data_points)
    )
    point = next(each for each in child.data_points if isinstance(each.initial, bool))
    assert reporting.set_values(device, {point.id: not point.initial}, number)
    revived = Stage("gateway", device.flash.image()).device
    assert reporting.values(revived, number)[point.id] is not point.initial
    stage.hold_button()
    stage.wait(5000)
    assert reporting.values(device, number)[point.id] is point.initial
