"""What LAN messages say: queries, settings, reports and sub-devices, as JSON bodies.

Two envelopes: flat up to version 3.3, and from 3.4 on `protocol`, `t` and `data`. A sub-device is
named by its `cid`, on the level of `dps`. Decoders take either envelope and ignore further keys,
because clients mix them. Sources: jasonacox/tinytuya, tinytuya/core/XenonDevice.py;
codetheweb/tuyapi, index.js; tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.datapoint import PointId, Value
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.structs import decode_json, encode_json

# What a device answers, with return code 1, instead of JSON. Clients compare the text.
NOTHING_TO_REPORT = b"json obj data unvalid"
BAD_FORMAT = b"data format error"
BAD_DATA = b"parse data error"
WRONG_DEVICE = b"devid not found"

VALUES_SIZE_MAX = 2800
"""Bytes of JSON that the values in one body may take.

With everything around them, base64 included in 3.1, they then fit into a frame of any version.
"""

_PROTOCOL_REPORT, _PROTOCOL_CONTROL = 4, 5


def query_command(version: LanVersion) -> Command:
    """Return the command that asks for all values."""
    return Command.DP_QUERY_NEW if version.negotiates else Command.DP_QUERY


def control_command(version: LanVersion) -> Command:
    """Return the command that sets values."""
    return Command.CONTROL_NEW if version.negotiates else Command.CONTROL


class _Addressed(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Whom a body is about. Some clients leave names empty, which names nobody."""

    cid: str | None = None
    dev_id: str | None = None
    gw_id: str | None = None

    @property
    def device(self) -> str | None:
        return self.dev_id or self.gw_id or None


# --- queries ------------------------------------------------------------------------------------


class Query(msgspec.Struct, frozen=True, gc=False):
    """A request for all values of a device, or of its sub-device `cid`.

    `dev_id` is the device that the client believes to speak to, if it says so.
    """

    cid: str | None = None
    dev_id: str | None = None


def encode_query(version: LanVersion, dev_id: str, t_s: int, cid: str | None = None) -> bytes:
    """Return the body of a query; `t_s` is Unix time in seconds."""
    if version.negotiates:
        return encode_json({} if cid is None else {"cid": cid})
    if cid is not None:
        return encode_json({"t": t_s, "cid": cid})
    return encode_json({"gwId": dev_id, "devId": dev_id, "uid": dev_id, "t": str(t_s)})


def decode_query(body: bytes) -> Query:
    """Return what a query asks for; raise Malformed unless it is empty or a JSON object."""
    if not body:
        return Query()
    said = decode_json(_Addressed, body)
    return Query(said.cid or None, said.device)


# --- settings -----------------------------------------------------------------------------------


class NoDataPoints(Malformed):
    """A setting that is JSON and names nothing to set."""


class Control(msgspec.Struct, frozen=True, gc=False):
    """A request to set values; None asks for the value instead, as some clients do.

    `cid` and `dev_id` are as in a query.
    """

    dps: dict[int, Value | None]
    cid: str | None = None
    dev_id: str | None = None


class _ControlData(_Addressed, frozen=True, rename="camel", gc=False):
    dps: dict[PointId, Value | float | None] | None = None


class _ControlBody(_ControlData, frozen=True, rename="camel", gc=False):
    data: _ControlData | None = None


def encode_control(
    version: LanVersion,
    dev_id: str,
    t_s: int,
    dps: Mapping[int, Value | None],
    cid: str | None = None,
) -> bytes:
    """Return the body of a setting; `t_s` is Unix time in seconds."""
    values = dict(dps)  # the JSON encoder takes no other mapping
    if version.negotiates:
        data = {"dps": values} if cid is None else {"cid": cid, "ctype": 0, "dps": values}
        return encode_json({"protocol": _PROTOCOL_CONTROL, "t": t_s, "data": data})
    if cid is not None:
        return encode_json({"t": t_s, "cid": cid, "dps": values})
    return encode_json({"devId": dev_id, "uid": dev_id, "t": str(t_s), "dps": values})


def decode_control(body: bytes) -> Control:
    """Return what is to be set; raise Malformed, or NoDataPoints when `dps` is missing.

    Of a number with a fraction the vendor's firmware takes the whole part (tuya/TuyaOpen,
    src/tuya_cloud_service/schema/dp_schema.c), and clients do send 25.0 for 25.
    """
    said = decode_json(_ControlBody, body)
    inner = said.data if said.data is not None else said
    if inner.dps is None:
        raise NoDataPoints("a setting names no data points")
    dps = {
        number: int(value) if isinstance(value, float) else value
        for number, value in inner.dps.items()
    }
    return Control(dps, inner.cid or said.cid or None, inner.device or said.device)


