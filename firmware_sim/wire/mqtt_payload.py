"""What travels in the MQTT messages between device and cloud: numbers, data, topics, names.

How a message is wrapped, is in `mqtt_frame`. Sources: tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/mqtt_service.c, src/tuya_iot.c and include/mqtt_service.h (numbers and what they are called).
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Annotated, ClassVar, TypeVar

import msgspec

from firmware_sim.wire import mqtt_frame
from firmware_sim.wire.atop_messages import NodeId, NodeIds, Octet
from firmware_sim.wire.ciphers import short_md5
from firmware_sim.wire.mqtt_frame import (
    SIZE_MAX,
    SOURCE_CLOUD,
    SOURCE_DEVICE,
    SOURCE_DEVICE_23,
    PayloadVersion,
    encode,
    version_of,
)
from firmware_sim.wire.provisioning import INNER_SIZE, REGION_SIZE, SECRET_SIZE, TokenParts
from firmware_sim.wire.structs import Secretive, decode_json, encode_json

__all__ = [
    "SIZE_MAX",
    "SOURCE_CLOUD",
    "SOURCE_DEVICE",
    "SOURCE_DEVICE_23",
    "ChildReset",
    "ChildrenPresence",
    "CommandAck",
    "ConfigNotice",
    "DpCommand",
    "DpQuery",
    "DpReport",
    "Message",
    "PayloadVersion",
    "Protocol",
    "ResetData",
    "ResetType",
    "TokenData",
    "UpgradeNotice",
    "UpgradeProgress",
    "client_id_unpaired",
    "data_of",
    "decode",
    "encode",
    "encode_child_reset",
    "encode_children_presence",
    "encode_command_ack",
    "encode_config_notice",
    "encode_dp_command",
    "encode_dp_query",
    "encode_dp_report",
    "encode_reset",
    "encode_token",
    "encode_upgrade_notice",
    "encode_upgrade_progress",
    "mqtt_password",
    "reset_type",
    "topic_activation",
    "topic_in",
    "topic_out",
    "topic_rpc_file",
    "topic_rpc_request",
    "topic_rpc_response",
    "version_of",
]

Percent = Annotated[str, msgspec.Meta(pattern="^(100|[0-9]{1,2})\\Z")]


class Protocol(IntEnum):
    """What a message is about; the numbers that this project sends or answers."""

    DP_REPORT = 4
    DP_COMMAND = 5
    CHILD_RESET = 8
    RESET = 11
    UPGRADE_NOTICE = 15
    UPGRADE_PROGRESS = 16
    CHILDREN_PRESENCE = 25
    COMMAND_ACK = 26
    CONFIG_NOTICE = 27
    DP_QUERY = 31
    ACTIVATION_TOKEN = 46


class ResetType(StrEnum):
    """The `type` of a reset message. Firmware takes every text but the second for the first."""

    NORMAL = "reset"
    FACTORY = "reset_factory"


class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A decrypted message; `t` in seconds, `data` still JSON, `type` only in resets (8, 11)."""

    protocol: int
    t: int
    data: msgspec.Raw
    type: str | None = None


