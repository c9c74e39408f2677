"""Who may do what with whose products: three tables and one pure function.

A product belongs to one account. Others may work on it by a grant of that owner for named
products: a *partner* of another organization is granted a right (development, purchase or both),
a member of the owner's organization *space* is given a role, preset or custom, and the account
that the product comes from, its *origin*, may be granted unbinding (`fleet.cloud.handover`). Facts
from the vendor's page "Unbind Smart Devices" (developer.tuya.com): unbinding takes the owner, a
partner with the development right, or a member whose role is "After sale", "Administrators" or a
custom one that holds the unbind permission, with the product among the member's data. The vendor
has 11 preset roles and its pages name the six here; what those hold that neither unbind nor
administrate is ours, since no permissions are listed.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from fleet.cloud.store.records import Record


class Permission(StrEnum):
    """What can be allowed on a product."""

    UNBIND = "unbind"
    SEE_PRODUCT = "see_product"
    EDIT_PRODUCT = "edit_product"
    SEE_DEVICE_LOG = "see_device_log"
    SEE_DATA = "see_data"
    ORDER = "order"


class GrantKind(StrEnum):
    """How the grantee stands to the owner."""

    PARTNER = "partner"
    SPACE = "space"
    ORIGIN = "origin"


_DEVELOPMENT = frozenset(
    {
        Permission.UNBIND,
        Permission.SEE_PRODUCT,
        Permission.EDIT_PRODUCT,
        Permission.SEE_DEVICE_LOG,
    }
)
_PURCHASE = frozenset({Permission.SEE_PRODUCT, Permission.ORDER})

PARTNER_RIGHTS: Mapping[str, frozenset[Permission]] = {
    "development": _DEVELOPMENT,
    "purchase": _PURCHASE,
    "both": _DEVELOPMENT | _PURCHASE,
}

ORIGIN_RIGHTS: Mapping[str, frozenset[Permission]] = {"unbind": frozenset({Permission.UNBIND})}

PRESET_ROLES: Mapping[str, frozenset[Permission]] = {
    "After sale": frozenset({Permission.UNBIND, Permission.SEE_PRODUCT, Permission.SEE_DEVICE_LOG}),
    "Administrators": frozenset(Permission),
    "developer": frozenset(
        {Permission.SEE_PRODUCT, Permission.EDIT_PRODUCT, Permission.SEE_DEVICE_LOG}
    ),
    "data operation": frozenset({Permission.SEE_PRODUCT, Permission.SEE_DATA}),
    "customer service": frozenset({Permission.SEE_PRODUCT, Permission.SEE_DEVICE_LOG}),
    "buyer": _PURCHASE,
}


class Grant(Record, gc=False):
    """One owner lets one other account work on some of its products.

    `role` is the right of a partner or an origin, or the name of a space role, preset or the
    owner's own.
    """

    TABLE = "grants"
    KEY = ("grant_id",)

    grant_id: str
    kind: str
    owner: str
    grantee: str
    role: str
    products: tuple[str, ...]


class Decision(msgspec.Struct, frozen=True):
    """Whether something is allowed, and by what or why not, in words for a person."""

    allowed: bool
    why: str


def decide(
    permission: Permission,
    account: str,
    product_id: str,
    owner: str,
    grants: Iterable[Grant],
    custom_roles: Mapping[str, frozenset[Permission]],
) -> Decision:
    """Decide whether `account` has `permission` on `owner`'s product.

    `custom_roles` are those of `owner`; grants of other owners or to other accounts are ignored.
    """
    if account == owner:
        return Decision(allowed=True, why="owner")
    near_miss = "no grant of the product's owner"
    for grant in grants:
        if grant.owner != owner or grant.grantee != account:
            continue
        if product_id not in grant.products:
            near_miss = "the product is not among the granted ones"
        elif permission in held(grant, custom_roles):
            return Decision(allowed=True, why=f"{grant.kind}: {grant.role}")
        else:
            near_miss = f"{grant.kind} {grant.role} does not hold {permission}"
    return Decision(allowed=False, why=near_miss)


def held(grant: Grant, custom_roles: Mapping[str, frozenset[Permission]]) -> frozenset[Permission]:
    """Return what a grant holds; a custom role cannot take the name of a preset one."""
    if grant.kind == GrantKind.PARTNER:
        return PARTNER_RIGHTS.get(grant.role, frozenset())
    if grant.kind == GrantKind.ORIGIN:
        return ORIGIN_RIGHTS.get(grant.role, frozenset())
    if grant.role in PRESET_ROLES:
        return PRESET_ROLES[grant.role]
    return custom_roles.get(grant.role, frozenset())
