"""Devices on a shelf beside a cloud of the same process: real firmware, bound, switched on and off.

For tests of programs that command devices and want to see them obey. The firmware runs on the
cloud's own loop, over sockets of loopback, as in a live fleet; only its start is quick. Lenses see
nothing.
"""

import asyncio
from types import TracebackType
from typing import Self

import msgspec

from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import PowerApplied, PowerRemoved
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.world import LiveWorld
from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.seed import DeviceSeed
from fleet.lan.addresses import AddressBlock
from hw_profiles import catalog

PATIENCE_S = 20.0
BOOT_MS = 20
JOIN_MS = 20
_SITE = "shelf"
_WIFI, _WIFI_PASSWORD = "shelf", "shelf-wifi"


class Shelf:
    """Holds devices of `cloud`; close it before the cloud stops."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Begin with nothing on it. Raises UsageError when no addresses are free."""
        self._cloud = cloud
        self._block = AddressBlock()
        self._indices: dict[str, int] = {}
        self._lights: list[str] = []
        self._changed = asyncio.Event()
        self._world = cloud.run(self._make_world())

    def switch_on(self, device: DeviceSeed, profile: str) -> None:
        """Power a device, put down at first as its owner had paired it; return when it is online.

        `profile` is a model by name or file. Raises UsageError when it is nobody's device, or does
        not come online.
        """
        if not device.owner:
            raise UsageError(f"{device.uuid} is nobody's device: it cannot come online")
        self._cloud.run(self._switch_on(device, profile))

    def switch_off(self, device: DeviceSeed) -> None:
        """Cut the power of a device that was switched on."""
        self._cloud.run(self._switch_off(self._indices[device.uuid]))

    def close(self) -> None:
        """Cut the power of all and give their addresses back."""
        self._cloud.run(self._world.close())
        self._block.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    # --- on the cloud's loop ---------------------------------------------------------------------

    async def _make_world(self) -> LiveWorld:
        sites = {_SITE: AccessPoint({_WIFI: _WIFI_PASSWORD}, join_ms=JOIN_MS)}
        return LiveWorld(sites=sites, observer=self._observe)

    async def _switch_on(self, device: DeviceSeed, profile: str) -> None:
        index = self._indices.get(device.uuid)
        if index is None:
            index = self._put(device, profile)
        self._world.tell(index, PowerApplied())
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self._lights[index] != "online":
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise UsageError(
                f"{device.uuid} did not come online within {PATIENCE_S:g} s, its light shows "
                f"{self._lights[index]!r}: is it bound, and does the cloud know its keys?"
            ) from None

    async def _switch_off(self, index: int) -> None:
        self._world.tell(index, PowerRemoved())

    def _put(self, seed: DeviceSeed, name: str) -> int:
        profile = catalog.load(name)
        timings = msgspec.structs.replace(profile.timings, boot_ms=BOOT_MS)
        flash = Flash(
            dev_id=seed.dev_id,
            sec_key=seed.sec_key,
            local_key=seed.local_key,
            ssid="" if profile.wired else _WIFI,
            password="" if profile.wired else _WIFI_PASSWORD,
        )
        index = len(self._lights)
        device = Device(
            msgspec.structs.replace(profile, timings=timings),
            Identity(seed.uuid, seed.auth_key, seed.product_id),
            index,
            (self._cloud.ready.host, self._cloud.ready.http_port),
            flash.image(),
        )
        self._lights.append("")
        self._world.add(device, ip=self._block.address(index), site=_SITE)
        self._world.plug(index, connected=True)
        self._indices[seed.uuid] = index
        return index

    def _observe(self, index: int, what: StateShown | Noted, _: int) -> None:
        if isinstance(what, StateShown):
            self._lights[index] = what.light
            self._changed.set()
