"""Devices as the Open API shows them: one function per shape, for all families of calls.

Field names and types are those of "Query Device Details", "Get device information" and "Get
device list" (developer.tuya.com) and of tuya/tuya-cloud-sdk-go (api/device/get_device.go); times
are seconds. tuya-iot-py-sdk (`tuya_iot/device.py`) reads `status` of the smart home shape as a
list, and breaks on an industry shape that has one: it fills that from another call.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.devices import Device
from fleet.cloud.open import standard
from fleet.cloud.products import Product
from fleet.cloud.state import State

_LOCALLY_ADMINISTERED = 0x02
_MAC_SIZE = 6


class SmartHomeDevice(msgspec.Struct, frozen=True, gc=False):
    """A device in calls of version 1.0; only a sub-device has a `gateway_id`."""

    id: str
    uuid: str
    uid: str
    biz_type: int
    name: str
    time_zone: str
    ip: str
    local_key: str
    sub: bool
    model: str
    create_time: int
    update_time: int
    active_time: int
    status: list[standard.Status]
    owner_id: str
    product_id: str
    product_name: str
    category: str
    icon: str
    online: bool
    node_id: str
    lon: str
    lat: str
    gateway_id: str | msgspec.UnsetType = msgspec.UNSET


class IndustryDevice(msgspec.Struct, frozen=True, gc=False):
    """A device in calls of the industry family (iot-03)."""

    id: str
    uuid: str
    uid: str
    name: str
    category: str
    category_name: str
    product_id: str
    product_name: str
    local_key: str
    sub: bool
    gateway_id: str
    node_id: str
    asset_id: str
    owner_id: str
    online: bool
    ip: str
    lon: str
    lat: str
    model: str
    icon: str
    time_zone: str
    create_time: int
    update_time: int
    active_time: int


class CoreDevice(msgspec.Struct, frozen=True, gc=False):
    """A device in calls of version 2.0 (IoT Core)."""

    id: str
    active_time: int
    bind_space_id: str
    category: str
    create_time: int
    custom_name: str
    icon: str
    ip: str
    is_online: bool
    lat: str
    local_key: str
    lon: str
    name: str
    product_id: str
    product_name: str
    sub: bool
    time_zone: str
    update_time: int
    uuid: str


class SubDevice(msgspec.Struct, frozen=True, gc=False):
    """A device behind a gateway: `owner_id` (a home) or `asset_id`, as the family has it."""

    id: str
    name: str
    online: bool
    product_id: str
    category: str
    node_id: str
    icon: str
    active_time: int
    update_time: int
    owner_id: str | msgspec.UnsetType = msgspec.UNSET
    asset_id: str | msgspec.UnsetType = msgspec.UNSET


class FactoryInfo(msgspec.Struct, frozen=True, gc=False):
    """What was written into the device in the factory."""

    id: str
    uuid: str
    sn: str
    mac: str


def smart_home(state: State, link: DeviceLink, device: Device) -> SmartHomeDevice:
    """Return the shape of version 1.0."""
    product = state.products.get(device.product_id)
    return SmartHomeDevice(
        id=device.dev_id,
        uuid=device.uuid,
        uid=device.owner,
        biz_type=0,
        name=device.name,
        time_zone=_time_zone(state, device),
        ip=device.ip,
        local_key=device.local_key,
        sub=device.gateway != "",
        model="",
        create_time=_created_s(device),
        update_time=status_changed_s(state, device),
        active_time=device.activated_ms // 1000,
        status=status_of(state, device),
        owner_id=_home_id(state, device),
        product_id=device.product_id,
        product_name=_product_name(product),
        category=_category(product),
        icon=_icon(product),
        online=link.online(device),
        node_id=device.node_id,
        lon=device.lon,
        lat=device.lat,
        gateway_id=device.gateway or msgspec.UNSET,
    )


def industry(state: State, link: DeviceLink, device: Device) -> IndustryDevice:
    """Return the shape of the industry family."""
    product = state.products.get(device.product_id)
    return IndustryDevice(
        id=device.dev_id,
        uuid=device.uuid,
        uid=device.owner,
        name=device.name,
        category=_category(product),
        category_name=_category(product),
        product_id=device.product_id,
        product_name=_product_name(product),
        local_key=device.local_key,
        sub=device.gateway != "",
        gateway_id=device.gateway,
        node_id=device.node_id,
        asset_id=device.space,
        owner_id=_home_id(state, device),
        online=link.online(device),
        ip=device.ip,
        lon=device.lon,
        lat=device.lat,
        model="",
        icon=_icon(product),
        time_zone=_time_zone(state, device),
        create_time=_created_s(device),
        update_time=updated_s(state, device),
        active_time=device.activated_ms // 1000,
    )


def core(state: State, link: DeviceLink, device: Device) -> CoreDevice:
    """Return the shape of version 2.0, which tells a device's own name from its product's."""
    product = state.products.get(device.product_id)
    product_name = _product_name(product)
    return CoreDevice(
        id=device.dev_id,
        active_time=device.activated_ms // 1000,
        bind_space_id=device.space,
        category=_category(product),
        create_time=_created_s(device),
        custom_name=device.name if device.name != product_name else "",
        icon=_icon(product),
        ip=device.ip,
        is_online=link.online(device),
        lat=device.lat,
        local_key=device.local_key,
        lon=device.lon,
        name=product_name,
        product_id=device.product_id,
        product_name=product_name,
        sub=device.gateway != "",
        time_zone=_time_zone(state, device),
        update_time=updated_s(state, device),
        uuid=device.uuid,
    )


def sub_devices(
    state: State, link: DeviceLink, devices: Iterable[Device], *, industry: bool
) -> list[SubDevice]:
    """Return the shape of devices behind a gateway."""
    return [_sub_device(state, link, device, industry=industry) for device in devices]


def factory_info(device: Device) -> FactoryInfo:
    """Return what came from the factory; the address is made from the uuid, nobody's real one."""
    octets = bytearray(hashlib.sha256(device.uuid.encode()).digest()[:_MAC_SIZE])
    octets[0] = octets[0] & 0xFC | _LOCALLY_ADMINISTERED
    return FactoryInfo(device.dev_id, device.uuid, device.uuid, octets.hex(":"))


