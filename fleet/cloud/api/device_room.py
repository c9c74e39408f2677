"""How much firmware has room for: what a call may be answered, what a message may carry, in bytes.

A reply that does not fit fails the call although the cloud has carried it out, so whoever changes
something looks here first. The buffers are those of tuya/tuya-connect-kit-for-mqtt-embedded-c,
head of the HTTP reply included (src/atop_base.c), and of MQTT packets (middleware/core_mqtt_config.h).
"""

from collections.abc import Callable, Mapping

from firmware_sim.wire import atop, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.atop_calls import reply_size_max
from firmware_sim.wire.ciphers import NONCE_SIZE, TAG_SIZE
from firmware_sim.wire.mqtt_payload import PayloadVersion

HEAD_SIZE_MAX = 192
"""More than the head of a reply has that leaves this cloud."""

PACKET_SIZE_MAX = 2048
"""The longest MQTT packet that firmware takes."""

_T = 1_700_000_000  # any time of ten digits
_BLOCK_SIZE = 16
_CALL_ID_MAX = 0xFFFF
_FILE_HEAD_SIZE = len(mqtt_rpc.encode_file_piece(0, b""))
_SEALED = len(atop.encode_reply(b"", _T, "0" * 16)) - 24  # without the base64 of one block
_WRAPPED = len(atop.encode_success(b"", _T))


def over_http(api: str, et: int) -> int:
    """Return how long the result of a call may be that is answered with encryption `et`."""
    body_size = reply_size_max(api) - HEAD_SIZE_MAX
    if et == atop.ET_NONE:
        return body_size - _WRAPPED
    sealed_size = (body_size - _SEALED) // 4 * 3  # base64
    if et == atop.ET_GCM:
        return sealed_size - NONCE_SIZE - TAG_SIZE - _WRAPPED
    return sealed_size // _BLOCK_SIZE * _BLOCK_SIZE - 1 - _WRAPPED


def over_mqtt(dev_id: str) -> int:
    """Return how long the result of a call may be that came over MQTT."""
    head = mqtt_rpc.encode_response(_CALL_ID_MAX, _T, b"")
    return _payload_size_max(mqtt_payload.topic_rpc_response(dev_id)) - len(head)


def of_a_piece(dev_id: str) -> int:
    """Return how many bytes of a file fit into one message."""
    return _payload_size_max(mqtt_payload.topic_rpc_file(dev_id)) - _FILE_HEAD_SIZE


def has_room(topic: str, version: PayloadVersion, size: int) -> bool:
    """Tell whether a message with `size` bytes of JSON is short enough for a device."""
    return _WRAPPINGS[version](size) <= _payload_size_max(topic)


def _padded(size: int) -> int:
    return (size // _BLOCK_SIZE + 1) * _BLOCK_SIZE


_WRAPPINGS: Mapping[PayloadVersion, Callable[[int], int]] = {
    PayloadVersion.V21: lambda size: 19 + (_padded(size) + 2) // 3 * 4,
    PayloadVersion.V22: lambda size: 15 + _padded(size),
    PayloadVersion.V23: lambda size: 12 + NONCE_SIZE + size + TAG_SIZE,
}
"""How long the payload is that carries so many bytes of JSON (`firmware_sim.wire.mqtt_frame`)."""


def _payload_size_max(topic: str) -> int:
    """Return what is left of a packet at QoS 1 beside its head and its topic."""
    packet = mqtt.encode(mqtt.Publish(topic=topic, payload=bytes(256), qos=1, packet_id=1))
    return PACKET_SIZE_MAX - (len(packet) - 256)
