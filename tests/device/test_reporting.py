"""Data points: what can be set is set and reported, and nothing else."""

from firmware_sim import effects as fx
from firmware_sim.wire import mqtt, mqtt_payload
from tests.device.stage import LOCAL_KEY, online


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
