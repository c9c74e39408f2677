"""The LAN frame of the 55AA family: discovery datagrams and the control port.

Layout, big-endian: 000055AA, sequence, command, length (all that follows), return code (only from
a device), payload, CRC-32 of everything before it, 0000AA55. Sources: jasonacox/tinytuya,
tinytuya/core/message_helper.py; tuya/tuya-iotos-embeded-sdk-wifi-ble-bk7231n,
sdk/include/lan_protocol.h (command numbers). May import errors and other wire modules only.
"""

import struct
from enum import IntEnum
from zlib import crc32

import msgspec

from firmware_sim.errors import BadChecksum, Malformed, TooLarge, Truncated, UsageError
from firmware_sim.wire.stream import StreamDecoder

PREFIX = b"\x00\x00\x55\xaa"
SIZE_MAX = 4096
"""The longest frame that the vendor's firmware builds or takes."""

_SUFFIX = b"\x00\x00\xaa\x55"
_HEAD = struct.Struct(">4sIII")
_WORD = struct.Struct(">I")
_TAIL = struct.Struct(">I4s")
_LENGTH = struct.Struct(">I")
_LENGTH_AT = 12
_CODE_MAX = 0xFF  # clients take a word with higher bits for payload, not for a return code


class Command(IntEnum):
    """What a frame is about; the numbers that this project sends or answers."""

    UDP_PLAIN = 0x00
    HEART_BEAT = 0x09
    TOKEN_BIND = 0x0C
    UDP_ENCRYPTED = 0x13
    UDP_ENCRYPTED_34 = 0x23


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


def encode(frame: Frame) -> bytes:
    """Return the bytes of `frame`; raise UsageError when a field does not fit the format."""
    code = frame.return_code
    if code is not None and not 0 <= code <= _CODE_MAX:
        raise UsageError(f"return code {code} is outside 0..{_CODE_MAX}")
    body = frame.payload if code is None else _WORD.pack(code) + frame.payload
    if len(body) > SIZE_MAX - _HEAD.size - _TAIL.size:
        raise UsageError(f"a payload of {len(frame.payload)} bytes exceeds a frame of {SIZE_MAX}")
    try:
        head = _HEAD.pack(PREFIX, frame.sequence, frame.command, len(body) + _TAIL.size)
    except struct.error as error:
        raise UsageError(f"sequence or command of {frame!r} is outside 32 bits") from error
    data = head + body
    return data + _TAIL.pack(crc32(data), _SUFFIX)


def decode(data: bytes, *, from_device: bool) -> Frame:
    """Return the frame that `data` holds exactly.

    `from_device` says that a return code is present. Raises Truncated, TooLarge, Malformed or
    BadChecksum.
    """
    if len(data) < _HEAD.size:
        raise Truncated(f"a frame head has {_HEAD.size} bytes, here are {len(data)}")
    size = _measure(data, 0, SIZE_MAX)
    if len(data) < size:
        raise Truncated(f"the frame announces {size} bytes, here are {len(data)}")
    if len(data) > size:
        raise Malformed(f"{len(data) - size} bytes follow the frame")
    return _parse(data, 0, size, from_device=from_device)


class FrameDecoder(StreamDecoder[Frame]):
    """Cuts the TCP stream of the control port into frames."""

    __slots__ = ("_from_device",)

    def __init__(self, *, from_device: bool, size_max: int = SIZE_MAX) -> None:
        """Read what a device sends (`from_device`) or what a client sends to it."""
        super().__init__(size_max)
        self._from_device = from_device

    def _measure(self, data: bytes, start: int) -> int:
        if len(data) - start < _HEAD.size:
            return _HEAD.size
        return _measure(data, start, self.size_max)

    def _parse(self, data: bytes, start: int, stop: int) -> Frame:
        return _parse(data, start, stop, from_device=self._from_device)


def _measure(data: bytes, start: int, size_max: int) -> int:
    """Return the size of the frame whose head is complete at `start`."""
    if not data.startswith(PREFIX, start):
        raise Malformed("a frame does not begin with 000055AA")
    (length,) = _LENGTH.unpack_from(data, start + _LENGTH_AT)
    size = _HEAD.size + int(length)
    if size > size_max:
        raise TooLarge(f"a frame of {size} bytes; the limit is {size_max}")
    return size


def _parse(data: bytes, start: int, stop: int, *, from_device: bool) -> Frame:
    body, tail = start + _HEAD.size, stop - _TAIL.size
    if tail - body < (_WORD.size if from_device else 0):
        raise Malformed("the frame is too short for its parts")
    checksum, suffix = _TAIL.unpack_from(data, tail)
    if suffix != _SUFFIX:
        raise Malformed("a frame does not end with 0000AA55")
    if checksum != crc32(data[start:tail]):
        raise BadChecksum("the CRC of a frame does not fit")
    _, sequence, command, _ = _HEAD.unpack_from(data, start)
    code = None
    if from_device:
        (code,) = _WORD.unpack_from(data, body)
        body += _WORD.size
    return Frame(sequence, command, data[body:tail], code)
