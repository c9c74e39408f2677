"""What the ATOP calls carry: names and versions of the calls, requests and results as records.

Names on the wire are camelCase, times are Unix seconds. Source: tuya/tuya-connect-kit-for-mqtt-
embedded-c, src/atop_service.c, src/matop_service.c, src/tuya_iot.c; field lengths from
include/tuya_iot.h.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, NamedTuple, TypeVar

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.wire.structs import Secretive, decode_json, encode_json

RECORD_SIZE_MAX = 512
"""Firmware re-reads its activation record into a buffer of this size, in bytes; with a longer one
it goes from activation into reset for ever."""

PROTOCOL_VERSION = "2.2"
BASELINE_VERSION = "40.07"
_ATTRIBUTE_OTA = 1 << 11


class Api(NamedTuple):
    """Name and version of a call."""

    name: str
    version: str


ACTIVE = Api("tuya.device.active", "4.4")
RESET = Api("tuya.device.reset", "4.0")
INFO_SYNC = Api("tuya.device.info.sync", "1.0")
VERSIONS_UPDATE = Api("tuya.device.versions.update", "4.1")
UPGRADE_SILENT_GET = Api("tuya.device.upgrade.silent.get", "4.4")
UPGRADE_STATUS_UPDATE = Api("tuya.device.upgrade.status.update", "4.1")
DYNAMIC_CONFIG_GET = Api("tuya.device.dynamic.config.get", "2.0")
DP_GET = Api("tuya.device.dev.dp.get", "2.0")

GATEWAY_NOT_EXISTS = "GATEWAY_NOT_EXISTS"
"""The one error code that firmware knows: while activating, drop the token and wait again."""

TimeZone = Annotated[str, msgspec.Meta(max_length=6)]
Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]
Text16 = Annotated[str, msgspec.Meta(max_length=16)]
Text25 = Annotated[str, msgspec.Meta(max_length=25)]
Id25 = Annotated[str, msgspec.Meta(min_length=1, max_length=25, pattern="^[0-9A-Za-z_-]*\\Z")]
Key16 = Annotated[str, msgspec.Meta(min_length=16, max_length=16, pattern="^[!-~]*\\Z")]


class Message(Secretive, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Base of everything a call carries."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset()


class ActivationRequest(Message, frozen=True, kw_only=True):
    """A device asks to be activated; `dev_id` is the one it had before its last reset, if any."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: Text16
    soft_ver: str
    product_key: Text16
    protocol_ver: str
    baseline_ver: str
    options: str
    dev_id: Text25 | None = None
    modules: str | None = None
    feature: str | None = None
    skill_param: str | None = None
    dev_attribute: int
    cad_ver: str
    cd_ver: str
    t: int


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
    """A call that carries nothing but its time: `RESET` and `INFO_SYNC`."""

    t: int


class ChannelVersion(Message, frozen=True, kw_only=True):
    """Version of one firmware component; channel 0 is the main one."""

    ota_channel: int
    protocol_ver: str
    baseline_ver: str
    soft_ver: str


class VersionsUpdate(Message, frozen=True, kw_only=True):
    """A device reports its versions; `versions` is the text of `versions_text`."""

    versions: str
    t: int


class UpgradeSilentGet(Message, frozen=True, kw_only=True):
    """A device asks once per boot whether there is a silent upgrade; null is a fine answer."""

    sub_id: str | None
    t: int


class UpgradeStatusUpdate(Message, frozen=True, kw_only=True):
    """A device says how far the upgrade of a channel is: 2 under way, 3 finished, 4 failed."""

    type: Octet
    upgrade_status: Octet
    t: int


class DpGet(Message, frozen=True, kw_only=True):
    """A device asks for the values of data points that the cloud holds for it."""

    dps: tuple[int, ...]
    t: int


Carried = TypeVar("Carried", bound=Message)


def encode(message: Message) -> bytes:
    """Return the JSON of a request or a result."""
    return encode_json(message)


def decode(data: bytes | msgspec.Raw, kind: type[Carried]) -> Carried:
    """Return the message of class `kind` in JSON; raise Malformed. Unknown keys are ignored."""
    return decode_json(kind, data)


def activation_request(
    token: str, product_key: str, soft_ver: str, t_s: int, dev_id: str | None = None
) -> ActivationRequest:
    """Return the request that firmware without optional modules makes; `token` has 8 characters."""
    return ActivationRequest(
        token=token,
        soft_ver=soft_ver,
        product_key=product_key,
        protocol_ver=PROTOCOL_VERSION,
        baseline_ver=BASELINE_VERSION,
        options='{"isFK":false}',
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