def status_changed_s(state: State, device: Device) -> int:
    """Return when the device last told its values (seconds): what version 1.0 calls an update."""
    return max(device.activated_ms, state.data_points.reported_ms(device.dev_id)) // 1000


def updated_s(state: State, device: Device) -> int:
    """Return when anything about the device last changed, its values included (seconds)."""
    return max(status_changed_s(state, device), device.updated_ms // 1000)


def status_of(state: State, device: Device) -> list[standard.Status]:
    """Return the last values of a device by code."""
    product = state.products.get(device.product_id)
    return standard.status(product, state.data_points.get(device.dev_id))


# --- details ------------------------------------------------------------------------------------


def _sub_device(state: State, link: DeviceLink, device: Device, *, industry: bool) -> SubDevice:
    product = state.products.get(device.product_id)
    return SubDevice(
        id=device.dev_id,
        name=device.name,
        online=link.online(device),
        product_id=device.product_id,
        category=_category(product),
        node_id=device.node_id,
        icon=_icon(product),
        active_time=device.activated_ms // 1000,
        update_time=updated_s(state, device),
        owner_id=msgspec.UNSET if industry else _home_id(state, device),
        asset_id=device.space if industry else msgspec.UNSET,
    )


def _home_id(state: State, device: Device) -> str:
    home = state.homes.of_device(device)
    return home.home_id if home is not None else ""


def _product_name(product: Product | None) -> str:
    return product.name if product is not None else ""


def _category(product: Product | None) -> str:
    return product.category if product is not None else ""


def _icon(product: Product | None) -> str:
    return f"smart/program_category_icon/{product.category}.png" if product is not None else ""


def _time_zone(state: State, device: Device) -> str:
    return device.time_zone or state.settings.time_zone


def _created_s(device: Device) -> int:
    return (device.created_ms or device.activated_ms) // 1000
