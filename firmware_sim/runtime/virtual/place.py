"""Everything that a virtual world holds for one device."""

from typing import TYPE_CHECKING

from firmware_sim.device.device import Device
from firmware_sim.runtime import place

if TYPE_CHECKING:
    from firmware_sim.runtime.virtual.lan import LanPort  # noqa: F401 - named in quotes below
    from firmware_sim.runtime.virtual.wan import Call, Stream  # noqa: F401


class Place(place.Place["Call", "Stream", "LanPort"]):
    """One device of a virtual world; `woken_ms` is when, by its own clock, it is looked at next."""

    __slots__ = ("woken_ms",)

    def __init__(self, world: place.World, index: int, device: Device, ip: str, site: str) -> None:
        """Put a device without power at a site."""
        super().__init__(world, index, device, ip, site)
        self.woken_ms: int | None = None

    def set_clock(self, skew_ms: int) -> None:
        """Put its clock ahead, or behind; what it waits for has to be planned anew."""
        self.woken_ms = None
        super().set_clock(skew_ms)
