"""What the ATOP calls carry: names and versions of the calls, requests and results as records.

Names on the wire are camelCase, times are Unix seconds. `t` is when a request was written; some
firmware leaves it out over MQTT, where the call itself has one. The calls about children are in
`atop_children`, about firmware in `atop_upgrade`, of the oldest generation in `atop_old`;
`atop_calls` is the table of all. Sources: tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/atop_service.c, src/matop_service.c, src/tuya_iot.c, and include/tuya_iot.h for the lengths of
fields; tuya/TuyaOpen, src/tuya_cloud_service/cloud/atop_service.c.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, NamedTuple, TypeVar

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.wire.structs import Secretive, decode_json, encode_json

RECORD_SIZE_MAX = 512
"""Firmware re-reads its activation record into a buffer of this size, in bytes; with a longer one
it goes from activation into reset for ever."""

CHILDREN_MAX = 1024
"""How many children one call or message may list."""

PROTOCOL_VERSION = "2.2"
BASELINE_VERSION = "40.07"
OPTIONS = '{"isFK":false}'
"""What the activation of firmware without a key of its own has as `options`, a JSON text."""

_ATTRIBUTE_OTA = 1 << 11


class Api(NamedTuple):
    """Name and version of a call."""

    name: str
    version: str


ACTIVE = Api("tuya.device.active", "4.4")
OPENSDK_ACTIVE = Api("thing.device.opensdk.active", "1.0")
RESET = Api("tuya.device.reset", "4.0")
INFO_SYNC = Api("tuya.device.info.sync", "1.0")
VERSIONS_UPDATE = Api("tuya.device.versions.update", "4.1")
UPGRADE_SILENT_GET = Api("tuya.device.upgrade.silent.get", "4.4")
UPGRADE_STATUS_UPDATE = Api("tuya.device.upgrade.status.update", "4.1")
DYNAMIC_CONFIG_GET = Api("tuya.device.dynamic.config.get", "2.0")
DYNAMIC_CONFIG_ACK = Api("tuya.device.dynamic.config.ack", "2.0")
DP_GET = Api("tuya.device.dev.dp.get", "2.0")
DP_REPORT = Api("tuya.device.dp.report", "4.0")
META_SAVE = Api("tuya.device.meta.save", "1.0")
NODE_ENABLE = Api("tuya.device.comm.node.enable", "1.0")
NODE_DISABLE = Api("tuya.device.comm.node.disable", "1.0")
DEBUG_LOG = Api("atop.online.debug.log", "")
EXIST = Api("tuya.device.exist", "4.0")
DELETE_STATUS_GET = Api("tuya.device.delete.status.get", "1.0")
CONFIG_GET = Api("tuya.device.config.get", "4.2")
TIMER_COUNT = Api("tuya.device.timer.count", "4.0")
TIMER_GET = Api("tuya.device.timer.get", "4.0")
TIME_GET = Api("tuya.p.time.get", "1.0")

GATEWAY_NOT_EXISTS = "GATEWAY_NOT_EXISTS"
"""The one error code that firmware knows: while activating, drop the token and wait again."""

TimeZone = Annotated[str, msgspec.Meta(max_length=6)]
Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]
Text16 = Annotated[str, msgspec.Meta(max_length=16)]
Text25 = Annotated[str, msgspec.Meta(max_length=25)]
Id25 = Annotated[str, msgspec.Meta(min_length=1, max_length=25, pattern="^[0-9A-Za-z_-]*\\Z")]
NodeId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[!-~]*\\Z")]
NodeIds = Annotated[tuple[NodeId, ...], msgspec.Meta(max_length=CHILDREN_MAX)]
Key16 = Annotated[str, msgspec.Meta(min_length=16, max_length=16, pattern="^[!-~]*\\Z")]


class Message(Secretive, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Base of everything a call carries."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset()


class ActivationRequest(Message, frozen=True, kw_only=True):
    """A device asks to be activated; `dev_id` is the one it had before its last reset, if any.

    `product_key_str` is the key of a firmware that serves several products. The oldest firmware
    has its `token` in the query (`atop_old.Other`), so it may be missing here.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: Text16 = ""
    soft_ver: str
    product_key: Text16
    protocol_ver: str
    baseline_ver: str = ""
    options: str = ""
    product_key_str: str | None = None
    dev_id: Text25 | None = None
    modules: str | None = None
    feature: str | None = None
    skill_param: str | None = None
    dev_attribute: int = 0
    cad_ver: str = ""
    cd_ver: str = ""
    t: int = 0


