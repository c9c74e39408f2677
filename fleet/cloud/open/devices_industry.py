"""Devices, industry family (`/v1.0/iot-03`): the same deeds as in the smart home family.

What differs is the shape of a device, the lists (`list` instead of `devices`, an array of statuses
instead of an object), freezing, and the deletion of up to 20 devices at once. Sources: "General
Device Management", "Get device list" (developer.tuya.com); tuya/tuya-connector-nodejs
(`src/service/device`, which sends commands by GET); tuya/tuya-iot-python-sdk (`tuya_iot/
device.py`, which resets by DELETE); jasonacox/tinytuya (`tinytuya/Cloud.py`).
"""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.open import asked, device_acts, device_view, devices_v1
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.device_view import IndustryDevice, SubDevice
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.open.standard import Status
from fleet.cloud.rights import Action

DELETED_AT_ONCE_MAX = 20

State01 = Literal[0, 1]


class DeviceList(msgspec.Struct, frozen=True):
    """Devices by id."""

    rows: list[IndustryDevice] = msgspec.field(name="list")
    total: int
    has_more: bool


class DevicePage(msgspec.Struct, frozen=True):
    """Devices of one source; `last_row_key` leads to the next page."""

    rows: list[IndustryDevice] = msgspec.field(name="list")
    has_more: bool
    last_row_key: str
    total: int


class DeviceStatus(msgspec.Struct, frozen=True, gc=False):
    """The last values of one device of several."""

    id: str
    status: list[Status]


class FreezeState(msgspec.Struct, frozen=True):
    """1 when a device is frozen."""

    state: State01


class SourceQuery(msgspec.Struct, frozen=True):
    """Whose devices are meant, which of them, and which page."""

    source_type: Literal["", "asset", "homeApp", "tuyaUser", "product"] = ""
    source_id: str = ""
    device_ids: str = ""
    name: str = ""
    category: str = ""
    product_id: str = ""
    last_row_key: str = ""
    page_size: Annotated[int, Meta(ge=1, le=200)] = 20


def see_device(call: OpenCall) -> IndustryDevice:
    """Show one device."""
    return device_view.industry(call.state, call.link, asked.device(call, Action.SEE))


def see_devices(call: OpenCall) -> DeviceList:
    """Show the devices of a list of ids."""
    found = asked.devices(call, Action.SEE, call.state.settings.open_list_ids_max)
    return DeviceList(_views(call, found), len(found), has_more=False)


def see_source(call: OpenCall) -> DevicePage:
    """Show, page by page, the devices of a user, an app, a product or a space (asset)."""
    query = call.query_as(SourceQuery)
    found = [device for device in _of_source(call, query) if _selected(call, device, query)]
    page = asked.page(found, query.last_row_key, query.page_size)
    return DevicePage(_views(call, page.devices), page.has_more, page.last_row_key, page.total)


def see_statuses(call: OpenCall) -> list[DeviceStatus]:
    """Show the last values of several devices."""
    found = asked.devices(call, Action.STATUS, call.state.settings.open_list_ids_max)
    return [
        DeviceStatus(device.dev_id, device_view.status_of(call.state, device)) for device in found
    ]


def delete_devices(call: OpenCall) -> bool:
    """Take up to 20 devices away from their owners: all of them, or none if one is refused."""
    found = asked.devices(call, Action.DELETE, DELETED_AT_ONCE_MAX)
    kind = ResetKind(call.state.settings.open_delete_reset_kind)
    account = call.caller.project.owner
    device_acts.delete_all(call.state, call.link, account, found, kind, call.now_ms)
    return True


def see_freeze_state(call: OpenCall) -> FreezeState:
    """Show whether a device is frozen."""
    return FreezeState(1 if asked.device(call, Action.SEE).frozen else 0)


def set_freeze_state(call: OpenCall) -> bool:
    """Freeze a device or thaw it."""
    frozen = call.body_as(FreezeState).state == 1
    device = asked.device(call, Action.FREEZE)
    device_acts.freeze(call.state, device, call.now_ms, frozen=frozen)
    return True


def see_sub_devices(call: OpenCall) -> list[SubDevice]:
    """Show what is behind a gateway."""
    return device_view.sub_devices(call.state, call.link, asked.behind(call), industry=True)


def remove_third_party(call: OpenCall) -> bool:
    """Refuse to remove a device of a partner's cloud (2020): none of ours is one."""
    asked.device(call, Action.DELETE)
    raise OpenRefused(Code.THIRD_PARTY_ONLY)


def _of_source(call: OpenCall, query: SourceQuery) -> Iterable[Device]:
    """Return what the query names. OpenRefused: 1100 for a kind of source without its id."""
    if query.source_type and not query.source_id:
        raise OpenRefused(Code.PARAM_EMPTY)
    if query.source_type == "tuyaUser":
        return asked.of_user(call, query.source_id)
    if query.source_type == "homeApp":
        return asked.of_app(call, query.source_id)
    if query.source_type == "product":
        return (one for one in asked.visible(call) if one.product_id == query.source_id)
    return asked.of_space(call, query.source_id) if query.source_id else asked.visible(call)


def _selected(call: OpenCall, device: Device, query: SourceQuery) -> bool:
    product = asked.product(call, device)
    category = product.category if product is not None else ""
    return (
        (not query.device_ids or device.dev_id in query.device_ids.split(","))
        and query.name in ("", device.name)
        and query.product_id in ("", device.product_id)
        and query.category in ("", category)
    )


def _views(call: OpenCall, devices: list[Device]) -> list[IndustryDevice]:
    return [device_view.industry(call.state, call.link, device) for device in devices]


_BASE = "/v1.0/iot-03/devices"
_ONE = f"{_BASE}/{{device_id}}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.INDUSTRY)
    for method, pattern, handler in (
        ("GET", _BASE, see_devices),
        ("DELETE", _BASE, delete_devices),
        ("GET", "/v1.2/iot-03/devices", see_source),
        ("GET", "/v1.3/iot-03/devices", see_source),
        ("GET", f"{_BASE}/status", see_statuses),
        ("GET", f"{_BASE}/factory-infos", devices_v1.see_factory_infos),
        ("GET", _ONE, see_device),
        ("GET", "/v1.1/iot-03/devices/{device_id}", see_device),
        ("PUT", _ONE, devices_v1.rename),
        ("DELETE", _ONE, devices_v1.delete),
        ("POST", f"{_ONE}/actions/reset", devices_v1.reset_factory),
        ("DELETE", f"{_ONE}/actions/reset", devices_v1.reset_factory),
        ("GET", f"{_ONE}/freeze-state", see_freeze_state),
        ("PUT", f"{_ONE}/freeze-state", set_freeze_state),
        ("GET", f"{_ONE}/status", devices_v1.see_status),
        ("POST", f"{_ONE}/commands", devices_v1.send_commands),
        ("GET", f"{_ONE}/commands", devices_v1.send_commands),
        ("GET", f"{_ONE}/functions", devices_v1.see_functions),
        ("GET", "/v1.0/iot-03/categories/{category}/functions", devices_v1.see_category_functions),
        ("GET", f"{_ONE}/specification", devices_v1.see_specification),
        (
            "GET",
            "/v1.1/iot-03/devices/{device_id}/specification",
            devices_v1.see_numbered_specification,
        ),
        ("GET", f"{_ONE}/sub-devices", see_sub_devices),
        ("DELETE", "/v1.0/iot-03/3rdcloud/devices/{device_id}/remove", remove_third_party),
    )
)
