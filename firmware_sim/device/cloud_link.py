"""The MQTT stream of a session: getting in, and what comes in on it.

Names, topics, QoS and order as in the open vendor SDK (tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/mqtt_service.c and src/mqtt_bind.c): a paired device makes three subscriptions at QoS 1, one if
its generation makes no calls over MQTT; a device that is not paired connects under its uuid and
listens for a token (protocol 46). A message that cannot be read, or that is wrapped in another
generation's way, is dropped and noted; a broken stream is closed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware_sim.device import reporting, uplink
from firmware_sim.device.signals import (
    Admitted,
    CloudUnwanted,
    Ponged,
    Refused,
    StreamLost,
    Subscribed,
    TokenBrought,
    TokenHeard,
)
from firmware_sim.device.timers import Timer
from firmware_sim.effects import CloseMqtt, OpenMqtt, SendMqtt
from firmware_sim.errors import Malformed, PeerError
from firmware_sim.events import Event, MqttClosed
from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.provisioning import TokenParts

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

PACKET_SIZE_MAX = 2048


def open_stream(device: "Device") -> None:
    """Open the connection (entry of CONNECTING)."""
    assert device.endpoints is not None  # resolved before
    device.decoder = mqtt.Decoder(size_max=PACKET_SIZE_MAX)
    device.rpc_id = 0
    device.arm(Timer.CONNECT, device.profile.timings.connect_timeout_ms)
    host, port = device.endpoints.mqtt
    device.emit(OpenMqtt(host, port, device.endpoints.anchor))


def introduce(device: "Device", _: Event) -> None:
    """Send CONNECT: device id and secKey name the device, uuid and authKey while it has neither."""
    flash, identity = device.flash, device.identity
    name, key = mqtt_payload.client_id_unpaired(identity.uuid), identity.auth_key
    if flash.activated:
        name, key = flash.dev_id, flash.sec_key
    packet = mqtt.Connect(
        client_id=name,
        username=name,
        password=mqtt_payload.mqtt_password(key),
        keep_alive_s=device.profile.timings.keep_alive_s,
    )
    device.emit(SendMqtt(mqtt.encode(packet)))


def subscribe(device: "Device") -> None:
    """Ask for our topics, one by one (entry of SUBSCRIBING)."""
    device.arm(Timer.CONNECT, device.profile.timings.connect_timeout_ms)
    topics = _topics(device)
    device.unacknowledged = len(topics)
    packets = (
        mqtt.Subscribe(packet_id=number, filters=((topic, 1),))
        for number, topic in enumerate(topics, 1)
    )
    device.emit(SendMqtt(b"".join(mqtt.encode(packet) for packet in packets)))


def _topics(device: "Device") -> tuple[str, ...]:
    """Return the topics that we listen on; the first is that of our messages."""
    dev_id = device.flash.dev_id
    if not device.flash.activated:
        return (mqtt_payload.topic_activation(device.identity.uuid),)
    if not device.dialect.rpc:
        return (mqtt_payload.topic_in(dev_id),)
    return (
        mqtt_payload.topic_in(dev_id),
        mqtt_payload.topic_rpc_response(dev_id),
        mqtt_payload.topic_rpc_file(dev_id),
    )


def ping(device: "Device") -> None:
    """Send PINGREQ."""
    device.emit(SendMqtt(mqtt.encode(mqtt.Pingreq())))


def unsubscribe(device: "Device") -> None:
    """Give the topic of our messages up, as firmware does before it leaves for good."""
    if device.admitted:
        topics = _topics(device)
        packet = mqtt.Unsubscribe(packet_id=len(topics) + 1, filters=topics[:1])
        device.emit(SendMqtt(mqtt.encode(packet)))


def close(device: "Device") -> None:
    """Leave in good order if we ever got in, and close the stream."""
    device.admitted_ms = 0
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


def overlooks(device: "Device", event: StreamLost) -> bool:
    """Say whether this firmware takes the end of its stream for silence."""
    return event.fin and not device.profile.firmware.notices_fin


def bring_token(device: "Device", event: TokenHeard) -> None:
    """Leave with the token that we waited for."""
    device.raise_signal(CloudUnwanted())
    device.raise_signal(TokenBrought(event.token))


# --- inbound ------------------------------------------------------------------------------------


def lost(device: "Device", event: MqttClosed) -> None:
    """Turn the end of the stream into a signal."""
    device.raise_signal(StreamLost(event.reason, event.fin))


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
    device.admitted_ms = device.now_ms if device.admitted else 0
    device.raise_signal(Admitted() if device.admitted else Refused(packet.return_code))


def _suback(device: "Device", packet: mqtt.Suback) -> None:
    if any(code & 0x80 for code in packet.return_codes):
        device.raise_signal(StreamLost("subscription_refused"))
        return
    device.unacknowledged -= 1
    if device.unacknowledged == 0:
        device.raise_signal(Subscribed())


def _publish(device: "Device", packet: mqtt.Publish) -> None:
    if packet.qos:
        device.emit(SendMqtt(mqtt.encode(mqtt.Puback(packet_id=packet.packet_id))))
    topics, hear = _topics(device), _HEARD if device.flash.activated else _HEARD_UNPAIRED
    try:
        place = topics.index(packet.topic)
    except ValueError:
        return
    try:
        hear[place](device, packet.payload)
    except PeerError as error:
        device.note("bad_message", str(error))


def _hear_message(device: "Device", payload: bytes) -> None:
    if mqtt_payload.version_of(payload) is not device.dialect.payload:
        raise Malformed("a message in the wrapping of another generation of firmware")
    message = mqtt_payload.decode(device.local_key, payload, verify_crc=False)
    reporting.take_message(device, message)


def _hear_file(_: "Device", __: bytes) -> None:
    """Drop a piece of a file: we ask for none."""


def _hear_token(device: "Device", payload: bytes) -> None:
    """Take a token; one in another wrapping is not for us: a cloud may have to try them all."""
    if mqtt_payload.version_of(payload) is not device.dialect.payload:
        return
    key = aes_key(device.identity.auth_key)
    message = mqtt_payload.decode(key, payload, verify_crc=False)
    if message.protocol == mqtt_payload.Protocol.ACTIVATION_TOKEN:
        token = mqtt_payload.data_of(message, mqtt_payload.TokenData)
        if not token.token:
            raise Malformed("a token without a character")
        device.raise_signal(TokenHeard(TokenParts(token.region, token.token, token.env)))


def _pingresp(device: "Device", _: mqtt.Pingresp) -> None:
    device.raise_signal(Ponged())


_HEARD = (_hear_message, uplink.answered, _hear_file)
_HEARD_UNPAIRED = (_hear_token,)

_HANDLERS: dict[type, Callable[["Device", "mqtt.Packet"], None]] = {
    mqtt.Connack: _connack,  # type: ignore[dict-item]
    mqtt.Suback: _suback,  # type: ignore[dict-item]
    mqtt.Publish: _publish,  # type: ignore[dict-item]
    mqtt.Pingresp: _pingresp,  # type: ignore[dict-item]
}
