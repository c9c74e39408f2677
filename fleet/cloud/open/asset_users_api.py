"""Which asset users may work in which assets: authorizing, taking back, and what somebody has.

Only the project itself, with the token of simple mode, authorizes. Sources: "Authorize Assets",
"Authorize User with Assets", "Revoke Asset Permissions from a User", "Revoke a User's Asset
Permissions", "Query the Authorized Assets", "Get the List of Assets Authorized by Users"
(developer.tuya.com). The pages spell the fields differently (`asset_id`, `assetId`), so both are
read. The children of an asset are those that it has when it is authorized; that is ours.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleet.cloud.open import asked, assets_api
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.spaces import Space

ASSETS_MAX = 100
"""Named in one call; ours."""

_ALL = "all"
AssetId = Annotated[str, Meta(max_length=20)]
AssetIds = Annotated[str, Meta(max_length=2_200)]
PageNumber = Annotated[int, Meta(ge=1, le=2**31)]
PageSize = Annotated[int, Meta(ge=1, le=100)]
Choice = bool | Literal["true", "false"]


# --- what is asked, what is answered ------------------------------------------------------------


class AssetForm(msgspec.Struct, frozen=True):
    """One asset, or some with commas between, and whether those below them are meant as well."""

    asset_id: AssetIds = ""
    asset_ids: AssetIds = ""
    authorized_children: Choice = False


class CamelAssetForm(AssetForm, frozen=True, rename="camel"):
    """The same in the other spelling."""

    asset_id: AssetIds = ""
    asset_ids: AssetIds = ""
    authorized_children: Choice = False


class UserForm(msgspec.Struct, frozen=True):
    """A user, who is authorized for an asset."""

    uid: Annotated[str, Meta(max_length=64)]


class UserQuery(msgspec.Struct, frozen=True):
    """Which page of a user's assets."""

    page_no: PageNumber = 1
    page_size: PageSize = 10


class OwnQuery(msgspec.Struct, frozen=True):
    """Which page of the caller's own assets below another."""

    parent_asset_id: AssetId = assets_api.TOP
    page_no: PageNumber = 1
    page_size: PageSize = 20


class UserAsset(msgspec.Struct, frozen=True, gc=False):
    """An asset for which a user is authorized; `level` counts from 0."""

    asset_id: str
    parent_asset_id: str
    asset_name: str
    level: int


class UserAssets(msgspec.Struct, frozen=True):
    """Some of a user's assets; `total` counts those on all pages."""

    has_more: bool
    total: int
    rows: list[UserAsset] = msgspec.field(name="list")


class OwnAsset(msgspec.Struct, frozen=True, gc=False):
    """An asset in which the caller may work, with the number of devices directly in it."""

    asset_id: str
    asset_name: str
    parent_asset_id: str
    permission: str
    current_asset_device_num: int


class OwnAssets(msgspec.Struct, frozen=True):
    """Some of the caller's assets."""

    project_name: str
    has_more: bool
    assets: list[OwnAsset]


# --- handlers -----------------------------------------------------------------------------------


def authorize_for_asset(call: OpenCall) -> bool:
    """Let a user work in an asset."""
    return _grant(call, call.body_as(UserForm).uid, _one(call))


def authorize_user(call: OpenCall) -> bool:
    """Let the user of the path work in some assets."""
    return _grant(call, call.path["uid"], _several(call))


def revoke_one(call: OpenCall) -> bool:
    """Let the user of the path no longer work in an asset."""
    return _revoke(call, call.path["uid"], _one(call))


def revoke_several(call: OpenCall) -> bool:
    """Let the user of the path no longer work in some assets."""
    return _revoke(call, call.path["uid"], _several(call))


