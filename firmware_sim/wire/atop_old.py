"""Calls of the oldest generation of firmware, on `/gw.json`: names, requests and results.

There `gwId` is the only identity, before activation as well as after it, and the token of an
activation is in the query, as JSON in `other`. Sources: ct-Open-Source/tuya-convert, scripts/
fake-registration-server.py, tests/test_registration.py (at 62992a7) and the logs in its issues 459,
542, 758, 919 and 1095; the vendor's tuya_httpc.c, copies of which are public.
"""

from typing import ClassVar

import msgspec

from firmware_sim.wire.atop_messages import (
    ActivationResult,
    Api,
    Message,
    NodeId,
    Octet,
    Text16,
    Text25,
    TimeZone,
)
from firmware_sim.wire.structs import decode_json, encode_json

TOKEN_GET = Api("s.gw.token.get", "3.0")
ACTIVE = Api("s.gw.dev.pk.active", "3.0")
RESET = Api("s.gw.reset", "")
UPDATE = Api("s.gw.update", "2.0")
DEVICE_UPDATE = Api("s.gw.dev.update", "2.0")
UPGRADE_STATUS = Api("s.gw.upgrade.updatestatus", "")
TIMER_COUNT = Api("s.gw.dev.timer.count", "")
EXIST = Api("s.gw.exist", "")
CHILD_BIND = Api("s.gw.dev.bind", "")
CHILD_UNBIND = Api("s.gw.dev.unbind", "")
CHILD_PRESENCE = Api("s.gw.dev.online.report", "")


class Other(Message, frozen=True, kw_only=True):
    """What the query of `TOKEN_GET` and `ACTIVE` has as `other`."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: Text16
    region: str = ""


class TokenResult(Message, frozen=True, kw_only=True):
    """Answer to `TOKEN_GET`: where the cloud is. Later generations ask iot-dns instead."""

    gw_api_url: str
    gw_mqtt_url: str
    std_time_zone: TimeZone
    time_zone: TimeZone
    https_psk_url: str = msgspec.field(name="httpsPSKUrl", default="")
    media_mqtt_url: str = ""
    mqtt_ranges: str = ""
    dst_intervals: tuple[tuple[int, int], ...] = ()


class OldActivationResult(ActivationResult, frozen=True, kw_only=True):
    """What the cloud grants; the oldest firmware does without a device id, but not without `uid`.

    `uid` names the account, and `dev_etag` the schema.
    """

    uid: str
    dev_etag: str = ""


class Update(Message, frozen=True, kw_only=True):
    """A device reports its versions: own, base (`bv`) and protocol (`pv`)."""

    gw_id: Text25
    ver_sw: str
    bv: str = ""
    pv: str = ""
    cd_ver: str = ""
    dev_attribute: int = 0


class DeviceUpdate(Message, frozen=True, kw_only=True):
    """A device reports the version of the product's part of its firmware, or of a child's."""

    dev_id: NodeId
    ver_sw: str
    cd_ver: str = ""
    dev_attribute: int = 0


class UpgradeStatusUpdate(Message, frozen=True, kw_only=True):
    """How far an upgrade is, in the numbers of `atop_upgrade.UpgradeStatus`."""

    upgrade_status: Octet


class ChildBind(Message, frozen=True, kw_only=True):
    """A gateway adds a child."""

    dev_id: NodeId
    name: str = ""
    ver_sw: str = ""
    schema_id: str = ""
    ui_id: str = ""
    ability: int = 0
    etag: str = ""


class ChildUnbind(Message, frozen=True, kw_only=True):
    """A gateway gives a child up."""

    dev_id: NodeId


class ChildPresence(Message, frozen=True, kw_only=True):
    """A gateway says whether a child is in reach."""

    dev_id: NodeId
    online: bool


def other_text(token: str, region: str = "") -> str:
    """Return the JSON text for the query of `TOKEN_GET` or `ACTIVE`."""
    return encode_json(Other(token=token, region=region)).decode()


def parse_other(text: str) -> Other:
    """Return what `Query.other` says; raise Malformed."""
    return decode_json(Other, text.encode())
