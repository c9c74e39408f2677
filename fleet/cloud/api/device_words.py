"""How a message to a device is wrapped, and one from it unwrapped: in the device's own version.

A device says which generation its firmware is when it is activated and whenever its firmware
changed; one that has not said, like one that came with a seed, is taken for the most common. What
comes from a device is read whatever it is, as it names its version itself.
"""

from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.generation import DIALECTS, Generation
from firmware_sim.wire.mqtt_payload import Message, PayloadVersion
from fleet.cloud.devices import Device
from fleet.cloud.keys import Entropy
from fleet.cloud.settings import Settings

_GENERATIONS = {DIALECTS[generation].payload: generation for generation in Generation}


class Words:
    """Wraps what the cloud tells devices; numbers its messages from 1 on."""

    def __init__(self, settings: Settings, entropy: Entropy) -> None:
        """Make nonces from `entropy`."""
        self._entropy = entropy
        self._sequence = 0
        first = settings.first_message_version
        both = (Generation.ECB, Generation.GCM)
        self._first = both if first == "both" else (Generation(first),)

    def wrap(self, device: Device, message: bytes) -> bytes:
        """Return the payload that carries the JSON `message` to an activated device."""
        return self._wrap(device.local_key, message, _generation(device))

    def wrap_first(self, device: Device, message: bytes) -> list[bytes]:
        """Return the same for a device that is not activated, in each version that it may read."""
        said = (Generation(device.generation),) if device.generation else self._first
        return [self._wrap(device.auth_key, message, generation) for generation in said]

    def _wrap(self, key: str, message: bytes, generation: Generation) -> bytes:
        dialect = DIALECTS[generation]
        self._sequence += 1
        return mqtt_payload.encode(
            aes_key(key),
            message,
            self._sequence,
            mqtt_payload.SOURCE_CLOUD,
            dialect.payload,
            self._entropy(dialect.nonce_size) if dialect.nonce_size else b"",
        )


def version_for(device: Device) -> PayloadVersion:
    """Return the version in which an activated device is told something."""
    return DIALECTS[_generation(device)].payload


def unwrap(device: Device, payload: bytes) -> Message:
    """Return the message of an activated device; raises PeerError. Its CRC does not count."""
    return mqtt_payload.decode(aes_key(device.local_key), payload, verify_crc=False)


def generation_of(payload: bytes) -> Generation:
    """Return the generation whose messages begin like this one, which was unwrapped."""
    return _GENERATIONS[PayloadVersion(payload[:3])]


def _generation(device: Device) -> Generation:
    return Generation(device.generation or Generation.ECB)
