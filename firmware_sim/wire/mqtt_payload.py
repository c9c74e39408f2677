"""What travels in the MQTT messages between device and cloud: payload version 2.2, topics, names.

Layout: "2.2", CRC-32 of the rest, sequence, source (4 bytes each), AES-128-ECB of a JSON text.
Source: tuya/tuya-connect-kit-for-mqtt-embedded-c, src/mqtt_service.c and include/mqtt_service.h.
"""

import struct
from enum import IntEnum, StrEnum
from typing import Annotated, ClassVar, TypeVar
from zlib import crc32

import msgspec

from firmware_sim.errors import BadChecksum, Malformed, TooLarge, Truncated, UsageError
from firmware_sim.wire.ciphers import ecb_decrypt, ecb_encrypt, short_md5
from firmware_sim.wire.provisioning import INNER_SIZE, REGION_SIZE, SECRET_SIZE, TokenParts
from firmware_sim.wire.structs import Secretive, decode_json, encode_json

VERSION = b"2.2"
SIZE_MAX = 65536

SOURCE_CLOUD = bytes(4)
SOURCE_DEVICE = b"\x01\x00\x00\x00"
"""Firmware writes the number 1 in its own byte order, so take the four bytes as opaque."""

_HEAD = struct.Struct(">3sII4s")
_CRC = struct.Struct(">I")
_CRC_AT, _COVERED_AT = 3, 7
_WORD_MASK = 0xFFFFFFFF


class Protocol(IntEnum):
    """What a message is about; the numbers that this project sends or answers."""

    DP_REPORT = 4
    DP_COMMAND = 5
    RESET = 11
    DP_QUERY = 31
    ACTIVATION_TOKEN = 46


class ResetType(StrEnum):
    """The `type` of a reset message. Firmware takes every text but the second for the first."""

    NORMAL = "reset"
    FACTORY = "reset_factory"


class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A decrypted message; `t` in seconds, `data` still JSON, `type` only in resets."""

    protocol: int
    t: int
    data: msgspec.Raw
    type: str | None = None


class ResetData(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Data of protocol 11, cloud to device: unbind yourself."""

    gw_id: str


class DpReport(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Data of protocol 4, device to cloud; `dps` is the JSON of `datapoint.encode_dps`."""

    dev_id: str
    dps: msgspec.Raw


class DpCommand(msgspec.Struct, frozen=True, gc=False):
    """Data of protocol 5, cloud to device; `dps` is the JSON of `datapoint.encode_dps`."""

    dps: msgspec.Raw


class TokenData(Secretive, frozen=True, gc=False):
    """Data of protocol 46, cloud to unactivated device: the token parts; `env` may be absent."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: Annotated[str, msgspec.Meta(max_length=INNER_SIZE)]
    region: Annotated[str, msgspec.Meta(max_length=REGION_SIZE)]
    env: Annotated[str, msgspec.Meta(max_length=SECRET_SIZE)] = "pro"


Data = TypeVar("Data", ResetData, DpReport, DpCommand, TokenData)


def encode(key: bytes, message_json: bytes, sequence: int, source: bytes) -> bytes:
    """Return the payload of a publish; `key` has 16 bytes, `source` 4, `sequence` wraps at 2**32.

    Raises UsageError for another size of key or source.
    """
    if len(source) != len(SOURCE_CLOUD):
        raise UsageError(f"the source of a payload has 4 bytes, this one has {len(source)}")
    covered = (sequence & _WORD_MASK).to_bytes(4, "big") + source + ecb_encrypt(key, message_json)
    return VERSION + _CRC.pack(crc32(covered)) + covered


def decode(key: bytes, payload: bytes, *, verify_crc: bool = True) -> Message:
    """Return the message in the payload of a publish.

    Firmware does not look at the CRC; `verify_crc=False` does the same. Raises a PeerError:
    Truncated, TooLarge, Malformed (also for another payload version), or BadChecksum for a wrong
    key.
    """
    if len(payload) > SIZE_MAX:
        raise TooLarge(f"a payload of {len(payload)} bytes; the limit is {SIZE_MAX}")
    if len(payload) < _HEAD.size:
        raise Truncated(f"a payload head has {_HEAD.size} bytes, here are {len(payload)}")
    if not payload.startswith(VERSION):
        raise Malformed("the payload is not of version 2.2")
    if verify_crc and _CRC.unpack_from(payload, _CRC_AT)[0] != crc32(payload[_COVERED_AT:]):
        raise BadChecksum("the CRC of a payload does not fit")
    return decode_json(Message, ecb_decrypt(key, payload[_HEAD.size :]))


def data_of(message: Message, kind: type[Data]) -> Data:
    """Return the data of `message` as `kind`; raise Malformed."""
    return decode_json(kind, message.data)


def reset_type(message: Message) -> ResetType:
    """Return which kind of reset a message of protocol 11 orders."""
    return ResetType.FACTORY if message.type == ResetType.FACTORY else ResetType.NORMAL


def encode_reset(dev_id: str, t_s: int, kind: str) -> bytes:
    """Return the JSON that unbinds a device; `kind` is a `ResetType`, written at the root."""
    return _message(Protocol.RESET, t_s, ResetData(dev_id), kind)


def encode_dp_report(dev_id: str, t_s: int, dps: bytes) -> bytes:
    """Return the JSON by which a device reports data points; `dps` is JSON."""
    return _message(Protocol.DP_REPORT, t_s, DpReport(dev_id, msgspec.Raw(dps)))


def encode_dp_command(t_s: int, dps: bytes) -> bytes:
    """Return the JSON by which the cloud sets data points; `dps` is JSON."""
    return _message(Protocol.DP_COMMAND, t_s, DpCommand(msgspec.Raw(dps)))


def encode_token(token: TokenParts, t_s: int) -> bytes:
    """Return the JSON that hands a token to a device waiting on its activation topic."""
    data = TokenData(token.token, token.region, token.secret)
    return _message(Protocol.ACTIVATION_TOKEN, t_s, data)


def _message(protocol: Protocol, t_s: int, data: msgspec.Struct, kind: str | None = None) -> bytes:
    return encode_json(Message(protocol, t_s, msgspec.Raw(encode_json(data)), kind))


# --- names --------------------------------------------------------------------------------------


def topic_in(dev_id: str) -> str:
    """Return the topic on which an activated device listens."""
    return f"smart/device/in/{dev_id}"


def topic_out(dev_id: str) -> str:
    """Return the topic on which an activated device speaks."""
    return f"smart/device/out/{dev_id}"


def topic_activation(uuid: str) -> str:
    """Return the topic on which an unactivated device waits for its token."""
    return f"d/ai/{uuid}"


def topic_rpc_request(dev_id: str) -> str:
    """Return the topic of a device's calls over MQTT."""
    return f"rpc/req/{dev_id}"


def topic_rpc_response(dev_id: str) -> str:
    """Return the topic of the answers to those calls."""
    return f"rpc/rsp/{dev_id}"


def topic_rpc_file(dev_id: str) -> str:
    """Return the topic of file pieces sent to a device."""
    return f"rpc/file/{dev_id}"


def client_id_unpaired(uuid: str) -> str:
    """Return client id and username of a device that is not activated (afterwards: the devId)."""
    return f"acon_{uuid}"


def mqtt_password(key_text: str) -> str:
    """Return the MQTT password made from the authKey (not activated) or the secKey."""
    return short_md5(key_text)
