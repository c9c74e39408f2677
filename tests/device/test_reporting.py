"""Data points: what can be set is set and reported, and nothing else."""

import msgspec

from firmware_sim import effects as fx
from firmware_sim.device import reporting
from firmware_sim.device.profile import Point
from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.datapoint import Property
from tests.device.stage import BOUND, LOCAL_KEY, Stage, online


def test_a_command_sets_what_can_be_set_and_reports_it() -> None:
    stage = online()
    stage.message(mqtt_payload.encode_dp_command(1, b'{"101":false,"110":3,"106":"9","7":1}'))
    report = stage.packets()[-1]
    assert isinstance(report, mqtt.Publish)
    body = bytes(mqtt_payload.decode(LOCAL_KEY.encode(), report.payload).data)
    assert b'"dps":{"101":false}' in body
    assert stage.notes().count("dp_refused") == 3


def test_settings_are_kept_before_they_are_told_and_survive_a_power_cut() -> None:
    stage = online()
    effects = stage.message(mqtt_payload.encode_dp_command(1, b'{"101":false}'))
    assert [type(effect) for effect in effects] == [fx.SaveFlash, fx.SendMqtt]
    revived = online(flash=stage.flash)
    report = next(each for each in revived.packets() if isinstance(each, mqtt.Publish))
    body = bytes(mqtt_payload.decode(LOCAL_KEY.encode(), report.payload).data)
    assert b'"101":false' in body
    assert b'"104":true' in body


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
