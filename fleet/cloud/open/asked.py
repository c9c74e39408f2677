"""Which devices a call is about, and whether its caller may do with them what it asks.

A device that is foreign, unbound, in another data centre or does not exist gets one and the same
answer (1106), and one such device refuses a whole list.
"""

from collections.abc import Iterable, Iterator
from heapq import merge

import msgspec

from fleet.cloud import rights
from fleet.cloud.devices import Device
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import OpenCall
from fleet.cloud.products import Product
from fleet.cloud.rights import Action
from fleet.cloud.spaces import Space

ASKED_MAX = 2_000
"""Of a project with more users, or more devices of users, all devices are looked through."""


class DevicePage(msgspec.Struct, frozen=True):
    """Some devices in order of id; `last_row_key` leads to the next page, empty when there is none.

    `total` counts all that the caller asked for, on whatever page.
    """

    devices: list[Device]
    has_more: bool
    last_row_key: str
    total: int


def device(call: OpenCall, action: Action) -> Device:
    """Return the device that the path names. OpenRefused: 1106 unless the caller may do `action`."""
    return rights.check(call, action, call.state.devices.by_dev_id(call.path["device_id"]))


def devices(call: OpenCall, action: Action, ids_max: int) -> list[Device]:
    """Return the devices that the query's `device_ids` name, in that order.

    OpenRefused: 1100 for none, 1101 for more than `ids_max`, 1106 unless the caller may do
    `action` with each of them.
    """
    known = call.state.devices
    return [
        rights.check(call, action, known.by_dev_id(dev_id))
        for dev_id in call.ids("device_ids", ids_max)
    ]


def product(call: OpenCall, device: Device) -> Product | None:
    """Return the product of a device."""
    return call.state.products.get(device.product_id)


def space(call: OpenCall, space_id: str) -> Space:
    """Return a space of the caller's project. OpenRefused: 1106 when it has none of that id.

    For an asset user those spaces do not exist for which the user is not authorized.
    """
    caller = call.caller
    found = call.state.spaces.get(caller.project.access_id, caller.region, space_id)
    may_enter = call.state.asset_grants.holds(caller.uid, space_id)
    if found is None or (rights.is_asset_user(call.state, caller) and not may_enter):
        raise OpenRefused(Code.PERMISSION_DENY)
    return found


# --- lists --------------------------------------------------------------------------------------


def visible(call: OpenCall, after: str = "") -> Iterator[Device]:
    """Go through the devices that the caller may see, in order of id, from above `after` on.

    Who may see few of many is not kept waiting for the others: only what some claim could be on is
    looked at. A project whose users have very many devices soon has its page.
    """
    theirs = _of_people(call)
    known = call.state.devices
    found = known.after(after) if theirs is None else _claimable(call, theirs, after)
    return (one for one in found if _may_see(call, one))


def of_user(call: OpenCall, uid: str) -> list[Device]:
    """Return the devices of a consumer. OpenRefused: 1106 for one who is not the caller's."""
    rights.check_user(call, uid)
    return [one for one in call.state.devices.owned_by(uid) if _may_see(call, one)]


def of_space(call: OpenCall, space_id: str) -> list[Device]:
    """Return the devices in a space. OpenRefused: 1106 for one that is not the project's."""
    found = call.state.devices.in_space(space(call, space_id).space_id)
    return [one for one in found if _may_see(call, one)]


def of_app(call: OpenCall, schema: str) -> list[Device]:
    """Return the devices of the users of an app.

    OpenRefused: 2017 for an app that does not exist, 1106 for one that is not the caller's.
    """
    if not call.state.projects.of_schema(schema):
        raise OpenRefused(Code.SCHEMA_NOT_EXIST)
    if schema not in call.caller.project.schemas:
        raise OpenRefused(Code.PERMISSION_DENY)
    return _of_users_of(call, schema)


def behind(call: OpenCall) -> list[Device]:
    """Return what the caller may see of what is behind the gateway that the path names.

    OpenRefused: 1106 unless the caller may see the gateway.
    """
    gateway = device(call, Action.SEE)
    return [one for one in call.state.devices.behind(gateway.dev_id) if _may_see(call, one)]


def associated(call: OpenCall) -> list[Device]:
    """Return the devices of the consumers who are the caller's: who consented, or its apps' users."""
    if call.caller.uid:
        return of_user(call, call.caller.uid)
    return [one for schema in call.caller.project.schemas for one in _of_users_of(call, schema)]


def page(found: Iterable[Device], after: str, size: int) -> DevicePage:
    """Return up to `size` of the devices found, of those with ids above `after`."""
    ordered = sorted(found, key=lambda one: one.dev_id)
    rest = [one for one in ordered if one.dev_id > after]
    shown = rest[:size]
    has_more = len(rest) > size
    return DevicePage(shown, has_more, shown[-1].dev_id if has_more else "", len(ordered))


def _of_people(call: OpenCall) -> list[Device] | None:
    """Return what a claim by user or asset could be on; None when that takes long to find."""
    state, caller = call.state, call.caller
    if state.users.count((*caller.project.schemas, caller.project.asset_app)) > ASKED_MAX:
        return None
    found: list[Device] = []
    for uid in _people(call):
        found += state.devices.owned_by(uid)
        if len(found) > ASKED_MAX:
            return None
    spaces = state.asset_grants.of_user(caller.uid)
    return found + [one for space_id in spaces for one in state.devices.in_space(space_id)]


def _claimable(call: OpenCall, theirs: Iterable[Device], after: str) -> Iterator[Device]:
    """Go through all devices that a claim of the caller could be on, in order of id.

    That is `theirs` and those by product, as in `rights.claims_of`, which has the last word.
    """
    devices = call.state.devices
    walks = [
        devices.of_product(product.product_id, after)
        for product in call.state.products.all()
        if _has_to_do_with(call, product)
    ]
    rest = {one.dev_id: one for one in theirs if one.dev_id > after}
    walks.append(iter([rest[dev_id] for dev_id in sorted(rest)]))
    last = ""
    for one in merge(*walks, key=lambda device: device.dev_id):
        if one.dev_id != last:
            yield one
        last = one.dev_id


def _has_to_do_with(call: OpenCall, product: Product) -> bool:
    """Tell whether a product is the caller's, or was granted to it where that counts."""
    account = call.caller.project.owner
    granted = call.state.settings.open_grantee_projects and any(
        call.state.accounts.grants_on(account, product)
    )
    return product.owner == account or granted


def _people(call: OpenCall) -> Iterator[str]:
    """Go through the uids of all whose devices could be the caller's business."""
    project, state = call.caller.project, call.state
    yield project.uid
    yield from state.users.of_apps((*project.schemas, project.asset_app))
    if call.caller.uid:
        yield call.caller.uid
        for home in state.homes.of_user(call.caller.uid):
            yield from home.uids


def _may_see(call: OpenCall, device: Device) -> bool:
    return rights.decide(call.state, call.caller, Action.SEE, device).allowed


def _of_users_of(call: OpenCall, schema: str) -> list[Device]:
    users, devices = call.state.users, call.state.devices
    uids = users.registered(users.app(schema, call.caller.region))
    return [one for uid in uids for one in devices.owned_by(uid) if _may_see(call, one)]
