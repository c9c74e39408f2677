"""Released by the cloud, and without power at every instant of it."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.flash import ResetKind, read_image
from firmware_sim.wire import atop, mqtt
from firmware_sim.wire.mqtt_payload import encode_reset
from tests.device.stage import (
    DEV_ID,
    T0_MS,
    Stage,
    online,
)


def test_release_by_the_cloud_wipes_reboots_and_shows_unbound() -> None:
    stage = online()
    effects = stage.message(encode_reset(DEV_ID, T0_MS // 1000, "reset"), qos=1)
    assert isinstance(effects[0], fx.SaveFlash), "the marker comes before the acknowledgement"
    assert read_image(stage.flash).resetting is ResetKind.REMOTE_UNBIND
    assert [type(packet) for packet in stage.packets()[-2:]] == [mqtt.Unsubscribe, mqtt.Disconnect]
    assert mqtt.Puback(9) in stage.packets()
    assert (stage.state, stage.device.operator) == ("RESETTING", "unbinding")
    stage.wait(10_000)
    assert (stage.state, stage.device.operator) == ("WAITING", "unbound")
    flash = read_image(stage.flash)
    assert not flash.activated
    assert flash.dev_id == DEV_ID
    assert flash.versions
    assert flash.ssid == flash.local_key == flash.region == ""


def test_unbound_survives_a_power_cut_and_ends_with_the_next_owner() -> None:
    stage = online()
    stage.message(encode_reset(DEV_ID, 1, "reset_factory"))
    stage.wait(10_000)
    stage.tell(ev.PowerRemoved())
    assert stage.device.light == "off"
    stage.tell(ev.PowerApplied())
    assert (stage.device.light, stage.device.operator) == ("booting", ""), "it is nothing new"
    stage.wait(2000)
    assert stage.device.operator == "unbound"
    stage.pair()
    assert read_image(stage.flash).last_reset is None
    request = stage.all(fx.SendHttp)
    assert all(call.target.startswith(("/d.json", "/v2/url_config")) for call in request)


@pytest.mark.parametrize("cut_after_ms", range(0, 4000, 100))
def test_power_cut_at_any_instant_of_a_reset_ends_unbound(cut_after_ms: int) -> None:
    stage = online()
    stage.message(encode_reset(DEV_ID, 1, "reset"))
    stage.wait(cut_after_ms)
    stage.tell(ev.PowerRemoved())
    revived = Stage(flash=stage.flash).boot()
    revived.wait(10_000)
    assert (revived.state, revived.device.operator) == ("WAITING", "unbound")
    assert not read_image(revived.flash or stage.flash).activated


def test_the_button_makes_an_unbound_device_merely_waiting() -> None:
    stage = online()
    stage.message(encode_reset(DEV_ID, 1, "reset"))
    stage.wait(10_000)
    stage.hold_button()
    assert (stage.state, stage.device.operator) == ("RESETTING", "")
    stage.wait(10_000)
    assert stage.device.operator == "waiting"


def test_the_cloud_hears_of_a_local_reset_if_a_session_stands() -> None:
    stage = online()
    stage.hold_button()
    assert stage.calls()[-1].a == "tuya.device.reset"
    assert [type(packet) for packet in stage.packets()[-2:]] == [mqtt.Unsubscribe, mqtt.Disconnect]
    away = online()
    away.tell(ev.MqttClosed("reset"))
    away.hold_button()
    assert away.state == "RESETTING"
    assert away.calls() == []


def test_the_oldest_firmware_tells_it_over_http() -> None:
    stage = online("ipc-old")
    stage.hold_button()
    call = stage.last(fx.SendHttp)
    query = atop.decode_query(call.target)
    assert (query.a, query.dev_id, query.et, call.body) == ("s.gw.reset", DEV_ID, 0, b"")
    assert stage.reply_success() == [], "nobody waits for the answer"


def test_a_reset_restarts_everything_off_the_network() -> None:
    stage = online()
    stage.wait(2000)
    stage.device.backoff_bound_ms = 8000
    stage.hold_button()
    assert not stage.all(fx.LeaveWifi), "the cloud is still being told"
    stage.wait(800)
    effects = stage.said[-4:]
    assert [type(effect) for effect in effects] == [
        fx.SaveFlash,
        fx.SoundTone,
        fx.LeaveWifi,
        fx.StateShown,
    ]
    assert effects[1] == fx.SoundTone(2)
    stage.wait(2000)
    stage.pair()
    stage.wait(2000)
    queries = [p for p in stage.packets() if b"upgrade.silent" in getattr(p, "payload", b"")]
    assert len(queries) == 2, "once per start"
    assert stage.device.backoff_bound_ms == 0
