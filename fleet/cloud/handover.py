"""How products come to other owners: by an OEM link that somebody accepts, or by transfer.

Accepting a link makes a copy that belongs to whoever accepts; who shared the link may unbind its
devices from then on. A transfer hands over a product, or a copy of it; whether its first owner may
unbind from then on, or only can be granted that, is the setting `pid_transfer_rule`: the vendor's
page says "can be granted" in 2022 and "automatically" in 2024 ("Unbind Smart Devices",
developer.tuya.com). Either is an ordinary grant of the present owner, who can revoke it at any
time. Bounds, and that grants and links of a former owner end with the transfer, are ours.
"""

import msgspec

from fleet.cloud.origins import OemLink
from fleet.cloud.products import Product
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State


def share(state: State, owner: str, product_id: str, link: str = "") -> OemLink:
    """Make an OEM link to a product of `owner`; its text is drawn unless given. Raises Refused."""
    product = _own(state, owner, product_id)
    links = state.accounts.origins.links_of(owner)
    if len(links) >= state.settings.oem_links_per_owner_max:
        raise Refused(Reason.TOO_MANY, "revoke a link first")
    if state.accounts.origins.link(link) is not None:
        raise Refused(Reason.NAME_TAKEN, "there is such a link already")
    return state.accounts.origins.share(owner, product.product_id, link)


def revoke(state: State, owner: str, link: str) -> None:
    """Let a link be accepted no more. Raises Refused when `owner` shares no such link."""
    known = state.accounts.origins.link(link)
    if known is None or known.owner != owner:
        raise Refused(Reason.NOT_FOUND, "you share no such link")
    state.accounts.origins.unshare(known)


def accept(state: State, account: str, link: str) -> Product:
    """Make a product of `account` out of a link; who shared it may unbind its devices.

    Raises Refused.
    """
    known = state.accounts.origins.link(link)
    product = state.products.get(known.product_id) if known is not None else None
    if known is None or product is None:
        raise Refused(Reason.NOT_FOUND, "there is no such link, or it was revoked")
    if account == known.owner:
        raise Refused(Reason.NO_PERMISSION, "the link is your own")
    _check_room(state, account)
    copy = _copy(state, product, account, known.owner)
    state.accounts.grant_first_owner(account, copy.product_id)
    return copy


def transfer(state: State, owner: str, product_id: str, to: str, *, copy: bool) -> Product:
    """Hand a product of `owner` to the account `to`, or with `copy` a copy of it.

    Returns the product as its new owner has it. Raises Refused.
    """
    product = _own(state, owner, product_id)
    if to == owner or to not in state.accounts:
        raise Refused(Reason.NOT_FOUND, "no other account has this name")
    _check_room(state, to)
    origins = state.accounts.origins
    if copy:
        first = origins.first_owner(product_id) or owner
        handed = _copy(state, product, to, first)
    else:
        origins.note(product_id, owner)
        origins.unshare_product(product_id)
        state.accounts.end_grants_on(product)
        handed = state.products.put(msgspec.structs.replace(product, owner=to))
    if state.settings.pid_transfer_rule == "2024":
        state.accounts.grant_first_owner(to, handed.product_id)
    return handed


def _own(state: State, owner: str, product_id: str) -> Product:
    product = state.products.get(product_id)
    if product is None or product.owner != owner:
        raise Refused(Reason.NO_PERMISSION, "name a product of your own")
    return product


def _check_room(state: State, account: str) -> None:
    owned = sum(product.owner == account for product in state.products.all())
    if owned >= state.settings.products_per_owner_max:
        raise Refused(Reason.TOO_MANY, f"{account} has too many products")


def _copy(state: State, product: Product, owner: str, first_owner: str) -> Product:
    product_id = state.accounts.origins.new_product_id()
    state.accounts.origins.note(product_id, first_owner, product.product_id)
    return state.products.put(msgspec.structs.replace(product, product_id=product_id, owner=owner))
