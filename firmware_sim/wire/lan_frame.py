"""Frames on the LAN: the family 55AA, and the cutting of streams in which both families may come.

Family 55AA, big-endian: 000055AA, sequence, command, length (all that follows), return code (only
from a device), payload, CRC-32 or HMAC-SHA256 of everything before it, 0000AA55. The other one,
6699, is in `lan_frame_gcm`. Sources: jasonacox/tinytuya, tinytuya/core/message_helper.py;
tuya/tuya-iotos-embeded-sdk-wifi-ble-bk7231n, sdk/include/lan_protocol.h (command numbers).
"""

import struct
from enum import IntEnum
from hmac import compare_digest
from typing import NamedTuple
from zlib import crc32

import msgspec

from firmware_sim.errors import BadChecksum, Malformed, TooLarge, Truncated, UsageError
from firmware_sim.wire.ciphers import hmac_sha256
from firmware_sim.wire.stream import StreamDecoder

SIZE_MAX = 4096
"""The longest frame that the vendor's firmware builds or takes."""

CODE = struct.Struct(">I")
_CODE_MAX = 0xFF  # clients take a word with higher bits for payload, not for a return code
_CRC_SIZE, _HMAC_SIZE = 4, 32


class Command(IntEnum):
    """What a frame is about; the numbers that this project sends or answers."""

    UDP_PLAIN = 0x00
    SESSION_START = 0x03
    SESSION_RESPONSE = 0x04
    SESSION_FINISH = 0x05
    CONTROL = 0x07
    STATUS = 0x08
    HEART_BEAT = 0x09
    DP_QUERY = 0x0A
    TOKEN_BIND = 0x0C
    CONTROL_NEW = 0x0D
    DP_QUERY_NEW = 0x10
    DP_REFRESH = 0x12
    UDP_ENCRYPTED = 0x13
    LAN_RESET = 0x1D
    UDP_ENCRYPTED_34 = 0x23
    SOLICITATION = 0x25
    EXT_STREAM = 0x40
    GATEWAY_UNBOUND = 0xE3
    GATEWAY_RESET = 0xF9


class Family(NamedTuple):
    """What one of the two kinds of frames looks like from outside.

    `head` unpacks to magic, sequence, command and length; `uncounted` bytes at the end of the
    frame are not part of its length; a frame has at least `size_min` bytes.
    """

    magic: bytes
    head: struct.Struct
    suffix: bytes
    uncounted: int
    size_min: int


