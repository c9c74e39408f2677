"""Removal and reset of devices outside a batch: by owner, developer or button, and by delivery.

Order and wire forms are those of tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c: a
device that is online is told by MQTT protocol 11, one that is not finds itself refused at CONNECT
and asks `tuya.device.info.sync`. What a local reset does to a binding that is not strong is ours.
"""

from fleet.cloud import push
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.history import DeviceEvent, Operation
from fleet.cloud.products import Binding
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State


def remove(
    state: State, uid: str, dev_id: str, kind: ResetKind, now_ms: int, *, reachable: bool
) -> Device:
    """Take a device away from its owner `uid`, who asked for it.

    `reachable` says whether it is online, to be told; otherwise its credentials end here. Raises
    Refused: DEVICE_UNKNOWN when it is not a device of this consumer.
    """
    device = state.devices.by_dev_id(dev_id)
    if device is None or device.owner != uid:
        raise Refused(Reason.DEVICE_UNKNOWN, "you have no such device")
    state.record(Operation.REMOVE, device.uuid, now_ms, account=uid)
    state.device_log.add(device.uuid, DeviceEvent.REMOVED, now_ms, kind.value)
    return _take_away(state, device, kind, reachable=reachable)


def delete(
    state: State, account: str, device: Device, kind: ResetKind, now_ms: int, *, reachable: bool
) -> Device:
    """Take a bound device away from its owner in the name of a developer's `account`.

    Whether the account may has been decided. `reachable` as in `remove`.
    """
    state.record(Operation.DELETE, device.uuid, now_ms, account=account)
    state.device_log.add(device.uuid, DeviceEvent.DELETED, now_ms, kind.value)
    return _take_away(state, device, kind, reachable=reachable)


def _take_away(state: State, device: Device, kind: ResetKind, *, reachable: bool) -> Device:
    removed = state.devices.remove(device, kind, reachable=reachable)
    if kind is ResetKind.RESET_FACTORY:
        state.data_points.forget(device.dev_id)
    state.data_points.desired.forget(device.dev_id)
    state.journal.effects.append(push.deleted(removed, device.owner))
    return removed


def reset_locally(state: State, device: Device, now_ms: int) -> None:
    """Note that somebody held the button of an online device.

    That does not release a strong binding; one that is not strong ends with it.
    """
    state.device_log.add(device.uuid, DeviceEvent.LOCAL_RESET, now_ms)
    product = state.products.get(device.product_id)
    if not device.bound or product is None or product.binding == Binding.STRONG:
        return
    removed = _take_away(state, device, ResetKind.RESET, reachable=False)
    state.devices.confirm_reset(removed)
    state.record(Operation.REMOVE, device.uuid, now_ms, account=device.owner)


def confirm(state: State, device: Device, event: DeviceEvent, now_ms: int) -> None:
    """Note that the device has learned of its pending reset (`event` says how)."""
    if device.pending_reset and not device.reset_told:
        state.devices.confirm_reset(device)
        state.device_log.add(device.uuid, event, now_ms, device.pending_reset)
