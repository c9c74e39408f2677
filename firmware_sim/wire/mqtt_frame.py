"""How a message is wrapped on the topics between device and cloud: payload versions 2.1, 2.2, 2.3.

The first three bytes name the version. Sources: tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/mqtt_service.c (2.2); tuya/TuyaOpen, src/tuya_cloud_service/protocol/tuya_protocol.c (2.3);
ct-Open-Source/tuya-convert, scripts/mq_pub_15.py (2.1).
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Callable
from enum import Enum
from hmac import compare_digest
from typing import NamedTuple
from zlib import crc32

from firmware_sim.errors import BadChecksum, Malformed, TooLarge, Truncated, UsageError
from firmware_sim.wire.ciphers import (
    NONCE_SIZE,
    TAG_SIZE,
    ecb_decrypt,
    ecb_encrypt,
    gcm_decrypt,
    gcm_encrypt,
    md5_hex,
)

SIZE_MAX = 65536

SOURCE_CLOUD = bytes(4)
SOURCE_DEVICE = b"\x01\x00\x00\x00"
"""Firmware of 2.2 writes the number 1 in its own byte order, so take the four bytes as opaque."""

SOURCE_DEVICE_23 = b"\x00\x00\x00\x01"
"""Firmware of 2.3 writes the same number big-endian."""

_WORD_MASK = 0xFFFFFFFF
_SOURCE_SIZE = 4


class PayloadVersion(Enum):
    """The version of a payload, by its first three bytes."""

    V21 = b"2.1"
    V22 = b"2.2"
    V23 = b"2.3"


def encode(
    key: bytes,
    body: bytes,
    sequence: int,
    source: bytes,
    version: PayloadVersion = PayloadVersion.V22,
    nonce: bytes = b"",
) -> bytes:
    """Return the payload of a publish that carries the JSON `body`.

    `key` has 16 bytes, `source` 4, `sequence` wraps at 2**32; version 2.1 has neither of the last
    two. `nonce` has 12 bytes, never the same twice under one key, and is for version 2.3 only.
    Raises UsageError for another size of any of them.
    """
    if len(source) != _SOURCE_SIZE:
        raise UsageError(f"the source of a payload has 4 bytes, this one has {len(source)}")
    numbers = (sequence & _WORD_MASK).to_bytes(4, "big") + source
    name = version.value
    return name + _LAYOUTS[name].wrap(key, body, numbers, nonce)


def version_of(payload: bytes) -> PayloadVersion:
    """Return the version that a payload claims to have; raise Truncated or Malformed."""
    return _layout_of(payload).version


def decode(key: bytes, payload: bytes, *, verify_crc: bool = True) -> bytes:
    """Return the JSON in the payload of a publish, of whichever version it is.

    Firmware does not look at the CRC of 2.2; `verify_crc=False` does the same. The signature of 2.1
    and the tag of 2.3 always count. Raises Truncated, TooLarge, Malformed or BadChecksum.
    """
    if len(payload) > SIZE_MAX:
        raise TooLarge(f"a payload of {len(payload)} bytes; the limit is {SIZE_MAX}")
    layout = _layout_of(payload)
    if len(payload) < layout.size_min:
        raise Truncated(f"a payload head has {layout.size_min} bytes, here are {len(payload)}")
    if verify_crc:
        layout.check(payload)
    return layout.unwrap(key, payload)


# --- version 2.1: signature as text, base64 of the ciphertext -----------------------------------

_VERSION_SIZE = 3
_SIGN_SIZE = 16
_SIGN_END = _VERSION_SIZE + _SIGN_SIZE


def _wrap_21(key: bytes, body: bytes, _numbers: bytes, _nonce: bytes) -> bytes:
    text = b64encode(ecb_encrypt(key, body))
    return _sign_21(key, text) + text


def _unwrap_21(key: bytes, payload: bytes) -> bytes:
    sign, text = payload[_VERSION_SIZE:_SIGN_END], payload[_SIGN_END:]
    if not compare_digest(sign, _sign_21(key, text)):
        raise BadChecksum("the signature of a payload does not fit")
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise Malformed("the ciphertext of a payload is not base64") from None
    return ecb_decrypt(key, data)


def _sign_21(key: bytes, text: bytes) -> bytes:
    return md5_hex(b"data=" + text + b"||pv=2.1||" + key)[8:24].encode()


# --- version 2.2: CRC, sequence, source, ciphertext ---------------------------------------------

_CRC = struct.Struct(">I")
_COVERED_AT = _VERSION_SIZE + _CRC.size
_DATA_22_AT = _COVERED_AT + 8


def _wrap_22(key: bytes, body: bytes, numbers: bytes, _nonce: bytes) -> bytes:
    covered = numbers + ecb_encrypt(key, body)
    return _CRC.pack(crc32(covered)) + covered


def _check_22(payload: bytes) -> None:
    if _CRC.unpack_from(payload, _VERSION_SIZE)[0] != crc32(payload[_COVERED_AT:]):
        raise BadChecksum("the CRC of a payload does not fit")


def _unwrap_22(key: bytes, payload: bytes) -> bytes:
    return ecb_decrypt(key, payload[_DATA_22_AT:])


# --- version 2.3: sequence, source, a reserved zero, nonce, ciphertext, tag ---------------------

_RESERVED_AT = _VERSION_SIZE + 8
_NONCE_AT = _RESERVED_AT + 1
_DATA_23_AT = _NONCE_AT + NONCE_SIZE


def _wrap_23(key: bytes, body: bytes, numbers: bytes, nonce: bytes) -> bytes:
    rest = numbers + b"\0"
    return rest + nonce + gcm_encrypt(key, nonce, body, PayloadVersion.V23.value + rest)


def _unwrap_23(key: bytes, payload: bytes) -> bytes:
    if payload[_RESERVED_AT]:
        raise Malformed("the reserved byte of a payload is not zero")
    nonce = payload[_NONCE_AT:_DATA_23_AT]
    return gcm_decrypt(key, nonce, payload[_DATA_23_AT:], payload[:_NONCE_AT])


# --- the three ----------------------------------------------------------------------------------


class _Layout(NamedTuple):
    version: PayloadVersion
    size_min: int
    wrap: Callable[[bytes, bytes, bytes, bytes], bytes]
    unwrap: Callable[[bytes, bytes], bytes]
    check: Callable[[bytes], None] = lambda _payload: None


# Keyed by what the payload begins with: every message of every device is looked up here.
_LAYOUTS = {
    layout.version.value: layout
    for layout in (
        _Layout(PayloadVersion.V21, _SIGN_END, _wrap_21, _unwrap_21),
        _Layout(PayloadVersion.V22, _DATA_22_AT, _wrap_22, _unwrap_22, _check_22),
        _Layout(PayloadVersion.V23, _DATA_23_AT + TAG_SIZE, _wrap_23, _unwrap_23),
    )
}


def _layout_of(payload: bytes) -> _Layout:
    layout = _LAYOUTS.get(payload[:_VERSION_SIZE])
    if layout is None and len(payload) < _VERSION_SIZE:
        raise Truncated(f"a payload begins with a version, here are {len(payload)} bytes")
    if layout is None:
        raise Malformed("the payload is of no version that is known (2.1, 2.2, 2.3)")
    return layout
