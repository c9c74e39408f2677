"""Stories of one camera: paired, released, reset, refused, and without power at every instant."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash, ResetKind, read_image
from firmware_sim.effects import StateShown
from firmware_sim.errors import UsageError
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.mqtt_payload import encode_reset
from hw_profiles import catalog
from tests.device.stage import (
    AUTH_KEY,
    BOUND,
    CODE,
    DEV_ID,
    SEC_KEY,
    T0_MS,
    UUID,
    Stage,
    online,
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


def test_release_by_the_cloud_wipes_reboots_and_shows_unbound() -> None:
    stage = online()
    effects = stage.message(encode_reset(DEV_ID, T0_MS // 1000, "reset"), qos=1)
    assert isinstance(effects[0], fx.SaveFlash), "the marker comes before the acknowledgement"
    assert read_image(stage.flash).resetting is ResetKind.REMOTE_UNBIND
    assert isinstance(stage.packets()[-1], mqtt.Disconnect)
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
    stage.boot()
    assert stage.device.operator == "unbound"
    stage.pair()
    assert read_image(stage.flash).last_reset is None
    request = stage.all(fx.SendHttp)
    assert all(call.target.startswith(("/d.json", "/v2/url_config")) for call in request)


def test_a_held_button_resets_and_tells_an_online_cloud_first() -> None:
    stage = online()
    before = len(stage.packets())
    stage.tell(ev.ButtonPressed())
    stage.wait(2999)
    assert stage.state == "ONLINE"
    stage.wait(1)
    assert stage.state == "RESETTING"
    told, bye = stage.packets()[before:]
    assert isinstance(told, mqtt.Publish)
    assert b"tuya.device.reset" in told.payload
    assert isinstance(bye, mqtt.Disconnect)
    stage.wait(10_000)
    assert (stage.state, stage.device.operator) == ("WAITING", "waiting")


def test_a_short_press_does_nothing() -> None:
    stage = online()
    stage.tell(ev.ButtonPressed())
    stage.wait(2000)
    stage.tell(ev.ButtonReleased())
    stage.wait(5000)
    assert stage.state == "ONLINE"


def test_a_button_held_at_power_on_counts_from_there() -> None:
    stage = Stage(flash=BOUND.image())
    stage.tell(ev.ButtonPressed())
    stage.wait(60_000)
    stage.tell(ev.PowerApplied())
    stage.wait(3000)
    assert stage.state == "RESETTING"


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


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b'{"httpsSelfUrl":1}'])
def test_a_reply_that_cannot_be_read_is_a_failed_call(body: bytes) -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply(body)
    assert "bad_reply" in stage.notes()
    assert stage.state == "ACTIVATING"
    stage.tell(ev.HttpReplied(1, 200, b"late"))
    assert stage.state == "ACTIVATING"


@pytest.mark.parametrize("reason", list(ev.JoinRefusal))
def test_a_refused_join_names_its_reason(reason: ev.JoinRefusal) -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiRefused(reason))
    assert (stage.state, stage.device.light) == ("FAILED", "join_failed")
    assert stage.last(fx.Noted) == fx.Noted("join_refused", reason.value)


def test_nobody_answers_the_join() -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.wait(20_000)
    assert stage.state == "FAILED"
    assert stage.last(fx.Noted) == fx.Noted("join_refused", "no_network")


def test_a_bound_device_rejoins_for_ever() -> None:
    stage = Stage(flash=BOUND.image()).boot()
    for _ in range(20):
        stage.tell(ev.WifiRefused(ev.JoinRefusal.NO_SUCH_NETWORK))
        stage.wait(1000)
    assert stage.state == "REJOINING"
    assert len(stage.all(fx.JoinWifi)) == 21
    stage.tell(ev.WifiJoined("127.1.0.1"))
    assert (stage.state, stage.session) == ("ONLINE", "RESOLVING")


def test_wifi_lost_and_found_again() -> None:
    stage = online()
    stage.tell(ev.LinkDown())
    assert (stage.state, stage.session) == ("REJOINING", "DOWN")
    stage.tell(ev.WifiJoined("127.1.0.2"))
    stage.connect()
    assert stage.device.light == "online"


@pytest.mark.parametrize("code", [b"hello", b"\xff\xfe", b'{"s":"net","p":"password","t":"short"}'])
def test_a_foreign_code_is_noted_and_ignored(code: bytes) -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(code))
    assert stage.state == "WAITING"
    assert stage.notes()[-1] == "bad_qr"


def test_a_code_is_ignored_unless_waiting() -> None:
    stage = online()
    stage.tell(ev.FrameDecoded(CODE))
    assert stage.state == "ONLINE"


def test_light_and_operator_state_come_from_the_state_alone() -> None:
    stage = Stage().boot().pair()
    shown = stage.last(StateShown)
    assert (shown.light, shown.operator) == (stage.device.light, stage.device.operator)
    assert shown.cause == "Subscribed"


def test_activation_carries_the_old_device_id() -> None:
    flash = Flash(dev_id=DEV_ID, last_reset=ResetKind.LOCAL_FACTORY)
    stage = Stage(flash=flash.image()).boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    from firmware_sim.wire import atop

    body = atop.decode_request_body(stage.last(fx.SendHttp).body, AUTH_KEY)
    request = messages.decode(body, messages.ActivationRequest)
    assert (request.dev_id, request.token) == (DEV_ID, "abcd1234")
    query = atop.decode_query(stage.last(fx.SendHttp).target)
    assert (query.uuid, query.dev_id) == (UUID, None)
    atop.check_sign(query, AUTH_KEY)


def test_secrets_do_not_show() -> None:
    stage = Stage().boot().pair()
    text = repr(stage.said) + repr(stage.device.identity) + repr(stage.device.flash)
    for secret in (AUTH_KEY, SEC_KEY, "l0calK3y", "password1", "abcd1234"):
        assert secret not in text


def test_an_impossible_identity_or_flash_is_refused() -> None:
    with pytest.raises(UsageError, match="uuid takes"):
        Identity("x" * 26, AUTH_KEY, "pid")
    with pytest.raises(UsageError, match="product_id takes"):
        Identity(UUID, AUTH_KEY, "")
    profile = catalog.load("nvr")
    with pytest.raises(UsageError, match="not a flash image"):
        Device(profile, Identity(UUID, AUTH_KEY, "pid"), 1, ("dns", 80), b"\x93nonsense")
