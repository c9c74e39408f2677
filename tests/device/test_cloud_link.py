"""The MQTT stream: what goes out when it stands, and what breaks it."""

import pytest

from firmware_sim import events as ev
from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.mqtt_payload import PayloadVersion
from tests.device.stage import BOUND, DEV_ID, LOCAL_KEY, NONCE, UUID, Stage, online


def test_a_broken_stream_is_closed() -> None:
    stage = online()
    stage.tell(ev.MqttReceived(b"\x00\x00"))
    assert stage.session == "BACKOFF"
    assert "bad_mqtt" in stage.notes()
    stage.tell(ev.MqttReceived(b"more"))
    assert stage.session == "BACKOFF"


def test_a_refused_subscription_is_a_lost_stream() -> None:
    stage = a_camera_before_its_subscriptions()
    assert stage.session == "SUBSCRIBING"
    stage.hear(mqtt.Suback(1, (0x80,)))
    assert stage.session == "BACKOFF"


def test_it_says_what_a_device_says_when_it_comes_online() -> None:
    stage = online()
    stage.wait(2000)
    report, query = (packet for packet in stage.packets() if isinstance(packet, mqtt.Publish))
    message = mqtt_payload.decode(LOCAL_KEY.encode(), report.payload)
    assert message.protocol == 4
    assert b'"101":true' in bytes(message.data)
    assert b"tuya.device.upgrade.silent.get" in query.payload


def test_messages_that_cannot_be_read_are_dropped() -> None:
    stage = online()
    topic = mqtt_payload.topic_in(DEV_ID)
    stage.hear(mqtt.Publish(topic, b"garbage"))
    stage.message(b'{"protocol":11,"t":1,"data":{}}')
    stage.message(b'{"protocol":99,"t":1,"data":{}}')
    stage.hear(mqtt.Publish("rpc/rsp/" + DEV_ID, b"{}"))
    stage.hear(mqtt.Unsuback(1))
    assert stage.notes()[-3:] == ["bad_message"] * 3
    assert (stage.state, stage.session) == ("ONLINE", "UP")


def a_camera_before_its_subscriptions() -> Stage:
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_success()
    stage.tell(ev.MqttOpened())
    stage.hear(mqtt.Connack(0))
    return stage


def test_firmware_that_makes_no_calls_over_mqtt_subscribes_once() -> None:
    stage = online("ipc-old")
    subscriptions = [p for p in stage.packets() if isinstance(p, mqtt.Subscribe)]
    assert [each.filters for each in subscriptions] == [((f"smart/device/in/{DEV_ID}", 1),)]
    stage.hold_button()
    (leaving,) = (p for p in stage.packets() if isinstance(p, mqtt.Unsubscribe))
    assert leaving == mqtt.Unsubscribe(2, (f"smart/device/in/{DEV_ID}",))


@pytest.mark.parametrize("profile", ["ipc-old", "ipc-red-green", "ipc-new"])
@pytest.mark.parametrize("version", PayloadVersion)
def test_a_message_has_to_be_wrapped_as_the_firmware_knows_it(
    profile: str, version: PayloadVersion
) -> None:
    stage = online(profile)
    body = mqtt_payload.encode_reset(DEV_ID, 1, "reset")
    payload = mqtt_payload.encode(
        LOCAL_KEY.encode(), body, 1, mqtt_payload.SOURCE_CLOUD, version, NONCE
    )
    stage.hear(mqtt.Publish(mqtt_payload.topic_in(DEV_ID), payload))
    known = version is stage.device.dialect.payload
    assert stage.state == ("RESETTING" if known else "ONLINE")
    assert ("bad_message" in stage.notes()) is not known


def test_pieces_of_files_and_topics_of_others_are_dropped() -> None:
    stage = online()
    for topic in (f"rpc/file/{DEV_ID}", "smart/device/in/somebody", f"d/ai/{UUID}"):
        assert stage.hear(mqtt.Publish(topic, b"\0\0\0\1bytes")) == []
