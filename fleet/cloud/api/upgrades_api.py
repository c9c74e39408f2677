"""The console's calls about firmware: versions of a product, and which device is to load which.

Both take the right to edit the product. Paths and fields are ours.
"""

import msgspec

from fleet.cloud import upgrading
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.devices import MAIN_CHANNEL, Device
from fleet.cloud.permissions import Permission
from fleet.cloud.products import Product
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State
from fleet.cloud.upgrades import (
    Channel,
    Firmware,
    HmacText,
    Md5Text,
    Size,
    UpgradeOrder,
    UrlText,
    VersionText,
)


class FirmwareForm(msgspec.Struct, frozen=True):
    """A version; `size` in bytes. Without `url` and `md5` the cloud makes the bytes up."""

    version: VersionText
    size: Size
    channel: Channel = MAIN_CHANNEL
    md5: Md5Text = ""
    hmac: HmacText = ""
    url: UrlText = ""
    https_url: UrlText = ""
    silent: bool = False


class OrderForm(msgspec.Struct, frozen=True):
    """Which version a device is to load."""

    version: VersionText
    channel: Channel = MAIN_CHANNEL


class UpgradesApi:
    """Handlers of the console."""

    def __init__(self, link: DeviceLink) -> None:
        """Tell devices by `link` that there is something to load."""
        self._link = link

    def routes(self) -> tuple[Route, ...]:
        """Return the table of this API."""
        firmware = "/console/v1/products/{product_id}/firmware"
        orders = "/console/v1/devices/{uuid}/upgrades"
        return (
            Route("GET", firmware, Access.ACCOUNT, see_firmware),
            Route("POST", firmware, Access.ACCOUNT, add_firmware),
            Route("GET", orders, Access.ACCOUNT, see_orders),
            Route("POST", orders, Access.ACCOUNT, self.order),
            Route("DELETE", f"{orders}/{{channel}}", Access.ACCOUNT, withdraw),
        )

    def order(self, state: State, call: Call) -> UpgradeOrder:
        """Order a device onto a version, and tell it if it is online."""
        form, device = call.body_as(OrderForm), _device(state, call)
        order = upgrading.order(state, device, form.channel, form.version, call.now_ms)
        self._link.tell_upgrade(device, order.channel, call.now_ms)
        return order


def see_firmware(state: State, call: Call) -> list[Firmware]:
    """Show the versions of a product, the oldest first."""
    return state.upgrades.versions(_product(state, call, call.path["product_id"]).product_id)


def add_firmware(state: State, call: Call) -> Firmware:
    """Add a version to a product."""
    form, product = call.body_as(FirmwareForm), _product(state, call, call.path["product_id"])
    fields = msgspec.structs.asdict(form)
    firmware = Firmware(product_id=product.product_id, added_ms=call.now_ms, **fields)
    return upgrading.add(state, firmware)


def see_orders(state: State, call: Call) -> list[UpgradeOrder]:
    """Show what a device is to load, and how far it is."""
    return state.upgrades.orders(_device(state, call).uuid)


def withdraw(state: State, call: Call) -> bool:
    """Take an order back; what the device loads already, it may finish."""
    channel = call.path["channel"]
    orders = state.upgrades.orders(_device(state, call).uuid)
    order = next((one for one in orders if str(one.channel) == channel), None)
    if order is None:
        raise Refused(Reason.NOT_FOUND, "there is no such order")
    state.upgrades.close(order)
    return True


def _product(state: State, call: Call, product_id: str) -> Product:
    """Return the product; one answer for unknown products and for those of others."""
    product = state.products.get(product_id)
    if (
        product is None
        or not state.accounts.may(Permission.EDIT_PRODUCT, call.subject, product).allowed
    ):
        raise Refused(Reason.NO_PERMISSION)
    return product


def _device(state: State, call: Call) -> Device:
    """Return the device; one answer for unknown devices and for those of others."""
    device = state.devices.get(call.path["uuid"])
    if device is None:
        raise Refused(Reason.NO_PERMISSION)
    _product(state, call, device.product_id)
    return device