class ActivationRecord(Message, frozen=True, kw_only=True):
    """What a device keeps of an activation: identity, keys and time zone.

    `reset_factory` orders it to wipe its user data and stay online.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"sec_key", "local_key"})

    dev_id: Id25
    sec_key: Key16
    local_key: Key16
    schema_id: Text16
    std_time_zone: TimeZone
    reset_factory: bool = False


class ActivationResult(ActivationRecord, frozen=True, kw_only=True):
    """What the cloud grants: the record, and the schema of the data points as JSON text."""

    schema: str

    def to_record(self) -> bytes:
        """Return the JSON that a device stores: everything but the schema, which it keeps apart.

        Raises UsageError for a field that firmware could not store. Legal fields keep the record
        within `RECORD_SIZE_MAX`.
        """
        try:
            record = msgspec.convert(self, ActivationRecord, from_attributes=True)
        except msgspec.ValidationError as error:
            raise UsageError(f"activation result: {error}") from error
        return encode_json(record)


class SyncStatus(StrEnum):
    """What the cloud thinks of a device that it refuses at CONNECT."""

    ENABLE = "enable"
    RESET = "reset"
    RESET_FACTORY = "reset_factory"


class SyncResult(Message, frozen=True, kw_only=True):
    """Answer to `INFO_SYNC`."""

    status: SyncStatus


class StampRequest(Message, frozen=True, kw_only=True):
    """A call that carries nothing but its time."""

    t: int = 0


class ChannelVersion(Message, frozen=True, kw_only=True):
    """Version of one firmware component; channel 0 is the main one."""

    ota_channel: int
    protocol_ver: str = ""
    baseline_ver: str = ""
    soft_ver: str


class VersionsUpdate(Message, frozen=True, kw_only=True):
    """A device reports its versions; `versions` is the text of `versions_text`."""

    versions: str
    t: int = 0


class UpgradeSilentGet(Message, frozen=True, kw_only=True):
    """A device asks once per boot whether there is a silent upgrade; null is a fine answer."""

    sub_id: str | None
    t: int = 0


class UpgradeStatusUpdate(Message, frozen=True, kw_only=True):
    """A device says how far the upgrade of a channel is: 2 under way, 3 finished, 4 failed.

    `cid` names a child of a gateway.
    """

    type: Octet
    upgrade_status: Octet
    cid: NodeId | None = None
    t: int = 0


class DpGet(Message, frozen=True, kw_only=True):
    """A device asks for the values of data points that the cloud holds for it."""

    dps: tuple[int, ...]
    t: int = 0


class DpReported(Message, frozen=True, kw_only=True):
    """A device reports values over HTTP; `dps_time` says since when (seconds) each has its value."""

    dps: msgspec.Raw
    dps_time: dict[str, int] | None = None
    dev_id: Text25 | None = None


class MetaSave(Message, frozen=True, kw_only=True):
    """A device leaves facts about itself, such as the number of its SIM card."""

    metas: dict[str, str]
    t: int = 0


class DebugLog(Message, frozen=True, kw_only=True):
    """Why a device restarted: a number, and the registers of a processor that crashed.

    The fields of this call are the application's, so another one may leave both out.
    """

    data: int | None = None
    exp: str | None = None
    t: int = 0


class DynamicConfigGet(Message, frozen=True, kw_only=True):
    """A device asks for configurations; `type` is a JSON array of their names, as text.

    `encode_call` adds the NUL byte that firmware sends behind this one.
    """

    type: str
    t: int = 0


class DynamicConfig(Message, frozen=True, kw_only=True):
    """Configurations by name; ask again after `valid_time` seconds. `time` is Unix seconds."""

    valid_time: int
    time: int
    config: dict[str, msgspec.Raw]


class ConfigAck(Message, frozen=True, kw_only=True):
    """A device has taken over one configuration."""

    type: str
    ack_id: str | int


class DynamicConfigAck(Message, frozen=True, kw_only=True):
    """A device has taken over configurations."""

    ack_list: tuple[ConfigAck, ...]
    t: int = 0


class ExistResult(Message, frozen=True, kw_only=True):
    """Answer to `EXIST`, by which earlier firmware learns whether it still is bound."""

    exist: bool


class ConfigGet(Message, frozen=True, kw_only=True):
    """Earlier firmware asks, with its uuid, where the cloud of a token is."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: Text16
    region: str = ""
    t: int = 0


