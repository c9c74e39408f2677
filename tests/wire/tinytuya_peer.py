"""tinytuya as it is published, without its sockets: the stranger who reads and writes our frames."""

from typing import Any

import tinytuya
from tinytuya.core import message_helper

from firmware_sim.wire.lan_version import LanVersion

DEV_ID = "ebfake0000000000000001"


def peer(version: LanVersion, key: bytes, **options: Any) -> Any:
    """Return tinytuya's idea of a device that speaks `version` under `key`."""
    device = tinytuya.Device(
        DEV_ID, address="10.0.0.9", local_key=key.decode("latin1"), version=3.3, **options
    )
    device.dps_to_request = {"1": None}  # or version 3.2 looks for them on the network
    device.set_version(float(version))
    return device


def write(device: Any, command: int, body: bytes) -> bytes:
    """Return the frame that tinytuya sends to the device."""
    frame: bytes = device._encode_message(tinytuya.MessagePayload(command, body))
    return frame


def read(device: Any, data: bytes) -> Any:
    """Return what tinytuya makes of a frame from the device, its payload still encrypted."""
    message = message_helper.unpack_message(
        data, hmac_key=device.local_key if device.version >= 3.4 else None
    )
    assert message.crc_good
    return message
