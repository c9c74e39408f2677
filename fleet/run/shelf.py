"""Devices on a shelf beside a cloud of the same process: real firmware under a tester's hands.

For tests of programs that command devices and want to see them obey, and for tests of unbinding.
The firmware runs on the cloud's own loop and by the cloud's clock, over sockets of loopback, as in
a live fleet; only its boot, its button and its failures are quick. `fleet/README.md` says how it
is used.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.device.profile import Profile
from firmware_sim.device.reporting import values
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import (
    ButtonPressed,
    ButtonReleased,
    Event,
    FrameDecoded,
    PowerApplied,
    PowerRemoved,
)
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.world import LiveWorld
from firmware_sim.wire.datapoint import Value
from fleet.app import qr
from fleet.app.handover import form_for
from fleet.app.lan_client import send_token
from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.seed import DeviceSeed
from fleet.lan.addresses import AddressBlock
from hw_profiles import catalog

PATIENCE_S = 20.0
STEP_MS = 20  # how long whatever takes a device or a finger seconds takes here
RESEND_S = 0.2  # a device that has just booted has no link on its cable yet
HEARD_S = 0.02  # until the cloud, on the same loop, has seen connections end
_SITE = "shelf"
_WIFI, _WIFI_PASSWORD = "shelf", "shelf-wifi"
_WAITING = frozenset({"waiting", "unbound"})
_FAILED = frozenset({"join_failed", "activation_failed"})


class _Slot:
    """One device: what its light shows, and which lights somebody waits for."""

    def __init__(self, index: int, ip: str, device: Device) -> None:
        self.index = index
        self.ip = ip
        self.device = device
        self.light = "off"
        self.wanted: frozenset[str] = frozenset()
        self.reached: asyncio.Future[str] | None = None

    def watch(self, lights: frozenset[str]) -> asyncio.Future[str]:
        """Return what will have the first of `lights` that is shown from now on."""
        self.wanted, self.reached = lights, asyncio.get_running_loop().create_future()
        return self.reached

    def show(self, light: str) -> None:
        self.light = light
        if self.reached is not None and not self.reached.done() and light in self.wanted:
            self.reached.set_result(light)


class Shelf:
    """Holds devices of `cloud`; close it before the cloud stops.

    What a device does, and what is done to it, takes until the method returns; then its light has
    what came of it: `online`, `waiting` (nobody's, or reset by hand), `unbound`,
    `activation_failed`, `join_failed`, or `off`. UsageError when nothing comes of it in time.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        """Begin with nothing on it. Raises UsageError when no addresses are free."""
        self._cloud = cloud
        self._slots: list[_Slot] = []
        self._by_uuid: dict[str, _Slot] = {}
        self._block = AddressBlock()
        try:
            self._world = cloud.run(self._make_world())
        except BaseException:
            self._block.close()
            raise
        cloud.at_the_end(self._world.close)
        cloud.on_advance(self._world.advance)

    # --- what a tester does ----------------------------------------------------------------------

    def switch_on(self, device: DeviceSeed, profile: str) -> str:
        """Power a device; return its light when it is online, or waits if it is nobody's.

        It is put down at first as its owner had paired it, as a model (`profile`) by name or file.
        """
        if device.gateway:
            raise UsageError(
                f"{device.uuid} is behind a gateway: switch that on ({device.gateway})"
            )
        return self._cloud.run(self._switch_on(device, profile))

    def switch_off(self, device: DeviceSeed) -> None:
        """Cut the power of a device; the cloud has noticed when this returns."""
        self._cloud.run(self._switch_off(self._slot(device)))

    def reset(self, device: DeviceSeed) -> str:
        """Hold a device's button until it has forgotten its owner; return its light.

        In the cloud a strong binding lasts: this is what comes back from customers.
        """
        return self._cloud.run(self._reset(self._slot(device)))

    def unbind(self, device: DeviceSeed, token: str) -> str:
        """Give a waiting device an unbinding token (14 characters); return `unbound`, or a failure.

        A camera is shown it as a QR code, a wired device is sent it over the LAN. A failure is one
        of the lights for it; the diary of the cloud says why.
        """
        return self._cloud.run(self._give(self._slot(device), token, "unbound"))

    def pair(self, device: DeviceSeed, token: str) -> str:
        """Give a waiting device a pairing token (14 characters); return `online`, or a failure."""
        return self._cloud.run(self._give(self._slot(device), token, "online"))

    def light(self, device: DeviceSeed) -> str:
        """Return which pattern the light of a device shows now."""
        return self._slot(device).light

    def values(self, device: DeviceSeed) -> dict[int, Value]:
        """Return the data points that a device itself has, by number."""
        slot = self._slot(device)

        async def ask() -> dict[int, Value]:
            return values(slot.device)

        return self._cloud.run(ask())

    def close(self) -> None:
        """Cut the power of all and give their addresses back."""
        try:
            if self._cloud.running:  # otherwise it was done at the end
                self._cloud.run(self._world.close())
        finally:
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

    def _slot(self, device: DeviceSeed) -> _Slot:
        if device.uuid not in self._by_uuid:
            raise UsageError(f"{device.uuid} is not on the shelf: switch it on first")
        return self._by_uuid[device.uuid]

    # --- on the cloud's loop ---------------------------------------------------------------------

    async def _make_world(self) -> LiveWorld:
        sites = {_SITE: AccessPoint({_WIFI: _WIFI_PASSWORD}, join_ms=STEP_MS)}
        world = LiveWorld(sites=sites, observer=self._observe)
        world.advance(max(0, self._cloud.now_ms - world.now_ms()))
        return world

    async def _switch_on(self, device: DeviceSeed, profile: str) -> str:
        slot = self._by_uuid.get(device.uuid) or self._put(device, profile)
        ends = _WAITING | {"online"}
        if slot.light in ends:
            return slot.light
        return await self._after(slot, ends, lambda: self._tell(slot, PowerApplied()))

    async def _switch_off(self, slot: _Slot) -> None:
        self._tell(slot, PowerRemoved())
        await asyncio.sleep(HEARD_S)

    async def _reset(self, slot: _Slot) -> str:
        light = await self._after(slot, _WAITING, lambda: self._tell(slot, ButtonPressed()))
        self._tell(slot, ButtonReleased())
        return light

    async def _give(self, slot: _Slot, token: str, success: str) -> str:
        if slot.light not in _WAITING:
            raise UsageError(
                f"{slot.device.identity.uuid} takes no token, its light shows {slot.light!r}: "
                "reset it first"
            )
        reached = slot.watch(_FAILED | {success})
        if slot.device.profile.wired:
            await self._send(slot, token)
        else:
            self._tell(slot, FrameDecoded(qr.payload(_WIFI, _WIFI_PASSWORD, token)))
        light = await self._patiently(slot, reached)
        if light in _FAILED:  # it shows that for a while and waits again
            await self._patiently(slot, slot.watch(_WAITING))
        return light

    async def _send(self, slot: _Slot, token: str) -> None:
        firmware = slot.device.profile.firmware
        form = form_for(min(firmware.lan_version, firmware.pairing_lan_version_max))
        delivery = await send_token(
            slot.ip,
            token,
            form=form,
            timeout_s=PATIENCE_S,
            attempts=int(PATIENCE_S / RESEND_S),
            settle_s=0,
            resend_s=RESEND_S,
        )
        if not delivery.accepted:
            raise UsageError(
                f"{slot.device.identity.uuid} took no token: {delivery.outcome} {delivery.detail}"
            )

    async def _after(self, slot: _Slot, lights: frozenset[str], do: Callable[[], None]) -> str:
        reached = slot.watch(lights)
        do()
        return await self._patiently(slot, reached)

    async def _patiently(self, slot: _Slot, reached: asyncio.Future[str]) -> str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await reached
        except TimeoutError:
            if self._world.failure is not None:
                raise self._world.failure from None
            raise UsageError(
                f"{slot.device.identity.uuid} did not show {' or '.join(sorted(slot.wanted))} "
                f"within {PATIENCE_S:g} s, its light shows {slot.light!r}: is it bound in the cloud, "
                "with these keys, and is it of this model?"
            ) from None

    def _tell(self, slot: _Slot, event: Event) -> None:
        self._world.tell(slot.index, event)

    def _put(self, seed: DeviceSeed, name: str) -> _Slot:
        profile = _quick(catalog.load(name))
        known = seed.owner and not profile.wired
        flash = Flash(
            dev_id=seed.dev_id,
            sec_key=seed.sec_key if seed.owner else "",
            local_key=seed.local_key if seed.owner else "",
            ssid=_WIFI if known else "",
            password=_WIFI_PASSWORD if known else "",
        )
        index = len(self._slots)
        ip = self._block.address(index)
        device = Device(
            profile,
            Identity(seed.uuid, seed.auth_key, seed.product_id),
            index,
            (self._cloud.ready.host, self._cloud.ready.http_port),
            flash.image(),
        )
        slot = _Slot(index, ip, device)
        self._slots.append(slot)
        self._by_uuid[seed.uuid] = slot
        self._world.add(device, ip=ip, site=_SITE)
        self._world.plug(index, connected=True)
        return slot

    def _observe(self, index: int, what: StateShown | Noted, _: int) -> None:
        if isinstance(what, StateShown):
            self._slots[index].show(what.light)


def _quick(profile: Profile) -> Profile:
    """Return a model whose people and chips lose no time; its network habits stay."""
    timings = msgspec.structs.replace(
        profile.timings,
        boot_ms=STEP_MS,
        erase_ms=STEP_MS,
        failure_ms=STEP_MS,
        reset_hold_ms=STEP_MS,
    )
    return msgspec.structs.replace(profile, timings=timings)
