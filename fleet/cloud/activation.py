"""Activation: a device brings a token, and gets an owner, a release, or a refusal.

Binding levels as in the vendor's help centre: while a *strong* binding stands, nobody else may
bind the device; a *medium* one is taken over and the old owner is told; a *weak* one silently.
The same owner may always activate again. What a device is granted is in
tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c. That SDK repeats a call whose reply was
lost, signed anew; who repeats an old signature has only listened.

A repeated one is refused before its token is looked at, like a wrong signature or a wrong time: it is
nobody's operation, so the history has no row of it, which whoever listens could fill otherwise. It is
counted (`device_refused_replayed`).
"""

import msgspec

from fleet.cloud import push, upgrading
from fleet.cloud.devices import MAIN_CHANNEL, Device, ResetKind, Site
from fleet.cloud.history import DeviceEvent, Operation
from fleet.cloud.products import Binding, Product
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.removal import detach
from fleet.cloud.state import State
from fleet.cloud.tokens import PairToken
from fleet.cloud.unbinding import unbind
from fleet.cloud.users import ASSET_APPS


class Asked(msgspec.Struct, frozen=True):
    """What a device says when it asks to be activated, and how.

    `token` has 8 characters; `product_id`, `software` and `generation` are what it says of itself,
    `signed_s` is when it signed, by its own clock (0: it has none), `ip` where it called from.
    """

    token: str
    product_id: str
    software: str
    generation: str = ""
    signed_s: int = 0
    ip: str = ""

    def __repr__(self) -> str:
        """Show what is asked for, not the token."""
        return f"Asked(product_id={self.product_id!r}, generation={self.generation!r})"


def activate(state: State, uuid: str, asked: Asked, now_ms: int) -> tuple[Device, bool]:
    """Bind or release device `uuid` by the token that it brought.

    Returns the device with the credentials it is granted, or not `live` when it was released and is
    not to come back; and whether they are new, as the same device may repeat a call whose reply was
    lost. Raises Refused.
    """
    before = state.devices.get(uuid)
    if before is not None and _is_replayed(state, before, asked):
        raise Refused(Reason.REPLAYED)
    pair = state.tokens.pair_token(asked.token)
    if pair is None:
        device = unbind(state, uuid, asked.token, asked.product_id, now_ms)
    else:
        device = _pair(state, uuid, pair, asked.product_id, now_ms)
    if before is not None and before.sec_key == device.sec_key and before.bound == device.bound:
        return device, False
    device = upgrading.take_version(state, device, MAIN_CHANNEL, asked.software, now_ms)
    device = state.devices.note_activation(
        device, generation=asked.generation, asked_s=asked.signed_s, ip=asked.ip
    )
    return device, True


def _is_replayed(state: State, device: Device, asked: Asked) -> bool:
    """Say whether the device signed this before its last activation.

    Within the same second it may repeat itself, and nothing can be done to it in so short a time.
    """
    early = 0 < asked.signed_s < device.asked_s
    return early and state.settings.refuse_replayed_activations


def _pair(state: State, uuid: str, token: PairToken, product_id: str, now_ms: int) -> Device:
    device = state.devices.get(uuid)
    if device is not None and device.bound_by == token.token:
        return device
    try:
        device, product = _admit(state, device, token, product_id, now_ms)
    except Refused as refusal:
        state.tokens.note_failure(token, uuid, refusal.reason)
        state.record(Operation.BIND, uuid, now_ms, account=token.uid, reason=refusal.reason)
        raise
    return _bind(state, device, product, token, now_ms)


def _admit(
    state: State, device: Device | None, token: PairToken, product_id: str, now_ms: int
) -> tuple[Device, Product]:
    if not token.alive(now_ms):
        raise Refused(Reason.TOKEN_DEAD)
    product = state.products.get(device.product_id) if device is not None else None
    if device is None or product is None:
        raise Refused(Reason.DEVICE_UNKNOWN)
    if product_id != product.product_id:
        raise Refused(Reason.PRODUCT_MISMATCH)
    if not may_bind(device, product, token.uid):
        raise Refused(Reason.ALREADY_BOUND)
    return device, product


def may_bind(device: Device, product: Product, uid: str) -> bool:
    """Tell whether the binding that stands, if one does, lets consumer `uid` bind the device."""
    return device.owner in {"", uid} or product.binding != Binding.STRONG


def _bind(state: State, before: Device, product: Product, token: PairToken, now_ms: int) -> Device:
    stranger = before.last_owner not in {"", token.uid}
    wipe = _must_wipe(state, before, stranger=stranger)
    if stranger and before.dev_id:
        state.data_points.forget(before.dev_id)
        kind = ResetKind.RESET_FACTORY if wipe else ResetKind.RESET
        detach(state, before, kind, now_ms, silently=product.binding == Binding.WEAK)
    device = state.devices.bind(
        before,
        token.uid,
        token.token,
        name=product.name if stranger or not before.name else before.name,
        wipe=wipe,
        now_ms=now_ms,
        site=_site(state, before, token, now_ms),
    )
    state.tokens.spend(token, device.uuid)
    state.record(Operation.BIND, device.uuid, now_ms, account=token.uid)
    if before.bound and before.owner != token.uid and product.binding == Binding.MEDIUM:
        state.device_log.add(device.uuid, DeviceEvent.TAKEN_OVER, now_ms, f"from {before.owner}")
        state.journal.effects.append(push.deleted(before))
    state.device_log.add(device.uuid, DeviceEvent.BOUND, now_ms, f"to {device.owner}")
    if before.owner != token.uid:
        state.journal.effects.append(push.bound(device))
    return device


def _site(state: State, before: Device, token: PairToken, now_ms: int) -> Site:
    """Return where the device will be: a consumer's in a home, which is made if there is none.

    Projects and their asset users have no homes, but assets.
    """
    user = state.users.get(token.uid)
    if user is None or user.schema.startswith(ASSET_APPS):
        return token.site
    home, made = state.homes.take_in(token.uid, token.site.home, before.dev_id, now_ms)
    if made:
        told = push.home_changed(
            "homeCreate", home.home_id, home.name, user.uid, user.schema, now_ms
        )
        state.journal.effects.append(told)
    return msgspec.structs.replace(token.site, home=home.home_id)


def _must_wipe(state: State, before: Device, *, stranger: bool) -> bool:
    """Say whether the device still holds what its new owner must not see.

    Either it missed the order to erase everything, as a removal or as its last activation gave it,
    or it was somebody else's.
    """
    missed = before.pending_reset == ResetKind.RESET_FACTORY and not before.reset_told
    return missed or before.wipe or (stranger and state.settings.wipe_on_new_owner)
