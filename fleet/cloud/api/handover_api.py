"""The console's calls that pass products on: OEM links and transfers.

What they do is in `fleet.cloud.handover`; paths and fields are ours.
"""

from typing import ClassVar

import msgspec

from firmware_sim.wire.structs import Secretive
from fleet.cloud import handover
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Id, Name
from fleet.cloud.origins import OemLink
from fleet.cloud.products import Product
from fleet.cloud.state import State


class ShareForm(msgspec.Struct, frozen=True):
    """The product to share."""

    product_id: Id


class LinkView(Secretive, frozen=True):
    """An OEM link: what others accept, and to which product."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"link"})

    link: str
    product_id: str


class TransferForm(msgspec.Struct, frozen=True):
    """The account that is to own the product, or with `copy` a copy of it."""

    to: Name
    copy: bool = False


class HandedView(msgspec.Struct, frozen=True):
    """A product that came to another owner."""

    product_id: str
    name: str
    owner: str
    first_owner: str


def see_links(state: State, call: Call) -> list[LinkView]:
    """Show the links that the caller shares."""
    return [_link(link) for link in state.accounts.origins.links_of(call.subject)]


def share(state: State, call: Call) -> LinkView:
    """Make an OEM link to a product of the caller."""
    return _link(handover.share(state, call.subject, call.body_as(ShareForm).product_id))


def revoke(state: State, call: Call) -> bool:
    """Let a link be accepted no more; products that came of it stay."""
    handover.revoke(state, call.subject, call.path["link"])
    return True


def accept(state: State, call: Call) -> HandedView:
    """Make a product of the caller out of somebody's link."""
    return _handed(state, handover.accept(state, call.subject, call.path["link"]))


def transfer(state: State, call: Call) -> HandedView:
    """Hand a product of the caller, or a copy of it, to another account."""
    form, product_id = call.body_as(TransferForm), call.path["product_id"]
    handed = handover.transfer(state, call.subject, product_id, form.to, copy=form.copy)
    return _handed(state, handed)


def _link(link: OemLink) -> LinkView:
    return LinkView(link.link, link.product_id)


def _handed(state: State, product: Product) -> HandedView:
    first_owner = state.accounts.origins.first_owner(product.product_id)
    return HandedView(product.product_id, product.name, product.owner, first_owner)


ROUTES = (
    Route("GET", "/console/v1/oem-links", Access.ACCOUNT, see_links),
    Route("POST", "/console/v1/oem-links", Access.ACCOUNT, share),
    Route("DELETE", "/console/v1/oem-links/{link}", Access.ACCOUNT, revoke),
    Route("POST", "/console/v1/oem-links/{link}/accept", Access.ACCOUNT, accept),
    Route("POST", "/console/v1/products/{product_id}/transfer", Access.ACCOUNT, transfer),
)
