"""What each LAN version does with a body: encryption, check value, and the 15-byte header.

A body is JSON, or the raw bytes of a negotiation. `seal` makes a frame of it; `unframe` and then
`reveal` bring it back, in two steps because some frames are answered unread. Sources:
jasonacox/tinytuya, tinytuya/core/XenonDevice.py; codetheweb/tuyapi, lib/message-parser.js and
lib/cipher.js; tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c (the device's header).
"""

import struct
from base64 import b64decode, b64encode

from firmware_sim.errors import BadChecksum, Malformed
from firmware_sim.wire import lan_frame, lan_frame_gcm
from firmware_sim.wire.ciphers import BLOCK_SIZE, ecb_decrypt, ecb_encrypt, md5_hex
from firmware_sim.wire.lan_frame import Command, Frame, RawFrame
from firmware_sim.wire.lan_version import LanVersion

_HEADER = struct.Struct(">3sIII")  # version, CRC (zero on the LAN), sequence, source
_SOURCE_DEVICE = 1
_VERSIONS = {version: version.value.encode() for version in LanVersion}
_VERSION_TEXTS = frozenset(_VERSIONS.values())
_CLIENT_HEADERS = {text: _HEADER.pack(text, 0, 0, 0) for text in _VERSION_TEXTS}

_NEGOTIATION = frozenset({Command.SESSION_START, Command.SESSION_RESPONSE, Command.SESSION_FINISH})
_BARE = _NEGOTIATION | {  # what a client sends without a header
    Command.HEART_BEAT,
    Command.DP_QUERY,
    Command.DP_QUERY_NEW,
    Command.DP_REFRESH,
    Command.EXT_STREAM,
}

_TEXT_31 = b"3.1"
_DIGEST_31 = slice(3, 19)


def unframe(raw: RawFrame, version: LanVersion, key: bytes, *, from_device: bool) -> Frame:
    """Return what `raw` says to a peer that speaks `version`; its payload is still to be revealed.

    `key` is the local key, or the session key once there is one (16 bytes; 3.1 to 3.3 do not use
    it here). Raises Malformed for the wrong family and BadChecksum when CRC, HMAC or tag are wrong.
    """
    if version.sealed:
        return lan_frame_gcm.decode(raw, key, from_device=from_device)
    return lan_frame.decode(raw, from_device=from_device, key=key if version.negotiates else None)


def reveal(frame: Frame, version: LanVersion, key: bytes) -> bytes:
    """Return the body of a frame that came from `unframe`, without encryption and header.

    Clients differ in where they put a header, so it is taken off wherever one is; an empty payload
    is an empty body. Raises Malformed, or BadChecksum, which nearly always means a wrong key.
    """
    payload = frame.payload
    if not payload:
        return b""
    if version is LanVersion.V31:
        return _reveal_31(frame, key)
    if version.negotiates:
        plain = payload if version.sealed else ecb_decrypt(key, payload)
        if frame.command not in _NEGOTIATION and _has_header(plain):
            return plain[_HEADER.size :]
        return plain
    if len(payload) % BLOCK_SIZE == _HEADER.size and _has_header(payload):
        payload = payload[_HEADER.size :]
    return ecb_decrypt(key, payload)


def seal(
    message: Frame,
    version: LanVersion,
    key: bytes,
    *,
    nonce: bytes = b"",
    header_sequence: int = 0,
) -> bytes:
    """Return the wire form of `message`, whose payload is the plain body.

    A message with a return code is one from a device. `header_sequence` is the device's own
    counter, modulo 2**32, written where it puts a header. `nonce` has 12 bytes, new for each
    frame; only 3.5 needs one. Raises UsageError when key, nonce or a field do not fit.
    """
    payload = _payload(message, version, key, header_sequence)
    frame = Frame(message.sequence, message.command, payload, message.return_code)
    if version.sealed:
        return lan_frame_gcm.encode(frame, key, nonce)
    return lan_frame.encode(frame, key if version.negotiates else None)


def _payload(message: Frame, version: LanVersion, key: bytes, header_sequence: int) -> bytes:
    body = message.payload
    if not body and message.return_code is not None:
        return b""  # a device acknowledges with nothing at all, not even padding
    if version is LanVersion.V31:
        return _conceal_31(message, key)
    header = _header(message, _VERSIONS[version], header_sequence)
    if version.sealed:
        return header + body
    if version is LanVersion.V34:
        return ecb_encrypt(key, header + body)
    return header + ecb_encrypt(key, body)


def _header(message: Frame, text: bytes, sequence: int) -> bytes:
    if message.return_code is None:
        return b"" if message.command in _BARE else _CLIENT_HEADERS[text]
    if message.command != Command.STATUS:
        return b""
    return _HEADER.pack(text, 0, sequence & 0xFFFFFFFF, _SOURCE_DEVICE)


def _has_header(data: bytes) -> bool:
    return len(data) >= _HEADER.size and data[:3] in _VERSION_TEXTS


def _conceal_31(message: Frame, key: bytes) -> bytes:
    """Return the payload of version 3.1: text throughout, and encrypted for settings and pushes."""
    secret = Command.CONTROL if message.return_code is None else Command.STATUS
    if message.command != secret:
        return message.payload
    text = b64encode(ecb_encrypt(key, message.payload))
    return _TEXT_31 + _digest_31(text, key) + text


def _reveal_31(frame: Frame, key: bytes) -> bytes:
    payload = frame.payload
    if frame.command not in (Command.CONTROL, Command.STATUS) or payload[:3] != _TEXT_31:
        return payload
    text = payload[_DIGEST_31.stop :]
    if payload[_DIGEST_31] != _digest_31(text, key):
        raise BadChecksum("the digest of a 3.1 body does not fit: wrong key")
    try:
        return ecb_decrypt(key, b64decode(text, validate=True))
    except ValueError:
        raise Malformed("a 3.1 body is not base64") from None


def _digest_31(text: bytes, key: bytes) -> bytes:
    return md5_hex(b"data=" + text + b"||lpv=3.1||" + key)[8:24].encode()
