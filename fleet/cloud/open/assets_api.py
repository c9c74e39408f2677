"""Assets: the tree of places of the industry family, which is that of the project's spaces.

Reading only, as far as tuya/tuya-iot-python-sdk (`tuya_iot/asset.py`) goes: it walks the tree from
`-1`, which stands above all assets, and asks for the devices in each. Asset users find those for
which they are authorized. Shapes: "Query Assets by Asset ID", "Paging query of sub-nodes under the
current node", "Query Node Devices in Pages" (developer.tuya.com). Assets are made as spaces.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from fleet.cloud import rights
from fleet.cloud.open import asked
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.spaces import Space

TOP = "-1"
"""Parent of the assets of the first level."""


class PageQuery(msgspec.Struct, frozen=True):
    """Which page."""

    page_size: Annotated[int, Meta(ge=1, le=100)]
    last_row_key: str = ""


class Asset(msgspec.Struct, frozen=True, gc=False):
    """An asset; the full name is all names from the first level on, `level` counts from 0."""

    asset_id: str
    asset_name: str
    asset_full_name: str
    parent_asset_id: str
    level: int


class AssetPage(msgspec.Struct, frozen=True):
    """Some assets; go on after `last_row_key`."""

    rows: list[Asset] = msgspec.field(name="list")
    last_row_key: str
    page_size: int
    has_next: bool


class AssetDevice(msgspec.Struct, frozen=True, gc=False):
    """A device in an asset."""

    device_id: str
    asset_id: str
    asset_name: str


class AssetDevicePage(msgspec.Struct, frozen=True):
    """Some devices; `total_size` counts those on all pages."""

    rows: list[AssetDevice] = msgspec.field(name="list")
    last_row_key: str
    page_size: int
    total_size: int
    has_next: bool


def see_asset(call: OpenCall) -> Asset:
    """Show an asset."""
    return view(call, asked.space(call, call.path["asset_id"]))


def see_below(call: OpenCall) -> AssetPage:
    """Show, page by page, the assets directly below one."""
    query = call.query_as(PageQuery)
    found = below(call, call.path["asset_id"])
    rest = [one for one in found if one.space_id > query.last_row_key]
    shown = rest[: query.page_size]
    last = shown[-1].space_id if shown else ""
    views = [view(call, space) for space in shown]
    return AssetPage(views, last, query.page_size, len(rest) > len(shown))


def see_devices(call: OpenCall) -> AssetDevicePage:
    """Show, page by page, the devices in an asset that the caller may see."""
    query = call.query_as(PageQuery)
    space = asked.space(call, call.path["asset_id"])
    page = asked.page(asked.of_space(call, space.space_id), query.last_row_key, query.page_size)
    rows = [AssetDevice(one.dev_id, space.space_id, space.name) for one in page.devices]
    last = rows[-1].device_id if rows else ""
    return AssetDevicePage(rows, last, query.page_size, page.total, page.has_more)


# --- what other calls need as well ---------------------------------------------------------------


def below(call: OpenCall, parent: str) -> list[Space]:
    """Return, in order of id, the assets directly below one in which the caller may work.

    At the top those are for an asset user who may not work in what is above them.
    """
    caller, spaces, grants = call.caller, call.state.spaces, call.state.asset_grants
    alone = rights.is_asset_user(call.state, caller)
    if parent == TOP and alone:
        own = [asked.space(call, one) for one in grants.of_user(caller.uid)]
        return [one for one in own if not grants.holds(caller.uid, one.parent)]
    above = "" if parent == TOP else asked.space(call, parent).space_id
    found = spaces.children(caller.project.access_id, caller.region, above)
    return [one for one in found if not alone or grants.holds(caller.uid, one.space_id)]


def view(call: OpenCall, space: Space) -> Asset:
    """Return an asset as it is shown."""
    line = list(call.state.spaces.ancestry(space))
    names = "".join(one.name for one in reversed(line))
    return Asset(space.space_id, space.name, names, space.parent or TOP, len(line) - 1)


_ASSET = "/v1.0/iot-02/assets/{asset_id}"

ROUTES = tuple(
    Route("GET", pattern, handler, Family.INDUSTRY)
    for pattern, handler in (
        (_ASSET, see_asset),
        (f"{_ASSET}/sub-assets", see_below),
        (f"{_ASSET}/devices", see_devices),
    )
)
