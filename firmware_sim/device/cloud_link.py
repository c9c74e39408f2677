"""The MQTT side of the session: what goes out on the stream, and what comes in on it.

Topics, QoS and order as in the open vendor SDK (tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/mqtt_service.c): three subscriptions at QoS 1, data points at QoS 0, one silent-upgrade query
per boot. A message that cannot be read is dropped and noted; a broken stream is closed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware_sim.device import reporting
from firmware_sim.device.signals import (
    Admitted,
    Ponged,
    Refused,
    StreamLost,
    Subscribed,
)
from firmware_sim.device.timers import Timer
from firmware_sim.effects import CloseMqtt, OpenMqtt, SendMqtt
from firmware_sim.errors import PeerError
from firmware_sim.events import Event
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload, mqtt_rpc

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

PACKET_SIZE_MAX = 2048
SUBSCRIPTIONS = 3


def open_stream(device: "Device") -> None:
    """Open the connection (entry of CONNECTING)."""
    assert device.endpoints is not None  # resolved before
    device.decoder = mqtt.Decoder(size_max=PACKET_SIZE_MAX)
    device.rpc_id = 0
    device.arm(Timer.CONNECT, device.profile.timings.connect_timeout_ms)
    host, port = device.endpoints.mqtt
    device.emit(OpenMqtt(host, port))


def introduce(device: "Device", _: Event) -> None:
    """Send CONNECT: client id and user name are the device id, the password comes from secKey."""
    flash = device.flash
    packet = mqtt.Connect(
        client_id=flash.dev_id,
        username=flash.dev_id,
        password=mqtt_payload.mqtt_password(flash.sec_key),
        keep_alive_s=device.profile.timings.keep_alive_s,
    )
    device.emit(SendMqtt(mqtt.encode(packet)))


def subscribe(device: "Device") -> None:
    """Ask for our three topics (entry of SUBSCRIBING)."""
    device.arm(Timer.CONNECT, device.profile.timings.connect_timeout_ms)
    dev_id = device.flash.dev_id
    topics = (
        mqtt_payload.topic_in(dev_id),
        mqtt_payload.topic_rpc_response(dev_id),
        mqtt_payload.topic_rpc_file(dev_id),
    )
    device.acknowledged = 0
    packets = (
        mqtt.Subscribe(packet_id=number, filters=((topic, 1),))
        for number, topic in enumerate(topics, 1)
    )
    device.emit(SendMqtt(b"".join(mqtt.encode(packet) for packet in packets)))


def greet(device: "Device") -> None:
    """Report the data points, and ask for a silent upgrade once per boot (entry of UP)."""
    reporting.report_all(device)
    if device.upgrade_asked:
        return
    device.upgrade_asked = True
    ask = messages.UpgradeSilentGet(sub_id=None, t=device.now_s)
    _call(device, messages.UPGRADE_SILENT_GET, ask)


def report_local_reset(device: "Device", _: Event) -> None:
    """Tell the cloud, without waiting, that the button or a LAN client resets us."""
    _call(device, messages.RESET, messages.StampRequest(t=device.now_s))


def _call(device: "Device", api: messages.Api, request: messages.Message) -> None:
    """Make a call over MQTT; its reply is not waited for."""
    payload = mqtt_rpc.encode_request(
        device.next_rpc_id(), api.name, api.version, device.now_s, messages.encode(request)
    )
    topic = mqtt_payload.topic_rpc_request(device.flash.dev_id)
    device.emit(SendMqtt(mqtt.encode(mqtt.Publish(topic, payload))))


def ping(device: "Device") -> None:
    """Send PINGREQ."""
    device.emit(SendMqtt(mqtt.encode(mqtt.Pingreq())))


def unsubscribe(device: "Device") -> None:
    """Give the topic of our messages up, as firmware does before it leaves for good."""
    if device.admitted:
        topic = mqtt_payload.topic_in(device.flash.dev_id)
        packet = mqtt.Unsubscribe(packet_id=SUBSCRIPTIONS + 1, filters=(topic,))
        device.emit(SendMqtt(mqtt.encode(packet)))


def close(device: "Device") -> None:
    """Leave in good order if we ever got in, and close the stream."""
    if device.decoder is None:
        return
    device.decoder = None
    if device.admitted:
        device.admitted = False
        device.emit(SendMqtt(mqtt.encode(mqtt.Disconnect())))
    device.emit(CloseMqtt())


def note_loss(device: "Device", event: StreamLost) -> None:
    """Note why the stream is gone; there is nothing left to say DISCONNECT on."""
    device.admitted = False
    device.note("mqtt_lost", event.reason)


# --- inbound ------------------------------------------------------------------------------------


def received(device: "Device", data: bytes) -> None:
    """Turn bytes into packets and packets into signals and messages."""
    if device.decoder is None:
        return
    try:
        packets = device.decoder.feed(data)
    except PeerError as error:
        device.note("bad_mqtt", str(error))
        device.raise_signal(StreamLost("protocol_error"))
        return
    for packet in packets:
        handler = _HANDLERS.get(type(packet))
        if handler is not None:
            handler(device, packet)


def _connack(device: "Device", packet: mqtt.Connack) -> None:
    device.admitted = packet.return_code == 0
    device.raise_signal(Admitted() if device.admitted else Refused(packet.return_code))


def _suback(device: "Device", packet: mqtt.Suback) -> None:
    if any(code & 0x80 for code in packet.return_codes):
        device.raise_signal(StreamLost("subscription_refused"))
        return
    device.acknowledged += 1
    if device.acknowledged == SUBSCRIPTIONS:
        device.raise_signal(Subscribed())


def _publish(device: "Device", packet: mqtt.Publish) -> None:
    if packet.qos:
        device.emit(SendMqtt(mqtt.encode(mqtt.Puback(packet_id=packet.packet_id))))
    if packet.topic != mqtt_payload.topic_in(device.flash.dev_id):
        return
    try:
        message = mqtt_payload.decode(device.local_key, packet.payload, verify_crc=False)
        reporting.take_message(device, message)
    except PeerError as error:
        device.note("bad_message", str(error))


def _pingresp(device: "Device", _: mqtt.Pingresp) -> None:
    device.raise_signal(Ponged())


_HANDLERS: dict[type, Callable[["Device", "mqtt.Packet"], None]] = {
    mqtt.Connack: _connack,  # type: ignore[dict-item]
    mqtt.Suback: _suback,  # type: ignore[dict-item]
    mqtt.Publish: _publish,  # type: ignore[dict-item]
    mqtt.Pingresp: _pingresp,  # type: ignore[dict-item]
}
