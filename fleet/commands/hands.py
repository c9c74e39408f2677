"""One device on a desk: power, button, cable, phone, and somebody who watches its light.

Carries out the steps of `fleet.commands.script` in a live world with this one device in it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from firmware_sim.camera.pool import DecodePool
from firmware_sim.camera.scene import LensSettings
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.indicator import Pattern
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import (
    ButtonPressed,
    ButtonReleased,
    ChildJoined,
    ChildLeft,
    ChildLost,
    ChildReached,
    PowerApplied,
    PowerRemoved,
)
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.eyes import UNREAD_FRAMES, Eyes
from firmware_sim.runtime.live.world import LiveWorld
from fleet.commands import script
from fleet.commands.light import note_line, state_line
from fleet.commands.picture import read_code
from fleet.lan.addresses import AddressBlock

SITE = "desk"
# Nobody lets go at the very instant; a button that is held "3 s" is held a little longer.
HAND_SLACK_MS = 100
_FAILURE_POLL_S = 0.2

_TO_CHILDREN: dict[str, type[ChildJoined | ChildLeft | ChildLost | ChildReached]] = {
    "add": ChildJoined,
    "remove": ChildLeft,
    "lose": ChildLost,
    "find": ChildReached,
}
_WITH_POWER = (ChildJoined, ChildLeft)

Report = Callable[[int, str], None]


class Setup(msgspec.Struct, frozen=True):
    """What is on the desk: a model, who it is, where its cloud is, and the Wi-Fi around it."""

    profile: Profile
    identity: Identity
    seed: int
    iot_dns: tuple[str, int]
    networks: dict[str, str]
    decoder: str
    flash: bytes = b""
    iot_dns_anchor: bytes = b""

    def __repr__(self) -> str:
        """Show the model and which device, no key and no password."""
        return f"Setup({self.profile.name!r}, {self.identity!r})"


class Desk:
    """The device and what hands have done to it. Times are in ms since the Unix epoch."""

    def __init__(self, setup: Setup, world: LiveWorld, ip: str) -> None:
        """Put the device on the desk, without power."""
        self.setup = setup
        self.ip = ip
        self.state = StateShown("OFF", "DOWN", "off", "", "")
        self.since_ms = 0
        self.powered = False
        self.pressed = False
        self.plugged = setup.profile.wired
        self.code = ""
        self.report: Report = _ignore
        self._world = world
        self._changed = asyncio.Event()
        self._device = Device(
            setup.profile,
            setup.identity,
            setup.seed,
            setup.iot_dns,
            setup.flash,
            iot_dns_anchor=setup.iot_dns_anchor,
        )
        self._index = world.add(self._device, ip=ip, site=SITE)

    @property
    def pattern(self) -> Pattern:
        """What the light does now."""
        return self.setup.profile.indicator[self.state.light]

    def observe(self, _: int, effect: StateShown | Noted, now_ms: int) -> None:
        """Take what the device shows or tells (the world calls this)."""
        if isinstance(effect, Noted):
            self.report(now_ms, note_line(effect))
            return
        if effect.light != self.state.light:
            self.since_ms = now_ms
        self.state = effect
        self._changed.set()
        self.report(now_ms, state_line(effect, self.pattern))

    async def run(self, steps: list[script.Step]) -> bool:
        """Carry out steps one after the other; return False once one of them was to quit.

        Raises `UsageError` for what this device has not got, and when a wait takes too long.
        """
        for step in steps:
            if not await self.do(step):
                return False
        return True

    async def do(self, step: script.Step) -> bool:
        """Carry out one step; return and raise as `run` does."""
        match step:
            case script.Power():
                self._power()
            case script.Button():
                self._button()
            case script.Hold(hold_ms):
                await self._hold(hold_ms or self.setup.profile.timings.reset_hold_ms)
            case script.Show(path):
                self._need_lens()
                payload = await read_code(path, self.setup.decoder)
                self._show(path.name, payload)
            case script.Hide():
                self._need_lens()
                self._show("", None)
            case script.Cable():
                self._cable()
            case script.Child(verb, number):
                self._child(verb, number)
            case script.Wait(mood, timeout_ms):
                await self._wait(mood, timeout_ms)
            case script.Sleep(sleep_ms):
                await asyncio.sleep(sleep_ms / 1000)
            case _:  # Quit
                return False
        return True

    async def watch_world(self) -> None:
        """Raise what went wrong in the world itself, once something did."""
        while self._world.failure is None:
            await asyncio.sleep(_FAILURE_POLL_S)
        raise self._world.failure

    def _power(self) -> None:
        self.powered = not self.powered
        self._world.tell(self._index, PowerApplied() if self.powered else PowerRemoved())

    def _button(self) -> None:
        self.pressed = not self.pressed
        self._world.tell(self._index, ButtonPressed() if self.pressed else ButtonReleased())

    async def _hold(self, hold_ms: int) -> None:
        if not self.pressed:
            self._button()
        await asyncio.sleep((hold_ms + HAND_SLACK_MS) / 1000)
        self._button()

    def _need_lens(self) -> None:
        if self.setup.profile.wired:
            raise UsageError(f"{self.setup.profile.name} has no lens: it is paired by wire")

    def _show(self, name: str, payload: bytes | None) -> None:
        self.code = name
        self._world.show(self._index, payload)

    def say_unread(self) -> None:
        """Report that the lens does not read the code before it (the lens calls this)."""
        now_ms = time.time_ns() // 1_000_000
        self.report(
            now_ms,
            f"{self.code}: before the lens for {UNREAD_FRAMES} frames, and read in none of them",
        )

    def _cable(self) -> None:
        if not self.setup.profile.wired:
            raise UsageError(f"{self.setup.profile.name} has no Ethernet: it is paired by QR code")
        self.plugged = not self.plugged
        self._world.plug(self._index, connected=self.plugged)

    def behind(self) -> list[str]:
        """Return number, title and state of each sub-device."""
        return [self._shown(number) for number in range(len(self.setup.profile.children))]

    def _shown(self, number: int) -> str:
        device = self._device
        tie = device.flash.kept(number).tie
        near = device.children is not None and device.children.each[number].reached
        reach = "in reach" if near else "out of reach"
        title = self.setup.profile.children[number].title
        return f"{number + 1} {title} ({tie.name.lower()}, {reach})"

    def _child(self, verb: str, number: int) -> None:
        name, count = self.setup.profile.name, len(self.setup.profile.children)
        if not 1 <= number <= count:
            raise UsageError(f"{verb} {number}: {name} has {count or 'no'} sub-devices")
        happened = _TO_CHILDREN[verb]
        if happened in _WITH_POWER and not self.powered:
            raise UsageError(f"{verb} {number}: {name} has no power")
        self._world.tell(self._index, happened(number - 1))

    async def _wait(self, mood: str, timeout_ms: int) -> None:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while mood not in (self.state.light, self.state.operator):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise UsageError(
                f"wait {mood}: after {timeout_ms / 1000:g} s the device still shows "
                f"{self.state.light} ({self.state.lifecycle}/{self.state.session})"
            ) from None


@asynccontextmanager
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    """Set up a live world with this one device, and take it down again."""
    async with AsyncExitStack() as stack:
        block = stack.enter_context(AddressBlock())
        eyes = None
        if not setup.profile.wired:
            pool = await stack.enter_async_context(await DecodePool.open(setup.decoder))
            eyes = Eyes(pool, LensSettings(), setup.seed, lambda _: here.say_unread())
        world = LiveWorld(
            sites={SITE: AccessPoint(setup.networks)},
            observer=lambda index, effect, now_ms: here.observe(index, effect, now_ms),
            eyes=eyes,
        )
        stack.push_async_callback(world.close)
        here = Desk(setup, world, block.address(0))
        yield here


def _ignore(_: int, __: str) -> None:
    """Report to nobody."""
