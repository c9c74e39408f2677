"""Frames of the family 6699, which LAN version 3.5 speaks: encrypted and authenticated as a whole.

Layout, big-endian: 00006699, two reserved bytes, sequence, command, length (nonce to tag), nonce
(12 bytes), AES-128-GCM ciphertext, tag (16), 00009966. The tag also covers the head behind the
magic. A device begins its plaintext with a return code. Sources: tuya/TuyaOpen,
src/tuya_cloud_service/protocol/tuya_protocol.c; jasonacox/tinytuya,
tinytuya/core/message_helper.py.
"""

from firmware_sim.errors import Malformed
from firmware_sim.wire.ciphers import NONCE_SIZE, TAG_SIZE, gcm_decrypt, gcm_encrypt
from firmware_sim.wire.lan_frame import CODE, FAMILY_6699, Frame, RawFrame, cut, pack

_COVERED_AT = len(FAMILY_6699.magic)
_NONCE_AT = FAMILY_6699.head.size
_CIPHERTEXT_AT = _NONCE_AT + NONCE_SIZE
_SUFFIX_SIZE = len(FAMILY_6699.suffix)


def encode(frame: Frame, key: bytes, nonce: bytes) -> bytes:
    """Return the bytes of `frame` under `key` (16 bytes); `nonce` has 12, new for each frame.

    Raises UsageError when key, nonce or a field do not fit the format.
    """
    head, body = pack(FAMILY_6699, frame, NONCE_SIZE + TAG_SIZE)
    return head + nonce + gcm_encrypt(key, nonce, body, head[_COVERED_AT:]) + FAMILY_6699.suffix


def decode(data: RawFrame | bytes, key: bytes, *, from_device: bool) -> Frame:
    """Return what a frame of the family 6699 says; bytes have to hold exactly one frame.

    `from_device` says that a return code begins the plaintext; the payload is what follows it.
    Raises Truncated, TooLarge, Malformed, or BadChecksum when the tag does not fit.
    """
    raw = data if isinstance(data, RawFrame) else cut(data)
    if not raw.sealed:
        raise Malformed("a frame of the family 55AA where 6699 is spoken")
    bits = raw.data
    covered, nonce = bits[_COVERED_AT:_NONCE_AT], bits[_NONCE_AT:_CIPHERTEXT_AT]
    plain = gcm_decrypt(key, nonce, bits[_CIPHERTEXT_AT:-_SUFFIX_SIZE], covered)
    if not from_device:
        return Frame(raw.sequence, raw.command, plain)
    if len(plain) < CODE.size:
        raise Malformed("a frame from a device holds no return code")
    (code,) = CODE.unpack_from(plain)
    return Frame(raw.sequence, raw.command, plain[CODE.size :], code)
