"""What LAN clients ask of a bound device: status, settings, sub-devices, and to be removed.

Commands, bodies and the exact texts of refusals as the public clients know them (jasonacox/
tinytuya, tinytuya/core/XenonDevice.py; codetheweb/tuyapi, index.js), acknowledgement and push as
in tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c. That a client may remove a device over
the LAN (commands 0xF9 and 0x1D) is our convention: the vendor's headers only name them. It acts
like the button, so a strong binding in the cloud stays.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from firmware_sim.device import lan_link, reporting
from firmware_sim.device.lan_children import find, status_of_children
from firmware_sim.device.lan_link import DONE, REFUSED, Client
from firmware_sim.device.signals import LanRemoved
from firmware_sim.errors import BadChecksum, Malformed, PeerError
from firmware_sim.wire import lan_body
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_version import LanVersion

if TYPE_CHECKING:
    from firmware_sim.device.device import Device


def act(device: "Device", client: Client, frame: Frame) -> None:
    """Do what an authenticated frame asks for."""
    handler = _HANDLERS.get(frame.command)
    if handler is None:
        device.note("lan_ignored", f"command 0x{frame.command:02x}")
    else:
        handler(device, client, frame)


def heartbeat(device: "Device", client: Client, frame: Frame) -> None:
    """Answer; the body is of no interest."""
    lan_link.reply(device, client, frame, DONE)


def _refuse(device: "Device", client: Client, frame: Frame, why: bytes) -> None:
    device.note("lan_refused", why.decode())
    lan_link.reply(device, client, frame, REFUSED, why)


# --- status -------------------------------------------------------------------------------------


def _query(device: "Device", client: Client, frame: Frame) -> None:
    try:
        body = lan_link.reveal(device, client, frame)
        if not body and frame.command == Command.DP_QUERY:
            raise Malformed("a status query without a body")
        query = lan_body.decode_query(body)
    except PeerError:
        _refuse(device, client, frame, lan_body.BAD_FORMAT)
        return
    if _is_another(device, query.dev_id):
        _refuse(device, client, frame, lan_body.WRONG_DEVICE)
    elif device.profile.firmware.device22 and frame.command == Command.DP_QUERY:
        _refuse(device, client, frame, lan_body.NOTHING_TO_REPORT)
    else:
        _tell(device, client, frame, query.cid, None)


def _is_another(device: "Device", dev_id: str | None) -> bool:
    """Say whether a request names a device that we are not; only 3.1 looks at that."""
    named = dev_id is not None and dev_id != device.flash.dev_id
    return named and device.lan_version is LanVersion.V31


def _tell(
    device: "Device",
    client: Client,
    frame: Frame,
    cid: str | None,
    only: Iterable[int] | None,
) -> None:
    """Reply with the values of the device or of one child, all or `only` some."""
    values = _values(device, cid, only)
    if not values:
        _refuse(device, client, frame, lan_body.NOTHING_TO_REPORT)
        return
    body = lan_body.encode_status(device.lan_version, device.flash.dev_id, values, cid)
    lan_link.reply(device, client, frame, DONE, body)


def _values(device: "Device", cid: str | None, only: Iterable[int] | None) -> dict[int, Value]:
    number = None if cid is None else find(device, cid)
    if cid is not None and number is None:
        return {}
    values = reporting.values(device, number)
    return values if only is None else {each: values[each] for each in only if each in values}


def _refresh(device: "Device", client: Client, frame: Frame) -> None:
    """Acknowledge, then push the points that were asked for, all if none was named."""
    try:
        asked = lan_body.decode_refresh(lan_link.reveal(device, client, frame))
    except PeerError:
        _refuse(device, client, frame, lan_body.BAD_FORMAT)
        return
    cid = asked.cid or None
    values = _values(device, cid, asked.dp_ids or None)
    lan_link.reply(device, client, frame, DONE)
    if values:
        reporting.push(device, values, None if cid is None else find(device, cid))


# --- settings -----------------------------------------------------------------------------------


def _control(device: "Device", client: Client, frame: Frame) -> None:
    try:
        control = lan_body.decode_control(lan_link.reveal(device, client, frame))
    except lan_body.NoDataPoints:
        _refuse(device, client, frame, lan_body.BAD_FORMAT)
        return
    except PeerError as error:
        if device.lan_version is LanVersion.V31 and isinstance(error, BadChecksum):
            device.note("bad_lan", str(error))  # signed with another key: not for us
        else:
            _refuse(device, client, frame, lan_body.BAD_DATA)
        return
    wanted = {number: value for number, value in control.dps.items() if value is not None}
    if control.dps and not wanted:
        # Under this command alone codetheweb/tuyapi takes the answer for one.
        query = Frame(frame.sequence, Command.DP_QUERY, frame.payload)
        _tell(device, client, query, control.cid, control.dps)
    else:
        _set(device, client, frame, control.cid, wanted)


def _set(
    device: "Device",
    client: Client,
    frame: Frame,
    cid: str | None,
    wanted: dict[int, Value],
) -> None:
    number = None if cid is None else find(device, cid)
    if cid is not None and number is None:
        _refuse(device, client, frame, lan_body.NOTHING_TO_REPORT)
        return
    changed = reporting.set_values(device, wanted, number)
    lan_link.reply(device, client, frame, DONE)
    reporting.spread(device, changed, number)


# --- sub-devices and removal --------------------------------------------------------------------


def _extend(device: "Device", client: Client, frame: Frame) -> None:
    """Answer which sub-devices are in reach."""
    try:
        asked = lan_body.decode_child_query(lan_link.reveal(device, client, frame))
    except PeerError:
        _refuse(device, client, frame, lan_body.BAD_FORMAT)
        return
    body = lan_body.encode_child_report(status_of_children(device, asked))
    lan_link.reply(device, client, frame, DONE, body)


def _remove(device: "Device", client: Client, frame: Frame) -> None:
    """Take a reset from a client that knows our key."""
    if not _is_proven(device, client, frame):
        _refuse(device, client, frame, lan_body.BAD_DATA)
        return
    if device.refuses_reset:
        device.note("reset_refused", "LanRemoved")
        lan_link.reply(device, client, frame, REFUSED)
        return
    lan_link.reply(device, client, frame, DONE)
    lan_link.push(device, Command.GATEWAY_UNBOUND, b"{}")
    device.clients = None  # whatever else they have said is not read
    device.raise_signal(LanRemoved())


def _is_proven(device: "Device", client: Client, frame: Frame) -> bool:
    """Say whether only somebody with our key can have sent this; 3.1 has no form that proves it.

    A padding alone proves nothing: under one wrong key in 256 it fits by chance.
    """
    if device.lan_version.negotiates:
        return True
    if device.lan_version is LanVersion.V31 or not frame.payload:
        return False
    try:
        lan_body.decode_query(lan_link.reveal(device, client, frame))
    except PeerError:
        return False
    return True


def _bind(device: "Device", client: Client, frame: Frame) -> None:
    """Refuse a token: we are bound."""
    lan_link.reply(device, client, frame, REFUSED)


_HANDLERS: dict[int, Callable[["Device", Client, Frame], None]] = {
    Command.HEART_BEAT: heartbeat,
    Command.DP_QUERY: _query,
    Command.DP_QUERY_NEW: _query,
    Command.CONTROL: _control,
    Command.CONTROL_NEW: _control,
    Command.DP_REFRESH: _refresh,
    Command.EXT_STREAM: _extend,
    Command.GATEWAY_RESET: _remove,
    Command.LAN_RESET: _remove,
    Command.TOKEN_BIND: _bind,
}
