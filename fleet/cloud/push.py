"""Messages for developers' programs: what the cloud tells them, one function per happening.

Each function returns the `PushRaised` of one happening, for the caller to add to the effects of
its step; `fleet.cloud.push_topics` keeps and delivers it. A happening has up to two forms: the
older one (protocol 4 for reports, 20 for events by `bizCode`) and that of the IoT Core family
(protocols 1000 to 1002, since 2023). A project that is subscribed to both hears both.

Sources: "Message Types" (developer.tuya.com, 2021 to 2024) for names, protocols and the data of
reports and presence; tuya/tuya-connector, tuya-messaging/src/main/java/com/tuya/connector/open/
messaging/event, for the fields of the other events. Which of these fields an event carries, and
whatever an IoT Core event has beyond device and product, is not published: the ones that we know.
"""

import hashlib
import re
from collections.abc import Mapping

import msgspec

from firmware_sim.wire.structs import decode_json, encode_json
from fleet.cloud.devices import Device
from fleet.cloud.messages import CoreForm, PushRaised

REPORT = 4
EVENT = 20
CORE_REPORT = 1000
CORE_DEVICE = 1001
CORE_UPGRADE = 1002

_DATA_ID_RANDOM = 16
_DP_ID = re.compile(r"[0-9]{1,5}")

Fields = dict[str, object]


# --- devices ------------------------------------------------------------------------------------


def bound(device: Device) -> PushRaised:
    """Tell that the device was bound to its owner (`bindUser`)."""
    data: Fields = {"devId": device.dev_id, "uid": device.owner}
    core = {**data, "uuid": device.uuid}
    return _of_device("bindUser", device, data, "deviceBindSpace", core, uid=device.owner)


def deleted(device: Device, uid: str) -> PushRaised:
    """Tell that the device no longer belongs to `uid` (`delete`: the message of an unbinding)."""
    data: Fields = {"devId": device.dev_id, "uid": uid}
    core = {**data, "uuid": device.uuid}
    return _of_device("delete", device, data, "deviceUnbindSpace", core, uid=uid)


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
    core = CoreForm(CORE_UPGRADE, "deviceOtaProgress", _core_data(device, data))
    return msgspec.structs.replace(_of_device("upgradeStatus", device, data), core=core)


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


def reported(
    device: Device, dps: Mapping[str, msgspec.Raw], codes: Mapping[str, str], now_ms: int
) -> PushRaised | None:
    """Tell what the device reported: JSON values, and codes, by data point id.

    A point without a code is told under its id; what is not named by a number is no data point.
    None when nothing is left to tell. The older form has a protocol of its own and no bizCode.
    """
    dps = {dp_id: value for dp_id, value in dps.items() if _DP_ID.fullmatch(dp_id)}
    if not dps:
        return None
    data_id = _data_id(device, dps, now_ms)
    status: list[Fields] = []
    properties: list[Fields] = []
    for dp_id, value in dps.items():
        code = codes.get(dp_id, dp_id)
        status.append({"code": code, "value": value, "t": now_ms, dp_id: _text(value)})
        properties.append({"code": code, "dpId": int(dp_id), "time": now_ms, "value": value})
    told: Fields = {"devId": device.dev_id, "productKey": device.product_id}
    told |= {"dataId": data_id, "status": status}
    core: Fields = {"devId": device.dev_id, "dataId": data_id, "properties": properties}
    return PushRaised(
        biz_code="",
        dev_id=device.dev_id,
        product_id=device.product_id,
        data=encode_json(told),
        protocol=REPORT,
        core=CoreForm(CORE_REPORT, "devicePropertyMessage", _core_data(device, core)),
    )


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
    biz_code: str, home_id: str, home_name: str, uid: str, schema: str, now_ms: int
) -> PushRaised:
    """Tell that a home was made, changed or removed: `homeCreate`, `homeUpdate`, `homeDelete`."""
    data: Fields = {"homeId": home_id, "homeName": home_name, "uid": uid, "time": now_ms}
    return _of_app(biz_code, uid, schema, data)


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
    uid: str = "",
) -> PushRaised:
    core = None
    if core_data is not None:
        core = CoreForm(CORE_DEVICE, core_code, _core_data(device, core_data))
    return PushRaised(
        biz_code=biz_code,
        dev_id=device.dev_id,
        product_id=device.product_id,
        data=encode_json(data) if data is not None else b"",
        uid=uid,
        core=core,
    )


def _of_user(biz_code: str, uid: str, schema: str, now_ms: int) -> PushRaised:
    return _of_app(biz_code, uid, schema, {"uid": uid, "schema": schema, "time": now_ms})


def _of_app(biz_code: str, uid: str, schema: str, data: Fields) -> PushRaised:
    return PushRaised(biz_code, "", "", encode_json(data), uid=uid, schema=schema)


def _core_data(device: Device, data: Fields) -> bytes:
    return encode_json({**data, "productId": device.product_id})


def _data_id(device: Device, dps: Mapping[str, msgspec.Raw], now_ms: int) -> str:
    """Name a report as the service does: hex of the time in microseconds, then of anything."""
    told = hashlib.sha256(device.dev_id.encode() + encode_json(dps)).hexdigest()
    return f"{now_ms * 1000:016X}{told[:_DATA_ID_RANDOM].upper()}"


def _text(value: msgspec.Raw) -> str:
    """Return a JSON value as text: a string as it is, anything else as its JSON."""
    json = bytes(value)
    return decode_json(str, json) if json.startswith(b'"') else json.decode()
