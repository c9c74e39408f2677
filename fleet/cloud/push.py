"""Messages for developers' programs: what the cloud tells them, one function per happening.

Each function returns the `PushRaised` of one happening, for the caller to add to the effects of
its step; `fleet.cloud.push_topics` keeps and delivers it. A happening has up to two forms: the
older one (protocol 4 for reports, 20 and others for events by `bizCode`) and that of the IoT Core family
(protocols 1000 to 1002, since 2023). A project that is subscribed to both hears both.

Sources: "Message Types" (developer.tuya.com, 2021 to 2024) for names, protocols and the data of
reports and presence; tuya/tuya-connector, tuya-messaging/src/main/java/com/tuya/connector/open/
messaging/event, for the fields of the other events, and `EventType` there, which an earlier version
has (branch tag/api-charge), for their protocols. Which of these fields an event carries, and
whatever an IoT Core event has beyond device and product, is not published: the ones that we know.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from firmware_sim.wire.structs import decode_json, encode_json
from fleet.cloud.devices import Device
from fleet.cloud.messages import CoreForm, PushRaised
from fleet.cloud.standard import codes_of

REPORT = 4
EVENT = 20
USER_EVENT = 21
ROOM_EVENT = 34
HOME_EVENT = 35
CORE_REPORT = 1000
CORE_DEVICE = 1001
CORE_UPGRADE = 1002

# Protocols of the older events that are about no device; a room's coming and going is the home's.
_PROTOCOLS: Mapping[str, int] = {
    **dict.fromkeys(("userRegister", "userUpdate", "userDelete"), USER_EVENT),
    **dict.fromkeys(("homeCreate", "homeUpdate", "homeDelete"), HOME_EVENT),
    **dict.fromkeys(("roomCreate", "roomDelete"), HOME_EVENT),
    "roomNameUpdate": ROOM_EVENT,
}

_DATA_ID_RANDOM = 16
_REPORTS_CACHED = 256
_DP_ID = re.compile(r"[0-9]{1,5}")

Fields = dict[str, object]


# --- devices ------------------------------------------------------------------------------------


def bound(device: Device) -> PushRaised:
    """Tell that the device was bound to its owner (`bindUser`)."""
    data: Fields = {"devId": device.dev_id, "uid": device.owner}
    core = {**data, "uuid": device.uuid}
    return _of_device("bindUser", device, data, "deviceBindSpace", core)


def deleted(device: Device, schema: str = "") -> PushRaised:
    """Tell that the device, as it was, lost its owner (`delete`: the message of an unbinding).

    `schema` is the owner's app, for an owner who is forgotten in the same step.
    """
    data: Fields = {"devId": device.dev_id, "uid": device.owner}
    core = {**data, "uuid": device.uuid}
    raised = _of_device("delete", device, data, "deviceUnbindSpace", core)
    return msgspec.structs.replace(raised, schema=schema)


def presence(device: Device, now_ms: int, *, online: bool) -> PushRaised:
    """Tell that the device came or went (`online`, `offline`)."""
    code, core_code = ("online", "deviceOnline") if online else ("offline", "deviceOffline")
    data: Fields = {"time": now_ms}
    return _of_device(code, device, data, core_code, {"devId": device.dev_id, **data})


def renamed(device: Device) -> PushRaised:
    """Tell that the device has the name that it has now (`nameUpdate`)."""
    data: Fields = {"devId": device.dev_id, "name": device.name}
    return _of_device("nameUpdate", device, data, "deviceNameUpdate", data)


def dp_renamed(device: Device, dp_id: int, name: str) -> PushRaised:
    """Tell that a data point of the device has a name of its own (`dpNameUpdate`)."""
    data: Fields = {"devId": device.dev_id, "dpId": dp_id, "name": name}
    return _of_device("dpNameUpdate", device, data)


def upgraded(device: Device, channel: int, status: int) -> PushRaised:
    """Tell how far the upgrade of a firmware channel is (`upgradeStatus`).

    The states are those that firmware reports: 1 ready, 2 upgrading, 3 finished, 4 failed.
    """
    data: Fields = {"devId": device.dev_id, "moduleType": channel, "upgradeStatus": status}
    core_code = "deviceOtaProgress"
    return _of_device("upgradeStatus", device, data, core_code, data, core_protocol=CORE_UPGRADE)


def commanded(device: Device, dps: Mapping[str, object]) -> PushRaised:
    """Tell that the device was sent values, by data point id (`deviceDpCommand`)."""
    command = [{"dpId": int(dp_id), "value": value} for dp_id, value in dps.items()]
    return _of_device("deviceDpCommand", device, {"command": command})


def frozen(device: Device, *, frozen: bool) -> PushRaised:
    """Tell that the device was frozen, or released from that (IoT Core only)."""
    core_code = "deviceFreeze" if frozen else "deviceUnFreeze"
    return _of_device("", device, None, core_code, {"devId": device.dev_id})


def transferred(device: Device) -> PushRaised:
    """Tell that the device is in the space in which it is now (IoT Core only)."""
    data: Fields = {"devId": device.dev_id, "spaceId": device.space}
    return _of_device("", device, None, "deviceTransfer", data)


def reported(device: Device, report: str, schema: str, now_ms: int) -> PushRaised | None:
    """Tell what the device reported: JSON of values by data point id, of a product's `schema`.

    A point without a code is told under its id; what is not named by a number is no data point.
    None when nothing is left to tell. The older form has a protocol of its own and no bizCode.
    """
    points, json = _points(report, schema)
    if not points:
        return None
    data_id = _data_id(device, json, now_ms)
    status: list[Fields] = [
        {"code": code, "value": value, "t": now_ms, dp_id: text}
        for dp_id, code, value, text in points
    ]
    properties: list[Fields] = [
        {"code": code, "dpId": int(dp_id), "time": now_ms, "value": value}
        for dp_id, code, value, _ in points
    ]
    told: Fields = {"devId": device.dev_id, "productKey": device.product_id}
    told |= {"dataId": data_id, "status": status}
    core: Fields = {"devId": device.dev_id, "dataId": data_id, "properties": properties}
    core_code = "devicePropertyMessage"
    return _of_device("", device, told, core_code, core, protocol=REPORT, core_protocol=CORE_REPORT)


class _Point(NamedTuple):
    """A data point that was reported: its id and code, its value as JSON and as text."""

    dp_id: str
    code: str
    value: msgspec.Raw
    text: str


@lru_cache(_REPORTS_CACHED)
def _points(report: str, schema: str) -> tuple[tuple[_Point, ...], bytes]:
    """Return the data points in a report, and the JSON of them alone: many devices report alike."""
    codes = codes_of(schema)
    values = decode_json(dict[str, msgspec.Raw], report.encode())
    dps = {dp_id: value for dp_id, value in values.items() if _DP_ID.fullmatch(dp_id)}
    points = (
        _Point(dp_id, codes.get(dp_id, dp_id), value, _text(value)) for dp_id, value in dps.items()
    )
    return tuple(points), encode_json(dps)


# --- users, homes, rooms ------------------------------------------------------------------------


def user_registered(uid: str, schema: str, now_ms: int) -> PushRaised:
    """Tell that the app `schema` has a new user (`userRegister`)."""
    return _of_user("userRegister", uid, schema, now_ms)


def user_updated(uid: str, schema: str, now_ms: int) -> PushRaised:
    """Tell that the data of a user changed (`userUpdate`)."""
    return _of_user("userUpdate", uid, schema, now_ms)


def user_deleted(uid: str, schema: str, region: str, now_ms: int) -> PushRaised:
    """Tell that a user of an app in data centre `region` is gone (`userDelete`)."""
    raised = _of_user("userDelete", uid, schema, now_ms)
    return msgspec.structs.replace(raised, region=region)


def home_changed(
    biz_code: str,
    home_id: str,
    home_name: str,
    uid: str,
    schema: str,
    now_ms: int,
    region: str = "",
) -> PushRaised:
    """Tell that a home was made, changed or removed: `homeCreate`, `homeUpdate`, `homeDelete`.

    `region` is the owner's data centre, for an owner who is forgotten in the same step.
    """
    data: Fields = {"homeId": home_id, "homeName": home_name, "uid": uid, "time": now_ms}
    return msgspec.structs.replace(_of_app(biz_code, uid, schema, data), region=region)


def room_changed(
    biz_code: str, home_id: str, room_name: str, uid: str, schema: str, now_ms: int
) -> PushRaised:
    """Tell the same of a room: `roomCreate`, `roomNameUpdate`, `roomDelete`."""
    data: Fields = {"homeId": home_id, "roomName": room_name, "uid": uid, "time": now_ms}
    return _of_app(biz_code, uid, schema, data)


# --- details ------------------------------------------------------------------------------------


def _of_device(
    biz_code: str,
    device: Device,
    data: Fields | None,
    core_code: str = "",
    core_data: Fields | None = None,
    *,
    protocol: int = EVENT,
    core_protocol: int = CORE_DEVICE,
) -> PushRaised:
    core = None
    if core_data is not None:
        told = encode_json({**core_data, "productId": device.product_id})
        core = CoreForm(core_protocol, core_code, told)
    return PushRaised(
        biz_code=biz_code,
        dev_id=device.dev_id,
        product_id=device.product_id,
        data=encode_json(data) if data is not None else b"",
        protocol=protocol,
        uid=device.owner,
        region=device.region,
        core=core,
        home=device.home,
        space=device.space,
    )


def _of_user(biz_code: str, uid: str, schema: str, now_ms: int) -> PushRaised:
    return _of_app(biz_code, uid, schema, {"uid": uid, "schema": schema, "time": now_ms})


def _of_app(biz_code: str, uid: str, schema: str, data: Fields) -> PushRaised:
    protocol = _PROTOCOLS[biz_code]
    return PushRaised(biz_code, "", "", encode_json(data), protocol, uid=uid, schema=schema)


def _data_id(device: Device, json: bytes, now_ms: int) -> str:
    """Name a report as the service does: hex of the time in microseconds, then of anything."""
    told = hashlib.sha256(device.dev_id.encode() + json).hexdigest()
    return f"{now_ms * 1000:016X}{told[:_DATA_ID_RANDOM].upper()}"


def _text(value: msgspec.Raw) -> str:
    """Return a JSON value as text: a string as it is, anything else as its JSON."""
    json = bytes(value)
    return decode_json(str, json) if json.startswith(b'"') else json.decode()
