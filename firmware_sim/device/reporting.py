"""Data points: set by the cloud or by LAN clients, reported to both; and what else the cloud says.

Protocol numbers as in tuya/tuya-connect-kit-for-mqtt-embedded-c, include/mqtt_service.h: 5 sets
data points, 4 reports them, 8 removes a sub-device, 11 resets, 15 announces new firmware, 27 a new
configuration. All others are dropped, as that firmware drops what it has no handler for. Values
live in the profile until a device changes one of its own, in its flash.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from firmware_sim.device import lan_link, uplink
from firmware_sim.device.flash import Flash, ResetKind, Tie
from firmware_sim.device.lan_children import cid, find
from firmware_sim.device.profile import Point
from firmware_sim.device.signals import (
    ChildRemoved,
    ChildUpgradeNoticed,
    ConfigNoticed,
    Released,
    UpgradeNoticed,
)
from firmware_sim.errors import Malformed, PeerError
from firmware_sim.wire import datapoint, lan_body, mqtt_payload
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_body import VALUES_SIZE_MAX
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.mqtt_payload import Protocol

if TYPE_CHECKING:
    from firmware_sim.device.device import Device


def take_message(device: "Device", message: mqtt_payload.Message) -> None:
    """Act on one message of the cloud; raises PeerError when its data cannot be read."""
    handler = _HANDLERS.get(message.protocol)
    if handler is not None:
        handler(device, message)


def _reset(device: "Device", message: mqtt_payload.Message) -> None:
    mqtt_payload.data_of(message, mqtt_payload.ResetData)
    factory = mqtt_payload.reset_type(message) is mqtt_payload.ResetType.FACTORY
    device.raise_signal(Released(ResetKind.REMOTE_FACTORY if factory else ResetKind.REMOTE_UNBIND))


def _command(device: "Device", message: mqtt_payload.Message) -> None:
    command = mqtt_payload.data_of(message, mqtt_payload.DpCommand)
    wanted, child = datapoint.decode_dps(command.dps), None
    if command.cid is not None:
        child = find(device, command.cid)
        if child is None:
            device.note("child_unreached", command.cid)
            return
    spread(device, set_values(device, wanted, child), child)


def _child_reset(device: "Device", message: mqtt_payload.Message) -> None:
    child = mqtt_payload.data_of(message, mqtt_payload.ChildReset)
    wipe = mqtt_payload.reset_type(message) is mqtt_payload.ResetType.FACTORY
    device.raise_signal(ChildRemoved(child.cid, wipe))


def _upgrade(device: "Device", message: mqtt_payload.Message) -> None:
    notice = mqtt_payload.data_of(message, mqtt_payload.UpgradeNotice)
    channel = notice.firmware_type or 0
    if notice.cid is None:
        device.raise_signal(UpgradeNoticed(channel))
    else:
        device.raise_signal(ChildUpgradeNoticed(notice.cid, channel))


def _config(device: "Device", _: mqtt_payload.Message) -> None:
    device.raise_signal(ConfigNoticed())


_HANDLERS: dict[int, Callable[["Device", mqtt_payload.Message], None]] = {
    Protocol.DP_COMMAND: _command,
    Protocol.CHILD_RESET: _child_reset,
    Protocol.RESET: _reset,
    Protocol.UPGRADE_NOTICE: _upgrade,
    Protocol.CONFIG_NOTICE: _config,
}


# --- values -------------------------------------------------------------------------------------


def set_values(
    device: "Device", wanted: Mapping[int, Value], child: int | None = None
) -> dict[int, Value]:
    """Set the settable points of the device or of one child; return what is to be reported.

    Unknown points, wrong values, and texts that together no frame could report are noted, in one
    note. A point that can only be set is obeyed and has no value afterwards.
    """
    points = {point.id: point for point in _points(device, child)}
    taken: dict[int, Value] = {}
    faults: list[str] = []
    for number, value in wanted.items():
        try:
            point = _checked(points.get(number), number, value)
        except PeerError as error:
            faults.append(str(error))
        else:
            if point.mode == "rw":
                taken[number] = value
    held = values(device, child)
    if taken and len(datapoint.encode_dps(held | taken)) > VALUES_SIZE_MAX:
        faults.append("all data points together do not fit into a frame")
        taken = {}
    if faults:
        more = f"; {len(faults) - 1} more" if faults[1:] else ""
        device.note("dp_refused", faults[0] + more)
    if held | taken != held:
        _keep(device.flash, taken, child)
        device.mark_flash()
    return taken


def _points(device: "Device", child: int | None) -> tuple[Point, ...]:
    profile = device.profile
    return profile.data_points if child is None else profile.children[child].data_points


def _checked(point: Point | None, number: int, value: Value) -> Point:
    if point is None or point.mode == "ro":
        raise Malformed(f"data point {number} cannot be set")
    datapoint.check(point, value)
    return point


def _keep(flash: Flash, taken: dict[int, Value], child: int | None) -> None:
    if child is None:
        flash.values = {**(flash.values or {}), **taken}
    else:
        others = flash.child_values or {}
        flash.child_values = {**others, child: {**others.get(child, {}), **taken}}


def values(device: "Device", child: int | None = None) -> dict[int, Value]:
    """Return what the device or one child reports: kept values over the initial ones."""
    flash = device.flash
    kept = flash.values if child is None else (flash.child_values or {}).get(child)
    points = _points(device, child)
    return {point.id: point.initial for point in points if point.mode != "wr"} | (kept or {})


# --- to the cloud and to the LAN ----------------------------------------------------------------


def spread(device: "Device", changed: Mapping[int, Value], child: int | None = None) -> None:
    """Tell everybody who listens what has changed: the cloud, and every LAN client.

    The cloud hears of a child that is bound, later if it is not there now.
    """
    if not changed:
        return
    if device.admitted and (child is None or device.flash.kept(child).tie is Tie.BOUND):
        report(device, changed, child)
    elif child is not None and device.children is not None:
        device.children.each[child].stale = True
    push(device, changed, child)


def push(device: "Device", changed: Mapping[int, Value], child: int | None = None) -> None:
    """Push data points to every LAN client."""
    dev_id, node_id = device.flash.dev_id, _node_id(device, child)
    body = lan_body.encode_report(device.lan_version, dev_id, device.now_s, changed, node_id)
    lan_link.push(device, Command.STATUS, body)


def report_all(device: "Device") -> None:
    """Report every data point, as a device does when it comes online."""
    report(device, values(device))


def report(device: "Device", changed: Mapping[int, Value], child: int | None = None) -> None:
    """Report data points of the device or of one child to the cloud, at QoS 0."""
    if changed:
        dps, node_id = datapoint.encode_dps(changed), _node_id(device, child)
        told = mqtt_payload.encode_dp_report(device.flash.dev_id, device.now_s, dps, node_id)
        uplink.tell(device, told)


def _node_id(device: "Device", child: int | None) -> str | None:
    return None if child is None else cid(device.identity.uuid, child)