class ResetData(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Data of protocol 11, cloud to device: unbind yourself."""

    gw_id: str


class DpReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Data of protocol 4, device to cloud; `dps` is the JSON of `datapoint.encode_dps`.

    `cid` names the child of a gateway whose values they are.
    """

    dev_id: str
    dps: msgspec.Raw
    cid: NodeId | None = None


class DpCommand(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Data of protocol 5, cloud to device; `dps` is the JSON of `datapoint.encode_dps`.

    `cid` names the child of a gateway that is meant.
    """

    dps: msgspec.Raw
    cid: NodeId | None = None


class DpQuery(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Data of protocol 31, cloud to device: report all values, of the child `cid` if it is named."""

    cid: NodeId | None = None


class ChildReset(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Data of protocol 8, cloud to gateway: remove the child `cid`.

    The message has a `type` like that of a reset: the factory kind also wipes the child.
    """

    gw_id: str
    cid: NodeId


class UpgradeNotice(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Data of protocol 15, cloud to device: ask what there is to upgrade to.

    Without `firmware_type` it is channel 0, and some clouds name the device instead.
    """

    firmware_type: Octet | None = None
    gw_id: str | None = None
    cid: NodeId | None = None


class ConfigNotice(msgspec.Struct, frozen=True, gc=False):
    """Data of protocol 27, cloud to device: ask for your configuration; what it holds is unknown."""


class UpgradeProgress(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Data of protocol 16, device to cloud: how much of a firmware has been loaded, as text."""

    progress: Percent
    firmware_type: Octet
    cid: NodeId | None = None

    @property
    def percent(self) -> int:
        """Return the progress as a number, 0 to 100."""
        return int(self.progress)


class ChildrenPresence(msgspec.Struct, frozen=True, gc=False):
    """Data of protocol 25, gateway to cloud: which children came into reach, and which left it."""

    online: NodeIds = ()
    offline: NodeIds = ()


class CommandAck(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Data of protocol 26, device to cloud: the message that carried `ack_id` was received."""

    ack_id: Annotated[str, msgspec.Meta(max_length=64)]


class TokenData(Secretive, frozen=True, gc=False):
    """Data of protocol 46, cloud to unactivated device: the token parts; `env` may be absent."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: Annotated[str, msgspec.Meta(max_length=INNER_SIZE)]
    region: Annotated[str, msgspec.Meta(max_length=REGION_SIZE)]
    env: Annotated[str, msgspec.Meta(max_length=SECRET_SIZE)] = "pro"


Data = TypeVar("Data", bound=msgspec.Struct)


def decode(key: bytes, payload: bytes, *, verify_crc: bool = True) -> Message:
    """Return the message in the payload of a publish, of whichever version it is.

    Firmware does not look at the CRC of version 2.2; `verify_crc=False` does the same. Raises a
    PeerError: Truncated, TooLarge, Malformed (also for another payload version), or BadChecksum for
    a wrong key.
    """
    return decode_json(Message, mqtt_frame.decode(key, payload, verify_crc=verify_crc))


def data_of(message: Message, kind: type[Data]) -> Data:
    """Return the data of `message` as `kind`; raise Malformed."""
    return decode_json(kind, message.data)


def reset_type(message: Message) -> ResetType:
    """Return which kind of reset a message of protocol 11 or 8 orders."""
    return ResetType.FACTORY if message.type == ResetType.FACTORY else ResetType.NORMAL


def encode_reset(dev_id: str, t_s: int, kind: str) -> bytes:
    """Return the JSON that unbinds a device; `kind` is a `ResetType`, written at the root."""
    return _message(Protocol.RESET, t_s, ResetData(dev_id), kind)


def encode_child_reset(gw_id: str, cid: str, t_s: int, kind: str) -> bytes:
    """Return the JSON that removes a child from a gateway; `kind` is a `ResetType`, at the root."""
    return _message(Protocol.CHILD_RESET, t_s, ChildReset(gw_id, cid), kind)


def encode_dp_report(dev_id: str, t_s: int, dps: bytes, cid: str | None = None) -> bytes:
    """Return the JSON by which a device or its child reports data points; `dps` is JSON."""
    return _message(Protocol.DP_REPORT, t_s, DpReport(dev_id, msgspec.Raw(dps), cid))


def encode_dp_command(t_s: int, dps: bytes, cid: str | None = None) -> bytes:
    """Return the JSON by which the cloud sets data points of a device or child; `dps` is JSON."""
    return _message(Protocol.DP_COMMAND, t_s, DpCommand(msgspec.Raw(dps), cid))


def encode_dp_query(t_s: int, cid: str | None = None) -> bytes:
    """Return the JSON by which the cloud asks for all values of a device or child."""
    return _message(Protocol.DP_QUERY, t_s, DpQuery(cid))


def encode_upgrade_notice(dev_id: str, t_s: int, channel: int = 0, cid: str | None = None) -> bytes:
    """Return the JSON that makes a device ask for an upgrade of `channel`."""
    return _message(Protocol.UPGRADE_NOTICE, t_s, UpgradeNotice(channel, dev_id, cid))


def encode_upgrade_progress(
    percent: int, t_s: int, channel: int = 0, cid: str | None = None
) -> bytes:
    """Return the JSON by which a device tells how much (0 to 100) it has loaded."""
    return _message(Protocol.UPGRADE_PROGRESS, t_s, UpgradeProgress(str(percent), channel, cid))


def encode_children_presence(
    t_s: int, online: Iterable[str] = (), offline: Iterable[str] = ()
) -> bytes:
    """Return the JSON by which a gateway tells which of its children came or went."""
    data = ChildrenPresence(tuple(online), tuple(offline))
    return _message(Protocol.CHILDREN_PRESENCE, t_s, data)


def encode_command_ack(ack_id: str, t_s: int) -> bytes:
    """Return the JSON by which a device acknowledges a message of the cloud."""
    return _message(Protocol.COMMAND_ACK, t_s, CommandAck(ack_id))


def encode_config_notice(t_s: int) -> bytes:
    """Return the JSON that makes a device ask for its configuration anew."""
    return _message(Protocol.CONFIG_NOTICE, t_s, ConfigNotice())


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
