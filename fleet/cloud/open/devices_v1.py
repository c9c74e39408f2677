"""Devices, smart home family (`/v1.0/devices`): reading, naming, status, commands, deletion.

Paths and shapes: "Device Management" and "Device Control" (developer.tuya.com), tuya/tuya-cloud-
sdk-go (api/device), tuya/tuya-iot-python-sdk (`tuya_iot/device.py`, which resets by POST),
jasonacox/tinytuya (`tinytuya/Cloud.py`).
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from fleet.cloud.api.shapes import Name
from fleet.cloud.devices import ResetKind
from fleet.cloud.open import asked, device_acts, device_view, standard
from fleet.cloud.open.device_view import FactoryInfo, SmartHomeDevice, SubDevice
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.open.standard import Command, Functions, Specification, Status
from fleet.cloud.rights import Action

PAGE_SIZE_DEFAULT = 20
ASSOCIATED_PAGE_SIZE_MAX = 100

PageSize = Annotated[int, Meta(ge=1, le=ASSOCIATED_PAGE_SIZE_MAX)]


class NameForm(msgspec.Struct, frozen=True):
    """A new name."""

    name: Name


class CommandForm(msgspec.Struct, frozen=True):
    """Values that data points are to take."""

    commands: Annotated[list[Command], Meta(min_length=1)]


class PageQuery(msgspec.Struct, frozen=True):
    """Which page of a list of ids, from 1 on."""

    page_no: Annotated[int, Meta(ge=1)] = 1
    page_size: PageSize = PAGE_SIZE_DEFAULT


class AssociatedQuery(msgspec.Struct, frozen=True):
    """Which page of the devices of associated users; times in seconds."""

    size: PageSize = PAGE_SIZE_DEFAULT
    last_row_key: str = ""
    start_update_time: int = 0
    end_update_time: int = 2**53


class DeviceList(msgspec.Struct, frozen=True):
    """Devices by id."""

    devices: list[SmartHomeDevice]
    total: int


class AssociatedDevices(msgspec.Struct, frozen=True):
    """Devices of associated users; `last_row_key` leads to the next page."""

    devices: list[SmartHomeDevice]
    has_more: bool
    last_row_key: str
    total: int


def see_device(call: OpenCall) -> SmartHomeDevice:
    """Show one device."""
    return device_view.smart_home(call.state, call.link, asked.device(call, Action.SEE))


def see_devices(call: OpenCall) -> DeviceList:
    """Show the devices of a list of ids."""
    query = call.query_as(PageQuery)
    found = asked.devices(call, Action.SEE, call.state.settings.open_list_ids_max)
    first = (query.page_no - 1) * query.page_size
    shown = found[first : first + query.page_size]
    views = [device_view.smart_home(call.state, call.link, device) for device in shown]
    return DeviceList(views, len(found))


def see_associated(call: OpenCall) -> AssociatedDevices:
    """Show, page by page, the devices of the app users that the caller may see."""
    query = call.query_as(AssociatedQuery)
    found = (
        device
        for device in asked.associated(call)
        if query.start_update_time
        <= device_view.status_changed_s(call.state, device)
        <= query.end_update_time
    )
    page = asked.page(found, query.last_row_key, query.size)
    views = [device_view.smart_home(call.state, call.link, device) for device in page.devices]
    return AssociatedDevices(views, page.has_more, page.last_row_key, page.total)


def see_status(call: OpenCall) -> list[Status]:
    """Show the last values of a device."""
    return device_view.status_of(call.state, asked.device(call, Action.STATUS))


def see_statuses(call: OpenCall) -> dict[str, list[Status]]:
    """Show the last values of several devices, by device id."""
    found = asked.devices(call, Action.STATUS, call.state.settings.open_list_ids_max)
    return {device.dev_id: device_view.status_of(call.state, device) for device in found}


def send_commands(call: OpenCall) -> bool:
    """Send values to a device."""
    commands = call.body_as(CommandForm).commands
    device = asked.device(call, Action.COMMAND)
    device_acts.command(call.state, call.link, device, commands, call.now_ms)
    return True


def see_functions(call: OpenCall) -> Functions:
    """Show what can be set on a device."""
    return standard.functions(asked.product(call, asked.device(call, Action.SEE)))


def see_category_functions(call: OpenCall) -> Functions:
    """Show what can be set on devices of a category."""
    return standard.category_functions(call.state, call.path["category"])


def see_specification(call: OpenCall) -> Specification:
    """Show what can be set and what is reported."""
    return standard.specification(asked.product(call, asked.device(call, Action.SEE)))


def see_numbered_specification(call: OpenCall) -> Specification:
    """Show the same with the numbers of the data points."""
    product = asked.product(call, asked.device(call, Action.SEE))
    return standard.specification(product, with_ids=True)


def rename(call: OpenCall) -> bool:
    """Give a device another name."""
    name = call.body_as(NameForm).name
    device_acts.rename(call.state, asked.device(call, Action.RENAME), name, call.now_ms)
    return True


def delete(call: OpenCall) -> bool:
    """Take a device away from its owner."""
    return _take_away(call, Action.DELETE, call.state.settings.open_delete_reset_kind)


def unbind(call: OpenCall) -> bool:
    """Cut the tie between a device and its user."""
    return _take_away(call, Action.UNBIND, call.state.settings.open_delete_reset_kind)


def reset_factory(call: OpenCall) -> bool:
    """Take a device away from its owner and have it erase everything."""
    return _take_away(call, Action.RESET, ResetKind.RESET_FACTORY)


def see_sub_devices(call: OpenCall) -> list[SubDevice]:
    """Show what is behind a gateway."""
    return device_view.sub_devices(call.state, call.link, asked.behind(call), industry=False)


def see_factory_infos(call: OpenCall) -> list[FactoryInfo]:
    """Show what came from the factory."""
    ids_max = call.state.settings.open_factory_ids_max
    return [device_view.factory_info(one) for one in asked.devices(call, Action.SEE, ids_max)]


def _take_away(call: OpenCall, action: Action, kind: str) -> bool:
    device = asked.device(call, action)
    owner = call.caller.project.owner
    device_acts.delete_all(call.state, call.link, owner, [device], ResetKind(kind), call.now_ms)
    return True


_BASE = "/v1.0/devices"
_ONE = "/v1.0/devices/{device_id}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.DEVICES)
    for method, pattern, handler in (
        ("GET", _BASE, see_devices),
        ("GET", f"{_BASE}/status", see_statuses),
        ("GET", f"{_BASE}/factory-infos", see_factory_infos),
        ("GET", _ONE, see_device),
        ("PUT", _ONE, rename),
        ("DELETE", _ONE, delete),
        ("GET", f"{_ONE}/status", see_status),
        ("POST", f"{_ONE}/commands", send_commands),
        ("GET", f"{_ONE}/functions", see_functions),
        ("GET", "/v1.0/functions/{category}", see_category_functions),
        ("GET", f"{_ONE}/specifications", see_specification),
        ("GET", "/v1.1/devices/{device_id}/specifications", see_numbered_specification),
        ("PUT", f"{_ONE}/reset-factory", reset_factory),
        ("POST", f"{_ONE}/reset-factory", reset_factory),
        ("GET", f"{_ONE}/sub-devices", see_sub_devices),
        ("GET", f"{_ONE}/list-sub", see_sub_devices),
        ("GET", "/v1.0/iot-01/associated-users/devices", see_associated),
        ("POST", "/v1.0/cloud/thing/devices/{device_id}/unbind", unbind),
    )
)
