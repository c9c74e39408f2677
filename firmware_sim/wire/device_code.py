"""The QR code on a device: the address by which an app tells which device it has before it.

A device that waits to be activated shows it, or has it printed on its case; the cloud then hands it
a token over MQTT (`mqtt_payload.TokenData`). Source: tuya/tuya-connect-kit-for-mqtt-embedded-c,
examples/switch_demo_non_qrcode/switch_demo_non_qrcode.c.
"""

import re
from urllib.parse import parse_qsl, urlsplit

import msgspec

from firmware_sim.errors import Malformed, TooLarge, UsageError

SIZE_MAX = 256

_ADDRESS = "https://smartapp.tuya.com/s/p"
_VERSION = "2.0"
_FIELDS_MAX = 8
_ID = re.compile(r"[0-9A-Za-z_-]{1,25}", re.ASCII)


class DeviceCode(msgspec.Struct, frozen=True, gc=False):
    """Which device it is: its product, and its uuid."""

    product_id: str
    uuid: str


def encode_device_code(code: DeviceCode) -> str:
    """Return the text of the QR code; raises UsageError for ids that no device has."""
    if not (_ID.fullmatch(code.product_id) and _ID.fullmatch(code.uuid)):
        raise UsageError("a device code names a product and a uuid: letters, digits, _ and -")
    return f"{_ADDRESS}?p={code.product_id}&uuid={code.uuid}&v={_VERSION}"


def decode_device_code(text: str) -> DeviceCode:
    """Return what a scanned text says; raise TooLarge or Malformed. Further fields are ignored."""
    if len(text) > SIZE_MAX:
        raise TooLarge(f"a device code of {len(text)} characters; the limit is {SIZE_MAX}")
    try:
        parts = urlsplit(text)
        fields = dict(parse_qsl(parts.query, max_num_fields=_FIELDS_MAX))
    except ValueError:
        raise Malformed("a device code is an address") from None
    code = DeviceCode(fields.get("p", ""), fields.get("uuid", ""))
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if address != _ADDRESS or not (_ID.fullmatch(code.product_id) and _ID.fullmatch(code.uuid)):
        raise Malformed("this is no device code")
    return code
