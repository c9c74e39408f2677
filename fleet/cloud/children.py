"""Sub-devices: what is behind a gateway or a recorder, bound by its calls and present by its word.

A sub-device is a record of the registry like a device, but it has no keys: it never speaks for
itself. It is known by its gateway and its node id there, keeps its device id for life, and belongs
to whom the gateway belongs to. "Device Reset" (developer.tuya.com): when a gateway is removed its
sub-devices stay on it and come back with it, so the records stay here too, without owner; when it
is removed and wiped they are forgotten on both sides. How a sub-device loses its owner is in
`removal`.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from fleet.cloud import push, upgrading
from fleet.cloud.devices import MAIN_CHANNEL, Device
from fleet.cloud.history import DeviceEvent
from fleet.cloud.products import Product
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State

_UUID_PREFIX, _DEV_ID_PREFIX = "sub", "bf"
_UUID_DIGITS, _DEV_ID_DIGITS = 22, 20


class Asked(msgspec.Struct, frozen=True):
    """What a gateway says of a sub-device that it binds."""

    node_id: str
    product_id: str
    software: str
    online: bool


# --- look up ------------------------------------------------------------------------------------


def find(state: State, gateway: Device, node_id: str) -> Device | None:
    """Return the record of a sub-device of `gateway`, bound or not."""
    known = state.devices.get(_names(gateway, node_id)[0])
    if known is not None and known.gateway == gateway.dev_id:
        return known
    there = state.devices.behind(gateway.dev_id)  # a seed gives them other names
    return next((child for child in there if child.node_id == node_id), None)


def bound(state: State, gateway: Device, node_id: str) -> Device:
    """Return a bound sub-device of `gateway`. Refused: NOT_BOUND when there is none."""
    child = find(state, gateway, node_id)
    if child is None or not child.bound:
        raise Refused(Reason.NOT_BOUND, "this gateway has no such sub-device")
    return child


def meant(state: State, device: Device, node_id: str | None) -> Device:
    """Return of whom a device speaks: itself, or a bound sub-device. Refused: NOT_BOUND."""
    return device if node_id is None else bound(state, device, node_id)


def all_bound(state: State, gateway: Device) -> list[Device]:
    """Return the bound sub-devices of `gateway`, sorted by uuid."""
    return [child for child in state.devices.behind(gateway.dev_id) if child.bound]


def is_frozen(state: State, device: Device) -> bool:
    """Tell whether a device takes no commands: it is frozen itself, or what it is behind."""
    gateway = state.devices.by_dev_id(device.gateway) if device.gateway else None
    return device.frozen or (gateway is not None and gateway.frozen)


# --- bind ---------------------------------------------------------------------------------------


def bind(state: State, gateway: Device, asked: Asked, now_ms: int) -> Device:
    """Bind a sub-device to the owner of `gateway`; one that is bound already stays as it is.

    Refused: NOT_BOUND when the gateway is nobody's, or has yet to learn that the sub-device was
    removed; DEVICE_UNKNOWN for a product that does not exist, PRODUCT_MISMATCH for another one than
    the sub-device is bound as, TOO_MANY for more than a gateway may have, NAME_TAKEN when something
    else has its uuid or device id.
    """
    if not gateway.bound:
        raise Refused(Reason.NOT_BOUND)
    product = state.products.get(asked.product_id)
    if product is None:
        raise Refused(Reason.DEVICE_UNKNOWN, "no such product")
    before = find(state, gateway, asked.node_id)
    if before is None:
        before = _make(state, gateway, asked, now_ms)
    if before.pending_reset and not before.reset_told:
        raise Refused(Reason.NOT_BOUND, "it was removed")
    if before.bound and before.product_id != product.product_id:
        raise Refused(Reason.PRODUCT_MISMATCH)
    child = before
    if not before.bound or before.local_key != gateway.local_key:
        child = _attach(state, gateway, before, product, now_ms)
    child = upgrading.take_version(state, child, MAIN_CHANNEL, asked.software, now_ms)
    note_presence(state, child, now_ms, online=asked.online)
    return child


def _make(state: State, gateway: Device, asked: Asked, now_ms: int) -> Device:
    """Return a new sub-device, which is not registered yet; make room for it if need be."""
    uuid, dev_id = _names(gateway, asked.node_id)
    if state.devices.get(uuid) is not None or state.devices.by_dev_id(dev_id) is not None:
        raise Refused(Reason.NAME_TAKEN)
    there = state.devices.behind(gateway.dev_id)
    if len(there) >= state.settings.sub_devices_per_gateway_max:
        over = [
            child for child in there if child.reset_told or not (child.bound or child.pending_reset)
        ]
        if not over:
            raise Refused(Reason.TOO_MANY, "this gateway has too many sub-devices")
        _forget(state, min(over, key=lambda child: child.activated_ms))
    return Device(
        uuid=uuid,
        auth_key="",
        product_id=asked.product_id,
        dev_id=dev_id,
        gateway=gateway.dev_id,
        node_id=asked.node_id,
        created_ms=now_ms,
    )


def _attach(state: State, gateway: Device, before: Device, product: Product, now_ms: int) -> Device:
    stranger = before.last_owner not in {"", gateway.owner}
    is_new = stranger or before.product_id != product.product_id
    if is_new:
        state.data_points.forget(before.dev_id)
    home = gateway.home
    if home and not before.bound:
        home = state.homes.take_in(gateway.owner, home, before.dev_id, now_ms)[0].home_id
    child = state.devices.add(
        msgspec.structs.replace(
            before,
            dev_id=before.dev_id or _names(gateway, before.node_id)[1],
            product_id=product.product_id,
            name=product.name if is_new or not before.name else before.name,
            point_names=() if is_new else before.point_names,
            local_key=gateway.local_key,
            owner=gateway.owner,
            last_owner=gateway.owner,
            pending_reset="",
            reset_told=False,
            revoked=False,
            wipe=before.wipe or (stranger and state.settings.wipe_on_new_owner),
            activated_ms=now_ms,
            home=home,
            region=gateway.region,
            space=gateway.space,
            time_zone=gateway.time_zone,
            lon=gateway.lon,
            lat=gateway.lat,
        )
    )
    if not before.bound:
        detail = f"behind {gateway.dev_id}, to {child.owner}"
        state.device_log.add(child.uuid, DeviceEvent.BOUND, now_ms, detail)
        state.journal.effects.append(push.bound(child))
    return child


def _forget(state: State, child: Device) -> None:
    state.data_points.forget(child.dev_id)
    for order in state.upgrades.orders(child.uuid):
        state.upgrades.close(order)
    state.devices.drop(child)


def _names(gateway: Device, node_id: str) -> tuple[str, str]:
    """Return uuid and device id of a sub-device: they follow from where it is."""
    digest = hashlib.sha256(f"{gateway.uuid}/{node_id}".encode()).hexdigest()
    dev_id = digest[_UUID_DIGITS : _UUID_DIGITS + _DEV_ID_DIGITS]
    return _UUID_PREFIX + digest[:_UUID_DIGITS], _DEV_ID_PREFIX + dev_id


# --- presence -----------------------------------------------------------------------------------


def take_presence(
    state: State, gateway: Device, node_ids: Iterable[str], now_ms: int, *, online: bool
) -> None:
    """Note which sub-devices came or went.

    Those that are not bound behind this gateway do not count. More changes in a second than a
    gateway may tell of are dropped.
    """
    there = {child.node_id: child for child in all_bound(state, gateway)}
    for child in (there[node_id] for node_id in node_ids if node_id in there):
        if (child.dev_id in state.reach) is online:
            continue
        if not state.reach.spend(gateway.dev_id, now_ms):
            state.counts["sub_device_presence_dropped"] += 1
            break
        note_presence(state, child, now_ms, online=online)


def note_presence(
    state: State, child: Device, now_ms: int, *, online: bool, detail: str = ""
) -> bool:
    """Note that a sub-device came or went; return whether that is news."""
    if not state.reach.note(child.dev_id, near=online):
        return False
    event = DeviceEvent.ONLINE if online else DeviceEvent.OFFLINE
    state.device_log.add(child.uuid, event, now_ms, detail)
    state.journal.effects.append(push.presence(child, now_ms, online=online))
    return True


def lose_all(state: State, gateway: Device, now_ms: int) -> None:
    """Note that a gateway is gone, and so whatever is behind it."""
    state.reach.forget(gateway.dev_id)
    for child in state.devices.behind(gateway.dev_id):
        note_presence(state, child, now_ms, online=False, detail="its gateway is gone")
