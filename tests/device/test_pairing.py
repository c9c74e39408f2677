"""From a code to a session: the lights on the way, refusals, and firmware that never gives up."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call
from firmware_sim.device.flash import Flash, read_image
from firmware_sim.wire import atop, mqtt, mqtt_payload
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.mqtt_payload import PayloadVersion
from firmware_sim.wire.provisioning import encode_token_bind, parse_token
from tests.device.stage import AUTH_KEY, CODE, DEV_ID, NONCE, SEC_KEY, TOKEN, UUID, Stage


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
    wiped = [note for note in stage.all(fx.Noted) if note.kind == "wiped"]
    assert wiped == [fx.Noted("wiped", "reset type 4, ordered at activation")] * wipe
    assert read_image(stage.flash).last_reset is None


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
    stage.reply_servers()
    for _ in range(50):
        stage.reply_error("TOKEN_FULL")
        assert stage.state == "ACTIVATING"
        stage.wait(1000)
    assert len(stage.all(fx.SendHttp)) == 52, "one call a second; iot-dns is asked once"
    assert stage.device.next_deadline_ms() is None
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    assert stage.state == "ACTIVATING", "refusals are no transport failures"
    stage.wait(1000)
    assert stage.device.call is Call.RESOLVE, "the servers may have moved"


@pytest.mark.parametrize("refusals", [1, 2, 9])
def test_the_calls_of_a_storm_can_be_counted(refusals: int) -> None:
    stage = Stage("ipc-retry").boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    for _ in range(refusals):
        stage.reply_error("TOKEN_FULL")
        stage.wait(1000)
    stage.reply_credentials()
    first, *others = stage.all(fx.Noted)
    assert first == fx.Noted("activation_refused", "TOKEN_FULL")
    assert others == [fx.Noted("activation_retry", "TOKEN_FULL")] * (refusals - 1)


def test_a_power_cut_ends_the_storm() -> None:
    stage = Stage("ipc-retry").boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    for _ in range(3):
        stage.reply_error("TOKEN_FULL")
        stage.wait(1000)
    stage.tell(ev.PowerRemoved())
    assert Stage("ipc-retry", stage.flash).boot().state == "WAITING"


@pytest.mark.parametrize("profile", ["ipc-old", "ipc-red-green", "ipc-new"])
def test_every_generation_is_paired(profile: str) -> None:
    stage = Stage(profile).boot().pair()
    assert (stage.state, stage.session) == ("ONLINE", "UP")
    stage.message(mqtt_payload.encode_reset(DEV_ID, 1, "reset"), qos=1)
    assert stage.state == "RESETTING"


def test_a_new_owner_gets_the_device_under_its_old_id() -> None:
    stage = Stage().boot().pair()
    stage.message(mqtt_payload.encode_reset(DEV_ID, 1, "reset"))
    stage.wait(10_000)
    assert read_image(stage.flash).dev_id == DEV_ID
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    body = atop.decode_request_body(stage.last(fx.SendHttp).body, AUTH_KEY)
    assert messages.decode(body, messages.ActivationRequest).dev_id == DEV_ID


# --- a token that comes over the cloud's connection ---------------------------------------------


def listening() -> Stage:
    """Return a recorder that nobody owns, with its token topic subscribed."""
    stage = Stage("nvr-label").boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.reply_servers()
    stage.tell(ev.MqttOpened())
    stage.hear(mqtt.Connack(0))
    stage.acknowledge()
    assert (stage.state, stage.session) == ("WAITING", "LISTENING")
    return stage


def token_message(data: bytes, protocol: int = 46) -> mqtt.Publish:
    body = b'{"protocol":%d,"t":1700000000,"data":%b}' % (protocol, data)
    payload = mqtt_payload.encode(AUTH_KEY[:16].encode(), body, 1, mqtt_payload.SOURCE_CLOUD)
    return mqtt.Publish(mqtt_payload.topic_activation(UUID), payload)


def test_a_device_that_awaits_its_token_online_asks_for_no_region() -> None:
    stage = listening()
    first = stage.all(fx.SendHttp)[0]
    assert b"region" not in first.body
    assert first.body.endswith(b'"env":"pro"}')
    connect, subscribe = stage.packets()
    assert isinstance(connect, mqtt.Connect)
    assert (connect.client_id, connect.username) == (f"acon_{UUID}", f"acon_{UUID}")
    assert connect.password == mqtt_payload.mqtt_password(AUTH_KEY)
    assert isinstance(subscribe, mqtt.Subscribe)
    assert subscribe.filters == ((f"d/ai/{UUID}", 1),)
    assert stage.device.operator == "waiting"
    stage.wait(120_000)
    assert isinstance(stage.packets()[-1], mqtt.Pingreq)


def test_it_leaves_before_it_activates() -> None:
    stage = listening()
    effects = stage.hear(token_message(b'{"token":"abcd1234","region":"EU"}'))
    assert [type(packet) for packet in stage.packets()[-2:]] == [mqtt.Unsubscribe, mqtt.Disconnect]
    kinds = [type(effect) for effect in effects if not isinstance(effect, fx.StateShown)]
    assert kinds == [fx.SendMqtt, fx.SendMqtt, fx.CloseMqtt, fx.SoundTone, fx.SendHttp]
    assert (stage.state, stage.session) == ("ACTIVATING", "DOWN")
    assert stage.last(fx.SendHttp).body.endswith(b'"region":"EU","env":"pro"}')
    stage.reply_servers()
    body = atop.decode_request_body(stage.last(fx.SendHttp).body, AUTH_KEY)
    assert messages.decode(body, messages.ActivationRequest).token == "abcd1234"
    stage.reply_credentials()
    stage.connect()
    assert read_image(stage.flash).env == "pro"


def test_only_the_first_token_counts() -> None:
    stage = listening()
    packets = (token_message(b'{"token":"%b","region":"EU"}' % text) for text in (b"one", b"two"))
    stage.tell(ev.MqttReceived(b"".join(mqtt.encode(packet) for packet in packets)))
    assert stage.device.token is not None
    assert stage.device.token.token == "one"


@pytest.mark.parametrize(
    ("data", "protocol", "notes"),
    [
        (b'{"token":"abcd12345","region":"EU"}', 46, ["bad_message"]),
        (b'{"token":"","region":"EU"}', 46, ["bad_message"]),
        (b'{"region":"EU"}', 46, ["bad_message"]),
        (b'{"gwId":"x"}', 11, []),
    ],
)
def test_what_is_no_token_is_dropped(data: bytes, protocol: int, notes: list[str]) -> None:
    stage = listening()
    stage.hear(token_message(data, protocol))
    assert (stage.state, stage.session, stage.notes()) == ("WAITING", "LISTENING", notes)


def test_a_token_in_another_wrapping_is_for_other_firmware() -> None:
    stage = listening()
    body = mqtt_payload.encode_token(parse_token(TOKEN), 1)
    topic = mqtt_payload.topic_activation(UUID)
    for version in (PayloadVersion.V21, PayloadVersion.V23, PayloadVersion.V22):
        assert (stage.session, stage.notes()) == ("LISTENING", [])
        payload = mqtt_payload.encode(
            AUTH_KEY[:16].encode(), body, 1, mqtt_payload.SOURCE_CLOUD, version, NONCE
        )
        stage.hear(mqtt.Publish(topic, payload))
    assert (stage.state, stage.notes()) == ("ACTIVATING", [])


def test_a_token_over_the_lan_ends_the_wait_as_well() -> None:
    stage = listening()
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, encode_token_bind(TOKEN, 1)))
    assert (stage.state, stage.session) == ("ACTIVATING", "DOWN")
    assert stage.device.call is Call.RESOLVE
    stage.reply_servers()
    stage.reply_credentials()
    assert stage.state == "ONLINE"


def test_a_token_over_the_lan_overtakes_a_call_of_the_session() -> None:
    stage = Stage("nvr-label").boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    assert stage.device.call is Call.LOCATE
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, encode_token_bind(TOKEN, 1)))
    assert (stage.session, stage.device.call) == ("DOWN", Call.RESOLVE)


def test_after_a_failure_and_after_a_reset_it_listens_again() -> None:
    stage = listening()
    stage.hear(token_message(b'{"token":"abcd1234","region":"EU"}'))
    stage.reply_servers()
    stage.reply_error("TOKEN_DEAD")
    stage.wait(5000)
    assert (stage.state, stage.session) == ("WAITING", "RESOLVING")
    stage.hold_button()
    assert stage.session == "DOWN"
    stage.wait(5000)
    assert (stage.state, stage.session) == ("WAITING", "RESOLVING")


def test_without_a_network_nobody_listens() -> None:
    stage = listening()
    stage.tell(ev.LinkDown())
    assert (stage.state, stage.session) == ("WAITING", "DOWN")
    stage.tell(ev.LinkUp("127.1.0.1"))
    assert stage.session == "RESOLVING"


def test_other_recorders_do_not_listen() -> None:
    stage = Stage("nvr").boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    assert (stage.state, stage.session, stage.all(fx.SendHttp)) == ("WAITING", "DOWN", [])


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