# --- refresh ------------------------------------------------------------------------------------


class Refresh(msgspec.Struct, frozen=True, gc=False):
    """A request to report these data points of a device, or of its sub-device `cid`, anew."""

    dp_ids: tuple[int, ...] = msgspec.field(default=(), name="dpId")
    cid: str | None = None


def encode_refresh(dp_ids: Iterable[int], cid: str | None = None) -> bytes:
    """Return the body that asks a device to measure these data points anew and report them."""
    return encode_json({"dpId": tuple(dp_ids)} | ({} if cid is None else {"cid": cid}))


def decode_refresh(body: bytes) -> Refresh:
    """Return what is to be reported, of an empty body no data points; raise Malformed."""
    return decode_json(Refresh, body) if body else Refresh()


# --- values -------------------------------------------------------------------------------------


class Status(msgspec.Struct, frozen=True, gc=False):
    """Values that a device reports, of its own or of its sub-device `cid`."""

    dps: dict[int, Value]
    cid: str | None = None
    dev_id: str | None = None


class _StatusData(_Addressed, frozen=True, rename="camel", gc=False):
    dps: dict[PointId, Value] | None = None


class _StatusBody(_StatusData, frozen=True, rename="camel", gc=False):
    data: _StatusData | None = None


def encode_status(
    version: LanVersion, dev_id: str, dps: Mapping[int, Value], cid: str | None = None
) -> bytes:
    """Return the body of the answer to a query."""
    who: dict[str, object] = {} if version.negotiates else {"devId": dev_id}
    return encode_json(who | _values(dps, cid))


def encode_report(
    version: LanVersion,
    dev_id: str,
    t_s: int,
    dps: Mapping[int, Value],
    cid: str | None = None,
) -> bytes:
    """Return the body of a push: values that have changed; `t_s` is Unix time in seconds."""
    values = _values(dps, cid)
    if version.negotiates:
        return encode_json({"protocol": _PROTOCOL_REPORT, "t": t_s, "data": values})
    return encode_json({"devId": dev_id, **values, "t": t_s})


def decode_status(body: bytes) -> Status:
    """Return the values in an answer or a push, in either envelope; raise Malformed."""
    said = decode_json(_StatusBody, body)
    inner = said.data if said.data is not None else said
    if inner.dps is None:
        raise Malformed("a status names no data points")
    return Status(inner.dps, inner.cid or said.cid or None, inner.device or said.device)


def _values(dps: Mapping[int, Value], cid: str | None) -> dict[str, object]:
    return {"dps": dict(dps)} if cid is None else {"dps": dict(dps), "cid": cid}


# --- sub-devices --------------------------------------------------------------------------------


class ChildStatus(msgspec.Struct, frozen=True, gc=False):
    """Which sub-devices of a gateway can be reached, by `cid`."""

    online: tuple[str, ...] = ()
    offline: tuple[str, ...] = ()


class _Children(msgspec.Struct, frozen=True, gc=False):
    cids: tuple[str, ...] = ()


class _ChildQuery(msgspec.Struct, frozen=True, rename="camel", gc=False):
    req_type: Literal["subdev_online_stat_query"]
    data: _Children = _Children()


class _ChildReport(msgspec.Struct, frozen=True, rename="camel", gc=False):
    req_type: Literal["subdev_online_stat_report"]
    data: ChildStatus


def encode_child_query(cids: Iterable[str]) -> bytes:
    """Return the body that asks a gateway about these sub-devices; none means all."""
    return encode_json(_ChildQuery("subdev_online_stat_query", _Children(tuple(cids))))


def decode_child_query(body: bytes) -> tuple[str, ...]:
    """Return which sub-devices are asked about; raise Malformed for any other request."""
    return decode_json(_ChildQuery, body).data.cids


def encode_child_report(status: ChildStatus) -> bytes:
    """Return the body with which a gateway answers."""
    return encode_json(_ChildReport("subdev_online_stat_report", status))


def decode_child_report(body: bytes) -> ChildStatus:
    """Return which sub-devices a gateway can reach; raise Malformed."""
    return decode_json(_ChildReport, body).data
