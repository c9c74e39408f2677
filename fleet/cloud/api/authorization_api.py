"""The console's page "Authorization": whom an account lets work on its products, and as what.

Partners get a right, members of the account's space a role, an account that a product comes from
the right `unbind`; each for named products. Who was granted something by several owners sees as
many spaces. What there is to choose is described in "Unbind Smart Devices" and "Authorize Product
to Partners" (developer.tuya.com); paths and fields are ours.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from fleet.cloud.accounts import CustomRole
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Id, Name
from fleet.cloud.permissions import PRESET_ROLES, Grant, GrantKind, Permission
from fleet.cloud.state import State

PRODUCTS_PER_GRANT_MAX = 1_000

GrantedProducts = Annotated[list[Id], Meta(max_length=PRODUCTS_PER_GRANT_MAX)]


class ChangeForm(msgspec.Struct, frozen=True):
    """What a grant is to be for: partners and origins have a `right`, members a `role`."""

    products: GrantedProducts
    right: str = ""
    role: str = ""


class GrantForm(ChangeForm, frozen=True, kw_only=True):
    """Let an account work on some products."""

    kind: GrantKind
    grantee: Name


class GrantView(msgspec.Struct, frozen=True):
    """A grant as its giver sees it; `role` is the right of a partner or the role of a member."""

    grant_id: str
    kind: str
    grantee: str
    role: str
    products: tuple[str, ...]


class SpaceView(msgspec.Struct, frozen=True):
    """A grant as the one sees it who has it: by whom, as what, on which products."""

    owner: str
    kind: str
    role: str
    products: tuple[str, ...]


class RoleForm(msgspec.Struct, frozen=True):
    """A custom role of the caller's space."""

    name: Name
    permissions: list[Permission]


class RoleView(msgspec.Struct, frozen=True):
    """A role that the caller can give; preset ones cannot be changed."""

    name: str
    preset: bool
    permissions: list[Permission]


def see_grants(state: State, call: Call) -> list[GrantView]:
    """Show what the caller granted."""
    return [_view(grant) for grant in state.accounts.grants_by(call.subject)]


def see_spaces(state: State, call: Call) -> list[SpaceView]:
    """Show what others granted the caller."""
    return [
        SpaceView(grant.owner, grant.kind, grant.role, grant.products)
        for grant in state.accounts.grants_to(call.subject)
    ]


def give_grant(state: State, call: Call) -> GrantView:
    """Grant a partner, a member or an origin something on the caller's products."""
    form = call.body_as(GrantForm)
    role = _role(form, form.kind)
    return _view(state.accounts.grant(call.subject, form.kind, form.grantee, role, form.products))


def change_grant(state: State, call: Call) -> GrantView:
    """Let a grant be for something else."""
    form, grant_id = call.body_as(ChangeForm), call.path["grant_id"]
    grant = state.accounts.given(call.subject, grant_id)
    role = _role(form, GrantKind(grant.kind))
    return _view(state.accounts.change(grant, role, form.products))


def revoke_grant(state: State, call: Call) -> bool:
    """Take a grant back."""
    state.accounts.revoke(call.subject, call.path["grant_id"])
    return True


def see_roles(state: State, call: Call) -> list[RoleView]:
    """Show the roles that the caller can give, preset ones first."""
    preset = (
        RoleView(name, preset=True, permissions=sorted(held)) for name, held in PRESET_ROLES.items()
    )
    own = (
        RoleView(role.name, preset=False, permissions=_permissions(role))
        for role in state.accounts.roles_of(call.subject)
    )
    return [*preset, *own]


def define_role(state: State, call: Call) -> RoleForm:
    """Make or change a custom role of the caller's space."""
    form = call.body_as(RoleForm)
    role = state.accounts.define_role(call.subject, form.name, form.permissions)
    return RoleForm(role.name, _permissions(role))


def drop_role(state: State, call: Call) -> bool:
    """Take a custom role away; who has it holds nothing by it."""
    state.accounts.drop_role(call.subject, call.path["name"])
    return True


def _role(form: ChangeForm, kind: GrantKind) -> str:
    return form.role if kind is GrantKind.SPACE else form.right


def _permissions(role: CustomRole) -> list[Permission]:
    return [Permission(permission) for permission in role.permissions]


def _view(grant: Grant) -> GrantView:
    return GrantView(grant.grant_id, grant.kind, grant.grantee, grant.role, grant.products)


ROUTES = (
    Route("GET", "/console/v1/grants", Access.ACCOUNT, see_grants),
    Route("POST", "/console/v1/grants", Access.ACCOUNT, give_grant),
    Route("PUT", "/console/v1/grants/{grant_id}", Access.ACCOUNT, change_grant),
    Route("DELETE", "/console/v1/grants/{grant_id}", Access.ACCOUNT, revoke_grant),
    Route("GET", "/console/v1/spaces", Access.ACCOUNT, see_spaces),
    Route("GET", "/console/v1/roles", Access.ACCOUNT, see_roles),
    Route("POST", "/console/v1/roles", Access.ACCOUNT, define_role),
    Route("DELETE", "/console/v1/roles/{name}", Access.ACCOUNT, drop_role),
)
