"""Spaces of a project: making, changing and removing them, what is below and in them.

"Create Space", "Query Space", "Query Space List", "Query Resources in Space", "Query Parent-Child
Relationship" (developer.tuya.com). The pages' tables and examples spell the query differently
(`only_sub`, `onlySub`), so both are read. `last_row_key` is a number even where devices are listed,
whose ids are none: there it is a place in the list, which is ours.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from fleet.cloud import rights
from fleet.cloud.api.shapes import Name
from fleet.cloud.devices import Device
from fleet.cloud.open import asked, device_acts
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.rights import Action
from fleet.cloud.spaces import Space

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 200

_DEVICE = 0
_SPELLINGS = {
    "spaceId": "space_id",
    "onlySub": "only_sub",
    "lastRowKey": "last_row_key",
    "pageSize": "page_size",
}

SpaceId = Annotated[int, Meta(ge=0, le=2**53)] | Annotated[str, Meta(max_length=20)]
Description = Annotated[str, Meta(max_length=255)]


class SpaceForm(msgspec.Struct, frozen=True):
    """A new space; without parent it is of the first level."""

    name: Name
    parent_id: SpaceId = ""
    description: Description = ""


class ChangeForm(msgspec.Struct, frozen=True):
    """Another name, another description; what is left out stays."""

    name: Annotated[str, Meta(max_length=64)] = ""
    description: Description | None = None


class ListQuery(msgspec.Struct, frozen=True):
    """Which part of a list; `only_sub` leaves out what is deeper."""

    space_id: str = ""
    only_sub: bool = False
    last_row_key: Annotated[int, Meta(ge=0, le=2**53)] = 0
    page_size: Annotated[int, Meta(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT


class RelationQuery(msgspec.Struct, frozen=True):
    """Two spaces."""

    parent_id: str
    child_id: str


class SpaceView(msgspec.Struct, frozen=True):
    """A space; the parent of one of the first level is 0."""

    id: int
    name: str
    description: str
    parent_id: int
    root_id: int


class SpacePage(msgspec.Struct, frozen=True):
    """Ids of spaces; `last_row_key` leads to the next page, which may be empty."""

    data: list[int]
    last_row_key: int
    page_size: int


class Resource(msgspec.Struct, frozen=True, gc=False):
    """What is in a space: type 0 is a device, and the id is the device's."""

    res_id: str
    res_type: int


class ResourcePage(msgspec.Struct, frozen=True):
    """Resources; `last_row_key` leads to the next page, which may be empty."""

    data: list[Resource]
    last_row_key: int
    page_size: int


def make_space(call: OpenCall) -> int:
    """Make a space."""
    form = call.body_as(SpaceForm)
    parent = str(form.parent_id or "")
    _check_project(call)
    if parent:
        asked.space(call, parent)
    caller = call.caller
    space = call.state.spaces.make(
        caller.project.access_id,
        caller.region,
        form.name,
        call.now_ms,
        description=form.description,
        parent=parent,
    )
    return int(space.space_id)


def see_space(call: OpenCall) -> SpaceView:
    """Show a space."""
    space = _asked(call)
    root = list(call.state.spaces.ancestry(space))[-1]
    return SpaceView(
        id=int(space.space_id),
        name=space.name,
        description=space.description,
        parent_id=int(space.parent or 0),
        root_id=int(root.space_id),
    )


def change_space(call: OpenCall) -> bool:
    """Give a space another name or description."""
    form, space = call.body_as(ChangeForm), _asked(call)
    _check_project(call)
    description = space.description if form.description is None else form.description
    call.state.spaces.change(space, form.name or space.name, description)
    return True


def remove_space(call: OpenCall) -> bool:
    """Remove a space and all below it; devices that were there are in no space."""
    _check_project(call)
    for space in call.state.spaces.remove(_asked(call)):
        for device in call.state.devices.in_space(space.space_id):
            device_acts.transfer(call.state, device, "", call.now_ms)
        call.state.asset_grants.forget_space(space.space_id)
    return True


def see_children(call: OpenCall) -> SpacePage:
    """Show what is below a space; without one, the spaces of the first level."""
    query = _list_query(call)
    ids = sorted(_below(call, query))
    shown = [one for one in ids if one > query.last_row_key][: query.page_size]
    return SpacePage(shown, shown[-1] if shown else 0, query.page_size)


def see_relation(call: OpenCall) -> bool:
    """Tell whether one space is somewhere above another."""
    query = call.query_as(RelationQuery)
    parent, child = asked.space(call, query.parent_id), asked.space(call, query.child_id)
    above = [space.space_id for space in call.state.spaces.ancestry(child)]
    return parent.space_id in above[1:]


def see_resources(call: OpenCall) -> ResourcePage:
    """Show what the caller may see in a space and, unless only that is wanted, in those below."""
    query, space = _list_query(call), _asked(call)
    within = [space] if query.only_sub else call.state.spaces.subtree(space)
    found = [
        device
        for device in _devices_in(call, [one.space_id for one in within])
        if rights.decide(call.state, call.caller, Action.SEE, device).allowed
    ]
    end = query.last_row_key + query.page_size
    shown = [Resource(device.dev_id, _DEVICE) for device in found[query.last_row_key : end]]
    return ResourcePage(shown, min(end, len(found)) if shown else 0, query.page_size)


# --- details ------------------------------------------------------------------------------------


def _asked(call: OpenCall) -> Space:
    return asked.space(call, call.path["space_id"])


def _check_project(call: OpenCall) -> None:
    """Raise OpenRefused (1106) for an asset user: the tree of spaces is the project's."""
    if rights.is_asset_user(call.state, call.caller):
        raise OpenRefused(Code.PERMISSION_DENY)


def _list_query(call: OpenCall) -> ListQuery:
    given = {_SPELLINGS.get(name, name): text for name, text in call.query.items()}
    return msgspec.structs.replace(call, query=given).query_as(ListQuery)


def _below(call: OpenCall, query: ListQuery) -> Iterator[int]:
    spaces = call.state.spaces
    if query.space_id in ("", "0"):
        _check_project(call)
        first = spaces.children(call.caller.project.access_id, call.caller.region)
        return (int(space.space_id) for space in first)
    top = asked.space(call, query.space_id)
    direct = spaces.children(top.access_id, top.region, top.space_id)
    below = direct if query.only_sub else list(spaces.subtree(top))[1:]
    return (int(space.space_id) for space in below)


def _devices_in(call: OpenCall, space_ids: Iterable[str]) -> list[Device]:
    """Return the devices in these spaces, in order of id."""
    found = [one for space_id in space_ids for one in call.state.devices.in_space(space_id)]
    return sorted(found, key=lambda device: device.dev_id)


_BASE = "/v2.0/cloud/space"
_ONE = f"{_BASE}/{{space_id}}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.SPACES)
    for method, pattern, handler in (
        ("POST", f"{_BASE}/creation", make_space),
        ("GET", f"{_BASE}/child", see_children),
        ("GET", f"{_BASE}/relation", see_relation),
        ("GET", _ONE, see_space),
        ("PUT", _ONE, change_space),
        ("DELETE", _ONE, remove_space),
        ("GET", f"{_ONE}/resource", see_resources),
    )
)
