"""The MQTT stream: what goes out when it stands, and what breaks it."""

from firmware_sim import events as ev
from firmware_sim.wire import mqtt, mqtt_payload
from tests.device.stage import BOUND, DEV_ID, LOCAL_KEY, Stage, online


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
    report, query = (packet for packet in stage.packets() if isinstance(packet, mqtt.Publish))
    message = mqtt_payload.decode(LOCAL_KEY.encode(), report.payload)
    assert message.protocol == 4
    assert b'"101":true' in bytes(message.data)
    assert b"tuya.device.upgrade.silent.get" in query.payload
    sent = len(stage.packets())
    stage.tell(ev.MqttClosed("reset"))
    stage.wait(1)
    stage.connect()
    again = [p for p in stage.packets()[sent:] if isinstance(p, mqtt.Publish)]
    assert len(again) == 1, "the silent upgrade is asked for once per boot"


def test_messages_that_cannot_be_read_are_dropped() -> None:
    stage = online()
    topic = mqtt_payload.topic_in(DEV_ID)
    stage.hear(mqtt.Publish(topic, b"garbage"))
    stage.message(b'{"protocol":11,"t":1,"data":{}}')
    stage.message(b'{"protocol":99,"t":1,"data":{}}')
    stage.hear(mqtt.Publish("rpc/rsp/" + DEV_ID, b"{}"))
    stage.hear(mqtt.Unsuback(1))
    assert stage.notes()[-2:] == ["bad_message", "bad_message"]
    assert (stage.state, stage.session) == ("ONLINE", "UP")


def a_camera_before_its_subscriptions() -> Stage:
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_success()
    stage.tell(ev.MqttOpened())
    stage.hear(mqtt.Connack(0))
    return stage


def test_calls_are_numbered_from_one_in_each_connection() -> None:
    stage = online()
    stage.tell(ev.MqttClosed("reset"))
    stage.wait(1)
    stage.connect()
    stage.hold_button()
    calls = [p for p in stage.packets() if isinstance(p, mqtt.Publish) and "rpc" in p.topic]
    assert [call.payload.startswith(b'{"id":1,') for call in calls] == [True, True]
