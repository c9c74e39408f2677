"""Messages for the developers: what the cloud tells their programs about devices.

Names are the vendor's ("Message Types", developer.tuya.com; the field names also in
tuya/tuya-connector-python): `delete` is the unbinding message.
"""

import msgspec

from firmware_sim.wire.structs import encode_json
from fleet.cloud.devices import Device
from fleet.cloud.messages import PushRaised


class Ownership(msgspec.Struct, frozen=True, rename="camel"):
    """Data of `bindUser` and `delete`: which device, which consumer."""

    dev_id: str
    uid: str


class Presence(msgspec.Struct, frozen=True):
    """Data of `online` and `offline`: when (ms)."""

    time: int


def bound(device: Device) -> PushRaised:
    """Tell that the device was bound to its owner."""
    return _message("bindUser", device, Ownership(device.dev_id, device.owner))


def deleted(device: Device, uid: str) -> PushRaised:
    """Tell that the device no longer belongs to `uid`."""
    return _message("delete", device, Ownership(device.dev_id, uid))


def presence(device: Device, now_ms: int, *, online: bool) -> PushRaised:
    """Tell that the device came or went."""
    return _message("online" if online else "offline", device, Presence(now_ms))


def _message(biz_code: str, device: Device, data: msgspec.Struct) -> PushRaised:
    return PushRaised(biz_code, device.dev_id, device.product_id, encode_json(data))