class ConfigResult(Message, frozen=True, kw_only=True):
    """Answer to `ConfigGet`."""

    api_url: str
    mqtt_url: str
    time_zone: TimeZone


class TimerCount(Message, frozen=True, kw_only=True):
    """A device asks how many timers it has, and when (seconds) they changed last."""

    dev_id: Text25 | None = None
    last_fetch_time: int = 0
    t: int = 0


class TimerCountResult(Message, frozen=True, kw_only=True):
    """Answer to `TimerCount`."""

    dev_id: Text25
    count: int
    last_fetch_time: int


class TimerGet(Message, frozen=True, kw_only=True):
    """A device asks for its timers, `limit` of them from `offset` on."""

    dev_id: Text25 | None = None
    offset: int = 0
    limit: int = 0
    t: int = 0


class TimerResult(Message, frozen=True, kw_only=True):
    """Answer to `TimerGet`; a timer is as JSON."""

    dev_id: Text25
    timers: tuple[msgspec.Raw, ...]


Carried = TypeVar("Carried", bound=Message)


def encode(message: Message) -> bytes:
    """Return the JSON of a request or a result."""
    return encode_json(message)


def decode(data: bytes | msgspec.Raw, kind: type[Carried]) -> Carried:
    """Return the message of class `kind` in JSON; raise Malformed. Unknown keys are ignored."""
    return decode_json(kind, data)


def encode_call(api: Api, message: Message) -> bytes:
    """Return the data of a call over HTTP as firmware writes it, to the odd byte.

    Source: tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_service.c, which counts the end of
    the text into the length of one call.
    """
    return encode(message) + (b"\x00" if api.name == DYNAMIC_CONFIG_GET.name else b"")


def activation_request(
    token: str,
    product_key: str,
    soft_ver: str,
    t_s: int,
    dev_id: str | None = None,
    *,
    protocol_ver: str = PROTOCOL_VERSION,
    options: str = OPTIONS,
) -> ActivationRequest:
    """Return the request that firmware without optional modules makes; `token` has 8 characters.

    `protocol_ver` and `options` are those of its generation.
    """
    return ActivationRequest(
        token=token,
        soft_ver=soft_ver,
        product_key=product_key,
        protocol_ver=protocol_ver,
        baseline_ver=BASELINE_VERSION,
        options=options,
        dev_id=dev_id or None,
        dev_attribute=_ATTRIBUTE_OTA,
        cad_ver="1.0.3",
        cd_ver="1.0.0",
        t=t_s,
    )


def check_record(result: ActivationResult) -> None:
    """Raise UsageError when firmware could not store `result`.

    It copies the fields into fixed buffers unchecked: a longer one corrupts its memory.
    """
    result.to_record()


def versions_text(channels: tuple[ChannelVersion, ...]) -> str:
    """Return the text of `VersionsUpdate.versions`."""
    return encode_json(channels).decode()


def parse_versions(text: str) -> tuple[ChannelVersion, ...]:
    """Return the versions in `VersionsUpdate.versions`; raise Malformed."""
    return decode_json(tuple[ChannelVersion, ...], text.encode())
