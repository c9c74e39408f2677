"""Which devices a call is about, and whether its caller may do with them what it asks.

A device that is foreign, unbound, in another data centre or does not exist gets one and the same
answer (1106), and one such device refuses a whole list.
"""

from collections.abc import Iterable, Iterator

import msgspec

from fleet.cloud import rights
from fleet.cloud.devices import Device
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import OpenCall
from fleet.cloud.products import Product
from fleet.cloud.rights import Action
from fleet.cloud.spaces import Space


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
    """Return a space of the caller's project. OpenRefused: 1106 when it has none of that id."""
    access_id, region = call.caller.project.access_id, call.caller.region
    found = call.state.spaces.get(access_id, region, space_id)
    if found is None:
        raise OpenRefused(Code.PERMISSION_DENY)
    return found


# --- lists --------------------------------------------------------------------------------------


def visible(call: OpenCall, after: str = "") -> Iterator[Device]:
    """Go through the devices that the caller may see, in order of id, from above `after` on."""
    return (one for one in call.state.devices.after(after) if _may_see(call, one))


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


def _may_see(call: OpenCall, device: Device) -> bool:
    return rights.decide(call.state, call.caller, Action.SEE, device).allowed


def _of_users_of(call: OpenCall, schema: str) -> list[Device]:
    users, devices = call.state.users, call.state.devices
    uids = users.registered(users.app(schema, call.caller.region))
    return [one for uid in uids for one in devices.owned_by(uid) if _may_see(call, one)]
