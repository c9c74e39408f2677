"""Removal and reset of devices outside a batch: by owner, developer or button, and by delivery.

Order and wire forms are those of tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c: a
device that is online is told by MQTT protocol 11, one that is not finds itself refused at CONNECT
and asks `tuya.device.info.sync`. What a local reset does to a binding that is not strong is ours.

Whatever is behind a gateway leaves its owner with it, and nobody is told of that but the gateway. A
sub-device that is removed alone is told of to its gateway by protocol 8, at once or when that comes
online; how a gateway gives one up itself is "Remove Sub-Devices" (developer.tuya.com).
"""

from fleet.cloud import children, push
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.history import DeviceEvent, Operation, Way
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
    state.record(Operation.REMOVE, device.uuid, now_ms, account=uid, method=Way.APP)
    state.device_log.add(device.uuid, DeviceEvent.REMOVED, now_ms, kind.value)
    return _take_away(state, device, kind, now_ms, reachable=reachable)


def delete(
    state: State, account: str, device: Device, kind: ResetKind, now_ms: int, *, reachable: bool
) -> Device:
    """Take a bound device away from its owner in the name of a developer's `account`.

    Whether the account may has been decided. `reachable` as in `remove`.
    """
    state.record(Operation.DELETE, device.uuid, now_ms, account=account, method=Way.OPEN_API)
    state.device_log.add(device.uuid, DeviceEvent.DELETED, now_ms, kind.value)
    return _take_away(state, device, kind, now_ms, reachable=reachable)


def give_up(state: State, gateway: Device, node_id: str, kind: ResetKind, now_ms: int) -> None:
    """Take a sub-device away from its owner because its gateway says so; it may say so twice."""
    child = children.find(state, gateway, node_id)
    if child is None or not (child.bound or child.pending_reset):
        return
    if child.bound:
        state.record(Operation.REMOVE, child.uuid, now_ms, account=child.owner, method=Way.GATEWAY)
        state.device_log.add(child.uuid, DeviceEvent.REMOVED, now_ms, "by its gateway")
        child = _take_away(state, child, kind, now_ms, reachable=True)
    state.devices.confirm_reset(child)


def detach(
    state: State, gateway: Device, kind: ResetKind, now_ms: int, *, silently: bool = False
) -> None:
    """Take all that is behind a gateway away from its owner, as the gateway itself is.

    What the gateway was yet to be told of its sub-devices is over, unless it is going to keep them
    for the same owner. With `silently` no message is pushed.
    """
    for child in state.devices.behind(gateway.dev_id):
        if child.bound:
            detail = f"{kind.value}, with its gateway"
            state.device_log.add(child.uuid, DeviceEvent.REMOVED, now_ms, detail)
            left = _take_away(state, child, kind, now_ms, reachable=True, silently=silently)
            state.devices.confirm_reset(left)
        elif kind is ResetKind.RESET_FACTORY and child.pending_reset and not child.reset_told:
            state.devices.confirm_reset(child)


def _take_away(
    state: State,
    device: Device,
    kind: ResetKind,
    now_ms: int,
    *,
    reachable: bool,
    silently: bool = False,
) -> Device:
    detach(state, device, kind, now_ms)
    removed = state.devices.remove(device, kind, reachable=reachable)
    if kind is ResetKind.RESET_FACTORY:
        state.data_points.forget(device.dev_id)
    state.data_points.desired.forget(device.dev_id)
    state.reach.note(device.dev_id, near=False)
    owner = state.users.get(device.owner)  # who may be forgotten in this very step
    schema = owner.schema if owner is not None else ""
    if not silently:
        state.journal.effects.append(push.deleted(device, schema))
    return removed


def reset_locally(state: State, device: Device, now_ms: int) -> None:
    """Note that somebody held the button of an online device.

    That does not release a strong binding; one that is not strong ends with it.
    """
    state.device_log.add(device.uuid, DeviceEvent.LOCAL_RESET, now_ms)
    product = state.products.get(device.product_id)
    if not device.bound or product is None or product.binding == Binding.STRONG:
        return
    removed = _take_away(state, device, ResetKind.RESET, now_ms, reachable=False)
    state.devices.confirm_reset(removed)
    state.record(Operation.REMOVE, device.uuid, now_ms, account=device.owner, method=Way.BUTTON)


def confirm(state: State, device: Device, event: DeviceEvent, now_ms: int) -> None:
    """Note that the device has learned of its pending reset (`event` says how).

    An answer that it fetched may be lost, on which firmware resets itself without erasing its
    user's data. So an order to erase them stands until it is acknowledged, or the next activation
    has repeated it.
    """
    if not device.pending_reset or device.reset_told:
        return
    if event is not DeviceEvent.RESET_FETCHED or device.pending_reset == ResetKind.RESET:
        state.devices.confirm_reset(device)
    state.device_log.add(device.uuid, event, now_ms, device.pending_reset)
