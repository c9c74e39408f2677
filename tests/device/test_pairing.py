"""From a code to a session: the lights on the way, refusals, and firmware that never gives up."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.flash import Flash, read_image
from firmware_sim.wire import mqtt, mqtt_payload
from tests.device.stage import (
    CODE,
    DEV_ID,
    SEC_KEY,
    Stage,
)


def test_unbound_it_boots_into_waiting_and_opens_its_lens() -> None:
    stage = Stage().boot()
    assert stage.state == "WAITING"
    assert stage.lights() == ["booting", "waiting"]
    assert stage.all(fx.OpenLens)
    assert stage.device.next_deadline_ms() is None


def test_pairing_goes_through_all_lights_to_online() -> None:
    stage = Stage().boot().pair()
    assert stage.lights() == [
        "booting",
        "waiting",
        "joining",
        "registering",
        "reconnecting",
        "online",
    ]
    assert stage.last(fx.JoinWifi) == fx.JoinWifi("shop", "password1")
    flash = read_image(stage.flash)
    assert (flash.dev_id, flash.ssid, flash.region, flash.env) == (DEV_ID, "shop", "EU", "pro0")
    assert flash.versions
    connect = stage.packets()[0]
    assert isinstance(connect, mqtt.Connect)
    assert connect.password == mqtt_payload.mqtt_password(SEC_KEY)
    assert stage.device.operator == ""


def test_tones_say_waiting_and_code_read() -> None:
    stage = Stage().boot()
    assert stage.all(fx.SoundTone) == [fx.SoundTone(1)]
    effects = stage.tell(ev.FrameDecoded(CODE))
    assert fx.SoundTone(2) in effects, "the code is read, the network not joined yet"
    stage.tell(ev.WifiJoined("127.1.0.1"))
    assert stage.all(fx.SoundTone) == [fx.SoundTone(1), fx.SoundTone(2)]


@pytest.mark.parametrize("wipe", [True, False])
def test_the_cloud_may_wipe_the_settings_of_a_former_owner(wipe: bool) -> None:
    stage = Stage(flash=Flash(values={101: False}, child_values={0: {1: True}}).image()).boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_credentials(wipe=wipe)
    flash = read_image(stage.flash)
    assert (flash.values, flash.child_values) == (
        (None, None) if wipe else ({101: False}, {0: {1: True}})
    )
    assert stage.state == "ONLINE"


def test_a_refused_activation_shows_failure_and_waits_again() -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_error("TOKEN_FULL")
    assert (stage.state, stage.device.operator) == ("FAILED", "failed")
    assert stage.device.light == "activation_failed"
    assert stage.last(fx.Noted) == fx.Noted("activation_refused", "TOKEN_FULL")
    stage.wait(5000)
    assert (stage.state, stage.device.operator) == ("WAITING", "waiting")


def test_gateway_not_exists_means_released() -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_error("gateway_not_exists")
    assert (stage.state, stage.device.operator) == ("WAITING", "unbound")
    assert stage.all(fx.LeaveWifi)


def test_retrying_firmware_repeats_a_refused_activation_each_second() -> None:
    stage = Stage("ipc-retry").boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    for _ in range(50):
        stage.reply_servers()
        stage.reply_error("TOKEN_FULL")
        assert stage.state == "ACTIVATING"
        stage.wait(1000)
    assert len(stage.all(fx.SendHttp)) == 101
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    assert stage.state == "ACTIVATING", "refusals are no transport failures"


def test_transport_failures_are_tried_again_and_then_shown() -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    for _ in range(9):
        stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
        assert stage.state == "ACTIVATING"
        stage.wait(1000)
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    assert (stage.state, stage.device.light) == ("FAILED", "activation_failed")
