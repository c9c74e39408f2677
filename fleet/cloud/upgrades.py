"""Firmware of products: which versions there are, and which device is to load which of them.

An order stands until the device reports that it runs the version, says that it failed, or the order
is withdrawn; until then the device is told of it whenever it comes online. A *silent* version needs
no order: it is the answer to the question that firmware asks once per boot. How far an upgrade is,
comes in the numbers of tuya/tuya-connect-kit-for-mqtt-embedded-c, include/tuya_ota.h. What happens
besides when something changes here, is in `upgrading`.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from firmware_sim.wire.atop_upgrade import UpgradeStatus
from fleet.cloud.devices import MAIN_CHANNEL, Device
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

SIZE_MAX = 64 * 1024 * 1024
ORDERED = 0
"""The status of an order of which the device has not said anything yet."""

_DAMAGES = range(UpgradeStatus.DOWNLOAD_FAILED, UpgradeStatus.UPGRADE_DAMAGED + 1)

Channel = Annotated[int, Meta(ge=0, le=255)]
VersionText = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{1,10}\Z")]  # firmware has room for 10
Size = Annotated[int, Meta(ge=1, le=SIZE_MAX)]
Md5Text = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]
HmacText = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{64})?\Z")]
UrlText = Annotated[str, Meta(pattern=r"^(https?://[!#-\[\]-~]{1,240})?\Z")]


class Firmware(Record, gc=False):
    """One version for one channel of a product; `size` in bytes, `md5` and `hmac` in hexadecimal.

    Without a `url` the cloud itself hands out bytes, over MQTT (`firmware_image`).
    """

    TABLE = "firmware_versions"
    KEY = ("product_id", "channel", "version")

    product_id: str
    channel: int
    version: str
    size: int
    md5: str
    hmac: str = ""
    url: str = ""
    https_url: str = ""
    silent: bool = False
    added_ms: int = 0


class UpgradeOrder(Record, gc=False):
    """A device is to load a version; `status` is what it said last, `percent` what it has loaded."""

    TABLE = "upgrade_orders"
    KEY = ("uuid", "channel")

    uuid: str
    channel: int
    version: str
    ordered_ms: int
    status: int = ORDERED
    percent: int = 0

    @property
    def failed(self) -> bool:
        """Tell whether the device has said that it failed."""
        return has_failed(self.status)

    @property
    def open(self) -> bool:
        """Tell whether the device is still to hear of it."""
        return not self.failed and self.status != UpgradeStatus.FINISHED


class Upgrades:
    """All versions and all orders."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take what is stored."""
        self._settings = settings
        self._firmware: Ledger[Firmware] = Ledger(Firmware, load, journal)
        self._orders: Ledger[UpgradeOrder] = Ledger(UpgradeOrder, load, journal)
        self._by_product: dict[str, list[Firmware]] = {}
        self._by_uuid: dict[str, dict[int, None]] = {}
        for firmware in sorted(self._firmware, key=lambda one: one.added_ms):
            self._by_product.setdefault(firmware.product_id, []).append(firmware)
        for order in self._orders:
            self._by_uuid.setdefault(order.uuid, {})[order.channel] = None

    # --- versions -------------------------------------------------------------------------------

    def versions(self, product_id: str) -> list[Firmware]:
        """Return the versions of a product, the oldest first."""
        return list(self._by_product.get(product_id, ()))

    def find(self, product_id: str, channel: int, version: str) -> Firmware | None:
        """Return one version of a product, if there is such."""
        return self._firmware.get((product_id, channel, version))

    def check_new(self, firmware: Firmware) -> None:
        """Raise Refused when a product has this version already, or too many."""
        if self.find(firmware.product_id, firmware.channel, firmware.version) is not None:
            raise Refused(Reason.NAME_TAKEN, "the product has this version already")
        known = self._by_product.get(firmware.product_id, ())
        if len(known) >= self._settings.firmware_versions_per_product_max:
            raise Refused(Reason.TOO_MANY, "the product has too many versions")

    def add(self, firmware: Firmware) -> Firmware:
        """Add a version, for which there is room, to its product."""
        self._by_product.setdefault(firmware.product_id, []).append(firmware)
        return self._firmware.put(firmware)

    # --- what a device is to load ---------------------------------------------------------------

    def ordered(self, device: Device, channel: int) -> Firmware | None:
        """Return what the device is to load into a channel, or None."""
        order = self.order_of(device.uuid, channel)
        if order is None or not order.open:
            return None
        return self.find(device.product_id, channel, order.version)

    def silent(self, device: Device) -> Firmware | None:
        """Return the newest silent version for the main chip unless the device has it or a newer."""
        versions = self._by_product.get(device.product_id, ())
        for firmware in reversed(versions):
            if firmware.channel == MAIN_CHANNEL:
                if firmware.version == device.software:
                    return None
                if firmware.silent:
                    return firmware
        return None

    # --- orders ---------------------------------------------------------------------------------

    def orders(self, uuid: str) -> list[UpgradeOrder]:
        """Return the orders of a device, by channel."""
        ordered = self._by_uuid.get(uuid)
        if ordered is None:
            return []
        kept = (self.order_of(uuid, channel) for channel in sorted(ordered))
        return [order for order in kept if order is not None]

    def order_of(self, uuid: str, channel: int) -> UpgradeOrder | None:
        """Return the order for one channel of a device, if there is such."""
        return self._orders.get((uuid, channel))

    def order(self, uuid: str, firmware: Firmware, now_ms: int) -> UpgradeOrder:
        """Order a device onto a version, in place of an older order for the same channel."""
        self._by_uuid.setdefault(uuid, {})[firmware.channel] = None
        order = UpgradeOrder(uuid, firmware.channel, firmware.version, now_ms)
        return self._orders.put(order)

    def note(self, order: UpgradeOrder, *, status: int, percent: int) -> UpgradeOrder:
        """Remember how far the device is."""
        if (status, percent) == (order.status, order.percent):
            return order
        return self._orders.put(msgspec.structs.replace(order, status=status, percent=percent))

    def close(self, order: UpgradeOrder) -> None:
        """Drop an order: it is carried out, or withdrawn."""
        self._orders.remove(order)
        channels = self._by_uuid[order.uuid]
        del channels[order.channel]
        if not channels:
            del self._by_uuid[order.uuid]


def has_failed(status: int) -> bool:
    """Tell whether a status that a device reports is one of the failures."""
    return status == UpgradeStatus.FAILED or status in _DAMAGES