def see_of_user(call: OpenCall) -> UserAssets:
    """Show, page by page, for which assets the user of the path is authorized."""
    query = call.query_as(UserQuery)
    uid = _asset_user(call, call.path["uid"])
    found = [asked.space(call, one) for one in call.state.asset_grants.of_user(uid)]
    shown, has_more = _page(found, query.page_no, query.page_size)
    views = [assets_api.view(call, space) for space in shown]
    rows = [UserAsset(v.asset_id, v.parent_asset_id, v.asset_name, v.level) for v in views]
    return UserAssets(has_more, len(found), rows)


def see_own(call: OpenCall) -> OwnAssets:
    """Show, page by page, the assets directly below one in which the caller may work."""
    query = call.query_as(OwnQuery)
    found = assets_api.below(call, query.parent_asset_id)
    shown, has_more = _page(found, query.page_no, query.page_size)
    assets = [
        OwnAsset(
            space.space_id,
            space.name,
            space.parent or assets_api.TOP,
            _ALL,
            len(asked.of_space(call, space.space_id)),
        )
        for space in shown
    ]
    return OwnAssets(call.caller.project.name, has_more, assets)


# --- details ------------------------------------------------------------------------------------


def _grant(call: OpenCall, uid: str, spaces: Sequence[Space]) -> bool:
    call.state.asset_grants.grant(_asset_user(call, uid), [one.space_id for one in spaces])
    return True


def _revoke(call: OpenCall, uid: str, spaces: Sequence[Space]) -> bool:
    call.state.asset_grants.revoke(_asset_user(call, uid), [one.space_id for one in spaces])
    return True


def _asset_user(call: OpenCall, uid: str) -> str:
    """Return `uid`. OpenRefused: 1106 unless it is an asset user of the calling project's."""
    caller, users = call.caller, call.state.users
    user = users.get(uid)
    if caller.uid or user is None:
        raise OpenRefused(Code.PERMISSION_DENY)
    app = users.app_of(user)
    if (app.region, app.schema) != (caller.region, caller.project.asset_app):
        raise OpenRefused(Code.PERMISSION_DENY)
    return uid


def _one(call: OpenCall) -> list[Space]:
    forms = _forms(call)
    return _meant(call, forms, "".join(form.asset_id for form in forms))


def _several(call: OpenCall) -> list[Space]:
    forms = _forms(call)
    return _meant(call, forms, ",".join(form.asset_ids for form in forms))


def _forms(call: OpenCall) -> tuple[AssetForm, ...]:
    return (call.body_as(AssetForm), call.body_as(CamelAssetForm))


def _meant(call: OpenCall, forms: Iterable[AssetForm], ids: str) -> list[Space]:
    """Return the assets that a body means. OpenRefused: 1100 for none, 1101 for too many."""
    named = dict.fromkeys(one for one in ids.split(",") if one)
    if not named:
        raise OpenRefused(Code.PARAM_EMPTY)
    if len(named) > ASSETS_MAX:
        raise OpenRefused(Code.PARAM_RANGE)
    found = [asked.space(call, one) for one in named]
    if any(form.authorized_children in (True, "true") for form in forms):
        return [one for space in found for one in call.state.spaces.subtree(space)]
    return found


def _page(found: Sequence[Space], number: int, size: int) -> tuple[Sequence[Space], bool]:
    """Return a page, counted from 1, and whether there are more."""
    begin = (number - 1) * size
    return found[begin : begin + size], len(found) > begin + size


_USER = "/v1.0/iot-03/users/{uid}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.INDUSTRY)
    for method, pattern, handler in (
        ("POST", "/v1.0/iot-03/assets/actions/user-authorized", authorize_for_asset),
        ("POST", f"{_USER}/actions/batch-assets-authorized", authorize_user),
        ("POST", f"{_USER}/actions/assets-unauthorized", revoke_one),
        ("POST", f"{_USER}/actions/batch-assets-unauthorized", revoke_several),
        ("GET", f"{_USER}/assets", see_of_user),
        ("GET", "/v1.0/iot-03/users/assets", see_own),
    )
)