FAMILY_55AA = Family(
    b"\x00\x00\x55\xaa", struct.Struct(">4sIII"), b"\x00\x00\xaa\x55", uncounted=0, size_min=24
)
FAMILY_6699 = Family(
    b"\x00\x00\x66\x99", struct.Struct(">4s2xIII"), b"\x00\x00\x99\x66", uncounted=4, size_min=50
)
_FAMILIES = {family.magic: family for family in (FAMILY_55AA, FAMILY_6699)}
_BODY_AT = FAMILY_55AA.head.size
_SUFFIX_SIZE = 4


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame; `return_code` is None in frames towards a device."""

    sequence: int
    command: int
    payload: bytes
    return_code: int | None = None

    def __repr__(self) -> str:
        """Show the size of the payload only: a plain one may be a token."""
        return (
            f"Frame(sequence={self.sequence}, command={self.command:#x}, "
            f"payload of {len(self.payload)} bytes, return_code={self.return_code})"
        )


class RawFrame(msgspec.Struct, frozen=True, gc=False):
    """One whole frame as it came: begin, size and end are right, and nothing else is checked.

    `sealed` tells the family 6699 from 55AA; `data` is all of the frame. Until the frame is
    decoded, anybody may have written `sequence` and `command`.
    """

    sealed: bool
    sequence: int
    command: int
    data: bytes

    def __repr__(self) -> str:
        """Show the size of the frame only: a plain one may hold a token."""
        return (
            f"RawFrame(sealed={self.sealed}, sequence={self.sequence}, "
            f"command={self.command:#x}, {len(self.data)} bytes)"
        )


class FrameCutter(StreamDecoder[RawFrame]):
    """Cuts the TCP stream of the control port into frames, whichever family each is of.

    `feed` raises Malformed for what is no frame and TooLarge for one beyond `size_max` bytes.
    """

    __slots__ = ()

    def __init__(self, size_max: int = SIZE_MAX) -> None:
        """Start an empty stream of frames of at most `size_max` bytes."""
        super().__init__(size_max)

    def _measure(self, data: bytes, start: int) -> int:
        return _measure(data, start, self.size_max)

    def _parse(self, data: bytes, start: int, stop: int) -> RawFrame:
        return _cut(data[start:stop])


def cut(data: bytes) -> RawFrame:
    """Return the frame that `data` holds exactly: a datagram.

    Raises Truncated, Malformed or TooLarge.
    """
    size = _measure(data, 0, SIZE_MAX)
    if len(data) < size:
        raise Truncated(f"a frame of {size} bytes or more, here are {len(data)}")
    if len(data) > size:
        raise Malformed(f"{len(data) - size} bytes follow the frame")
    return _cut(data)


def encode(frame: Frame, key: bytes | None = None) -> bytes:
    """Return the bytes of `frame`, with a CRC, or with an HMAC when there is a `key`.

    Raises UsageError when a field does not fit the format.
    """
    check_size = _CRC_SIZE if key is None else _HMAC_SIZE
    head, body = pack(FAMILY_55AA, frame, check_size + _SUFFIX_SIZE)
    data = head + body
    check = crc32(data).to_bytes(_CRC_SIZE, "big") if key is None else hmac_sha256(key, data)
    return data + check + FAMILY_55AA.suffix


def decode(data: RawFrame | bytes, *, from_device: bool, key: bytes | None = None) -> Frame:
    """Return what a frame of the family 55AA says; bytes have to hold exactly one frame.

    `from_device` says that a return code is present, and `key` that an HMAC takes the place of the
    CRC. Raises Truncated, TooLarge, Malformed or BadChecksum.
    """
    raw = data if isinstance(data, RawFrame) else cut(data)
    if raw.sealed:
        raise Malformed("a frame of the family 6699 where 55AA is spoken")
    body, end = _BODY_AT, len(raw.data) - _SUFFIX_SIZE
    end -= _CRC_SIZE if key is None else _HMAC_SIZE
    if end - body < (CODE.size if from_device else 0):
        raise Malformed("the frame is too short for its parts")
    _verify(raw.data, end, key)
    code = None
    if from_device:
        (code,) = CODE.unpack_from(raw.data, body)
        body += CODE.size
    return Frame(raw.sequence, raw.command, raw.data[body:end], code)


def pack(family: Family, frame: Frame, extra: int) -> tuple[bytes, bytes]:
    """Return the head of `frame`, and its body: the return code, if there is one, and the payload.

    `extra` is what the length counts besides the body, in bytes. Raises UsageError when a field
    does not fit the format.
    """
    body, code = frame.payload, frame.return_code
    if code is not None:
        if not 0 <= code <= _CODE_MAX:
            raise UsageError(f"return code {code} is outside 0..{_CODE_MAX}")
        body = CODE.pack(code) + body
    length = len(body) + extra
    if family.head.size + length + family.uncounted > SIZE_MAX:
        raise UsageError(f"a payload of {len(frame.payload)} bytes exceeds a frame of {SIZE_MAX}")
    try:
        return family.head.pack(family.magic, frame.sequence, frame.command, length), body
    except struct.error as error:
        raise UsageError(f"sequence or command of {frame!r} is outside 32 bits") from error


def _verify(data: bytes, end: int, key: bytes | None) -> None:
    """Raise BadChecksum unless the check value that begins at `end` fits what is before it."""
    said = data[end:-_SUFFIX_SIZE]
    if key is None:
        if int.from_bytes(said, "big") != crc32(data[:end]):
            raise BadChecksum("the CRC of a frame does not fit")
    elif not compare_digest(said, hmac_sha256(key, data[:end])):
        raise BadChecksum("the HMAC of a frame does not fit: wrong key, or damage on the way")


def _measure(data: bytes, start: int, size_max: int) -> int:
    """Return the size of the frame at `start`, or of its head while that is not complete."""
    here = len(data) - start
    if here < FAMILY_55AA.head.size:  # the shorter head, and long enough to know the family
        return FAMILY_55AA.head.size
    family = _FAMILIES.get(data[start : start + 4])
    if family is None:
        raise Malformed("a frame begins with neither 000055AA nor 00006699")
    if here < family.head.size:
        return family.head.size
    length: int = family.head.unpack_from(data, start)[3]
    size = family.head.size + length + family.uncounted
    if size > size_max:
        raise TooLarge(f"a frame of {size} bytes; the limit is {size_max}")
    if size < family.size_min:
        raise Malformed(f"a frame of {size} bytes is too short for its parts")
    return size


def _cut(data: bytes) -> RawFrame:
    """Return the frame in `data`, whose size is known to be right."""
    family = _FAMILIES[data[:4]]
    if not data.endswith(family.suffix):
        raise Malformed("a frame does not end as its family does")
    _, sequence, command, _ = family.head.unpack_from(data)
    return RawFrame(family is FAMILY_6699, sequence, command, data)
