"""Batch unbinding: an operator's token meets a device that was reset, and releases it.

The first objection of `_admit`, in the order of its lines, is the refusal. A release is one step
of the cloud, hence one commit: binding removed, place on the token taken, both quotas taken,
history and device log written, the message `delete` raised. What is behind a gateway leaves with it
and counts nowhere. A refusal leaves a history row with its reason and charges nobody.

How a released device learns of it is the setting `unbind_mode`. "reset": it is activated once
more, under no owner, and told to reset as soon as it is online. "refuse": its activation is
answered like that of a device that does not exist, on which firmware forgets the token.

The vendor publishes who may, the 30 devices of a token and the quotas ("Unbind Smart Devices",
developer.tuya.com), not the calls: the order and the two modes are ours.
"""

import msgspec

from fleet.cloud import push
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.history import DeviceEvent, Operation
from fleet.cloud.products import Product
from fleet.cloud.quotas import Scope
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.removal import detach
from fleet.cloud.state import State
from fleet.cloud.tokens import UnbindToken


class _Case(msgspec.Struct, frozen=True):
    token: UnbindToken
    device: Device
    product: Product


def unbind(state: State, uuid: str, token_name: str, product_id: str, now_ms: int) -> Device:
    """Release device `uuid` by the unbinding token of these 8 characters.

    `product_id` is what the device says of itself. Returns the device as it is now: without owner,
    a reset pending. A device that this token has released before, and that nobody bound since, gets
    the same answer again and is not charged again (its reply may have been lost). Raises Refused.
    """
    token, device = state.tokens.unbind_token(token_name), state.devices.get(uuid)
    if token is not None and device is not None and _repeats(device, token, now_ms):
        return state.devices.offer_again(device) if _admits(state) else device
    try:
        case = _admit(state, token, device, product_id, now_ms)
    except Refused as refusal:
        _record(state, token, uuid, now_ms, refusal.reason)
        raise
    return _release(state, case, now_ms)


def usable(token: UnbindToken | None, now_ms: int) -> UnbindToken:
    """Return a token that can release a device. Refused: TOKEN_DEAD (also for none), TOKEN_FULL."""
    if token is None or not token.alive(now_ms):
        raise Refused(Reason.TOKEN_DEAD)
    if token.used >= token.devices_max:
        raise Refused(Reason.TOKEN_FULL)
    return token


def _admit(
    state: State,
    token: UnbindToken | None,
    device: Device | None,
    product_id: str,
    now_ms: int,
) -> _Case:
    token = usable(token, now_ms)
    product = state.products.get(device.product_id) if device is not None else None
    if device is None or product is None:
        raise Refused(Reason.DEVICE_UNKNOWN)
    if product_id != product.product_id:
        raise Refused(Reason.PRODUCT_MISMATCH)
    if not device.bound:
        raise Refused(Reason.NOT_BOUND)
    decision = state.accounts.may_unbind(token.account, product)
    if not decision.allowed:
        raise Refused(Reason.NO_PERMISSION, decision.why)
    if not state.quotas.has_room(Scope.ACCOUNT, token.account, now_ms):
        raise Refused(Reason.ACCOUNT_QUOTA)
    if not state.quotas.has_room(Scope.PRODUCT, product.product_id, now_ms):
        raise Refused(Reason.PRODUCT_QUOTA)
    return _Case(token, device, product)


def _release(state: State, case: _Case, now_ms: int) -> Device:
    kind = ResetKind(state.settings.unbind_reset_kind)
    detach(state, case.device, kind, now_ms)
    device = state.devices.release(
        case.device, case.token.batch, kind, now_ms, admit=_admits(state)
    )
    if kind is ResetKind.RESET_FACTORY:
        state.data_points.forget(device.dev_id)
    state.data_points.desired.forget(device.dev_id)
    state.tokens.count_release(case.token)
    state.quotas.take(Scope.ACCOUNT, case.token.account, now_ms)
    state.quotas.take(Scope.PRODUCT, case.product.product_id, now_ms)
    _record(state, case.token, device.uuid, now_ms)
    state.device_log.add(device.uuid, DeviceEvent.UNBOUND, now_ms, f"batch {case.token.batch}")
    state.journal.effects.append(push.deleted(case.device))
    return device


def _record(
    state: State, token: UnbindToken | None, uuid: str, now_ms: int, reason: Reason | None = None
) -> None:
    state.record(
        Operation.UNBIND,
        uuid,
        now_ms,
        account=token.account if token is not None else "",
        method=token.method if token is not None else "",
        batch=token.batch if token is not None else "",
        reason=reason,
    )


def _repeats(device: Device, token: UnbindToken, now_ms: int) -> bool:
    """Say whether this token released the device and nothing happened since but lost replies.

    Once the device knows of its release, the same living code before its lens does the same again;
    a dead one is refused like any dead token.
    """
    released = not device.bound and device.released_by == token.batch
    return released and (not device.reset_told or token.alive(now_ms))


def _admits(state: State) -> bool:
    return state.settings.unbind_mode == "reset"
