"""A shard: one process, one event loop, a share of the devices, told by orders and telling reports.

The process has no opinion on the run. It applies power, presses buttons, shows codes and moves
devices as ordered, and reports every state they enter, in batches. When the runner goes away it
ends; when it dies itself, the flash of its devices is in the journal.
"""

import asyncio
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from firmware_sim.camera.pool import DecodePool
from firmware_sim.camera.scene import LensSettings
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import SimulatorError
from firmware_sim.events import ButtonPressed, ButtonReleased, PowerApplied, PowerRemoved
from firmware_sim.rng import derive
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.faults import AnyFault
from firmware_sim.runtime.live.alarms import Clock
from firmware_sim.runtime.live.eyes import Eyes
from firmware_sim.runtime.live.journal import FlashJournal
from firmware_sim.runtime.live.world import LiveWorld
from fleet.run import messages as msg
from fleet.run.ambush import Ambush
from fleet.run.histogram import Histogram
from fleet.run.link import Link
from fleet.run.phases import PHASES, PhaseClock, method_of
from fleet.run.watch import NOTES_PER_DEVICE_MAX
from hw_profiles import catalog

FLUSH_S = 0.1
PULSE_S = 1.0
CLOSE_S = 1.0
LAG_PROBE_S = 0.05
PENDING_MAX = 200_000


def main(end: socket.socket) -> None:
    """Run a shard until it is told to stop or the runner at the other `end` is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the runner decides
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Shard().run(end))


class Shard:
    """The devices of one process and the line to the runner."""

    def __init__(self) -> None:
        """Start without devices; `SetUp` brings them."""
        self._link: Link[msg.Order] = Link(msg.Order, self._obey, self._lost)
        self._clock: Clock
        self._ambush: Ambush
        self._order: msg.SetUp
        self._sites: dict[str, AccessPoint] = {}
        self._world: LiveWorld | None = None
        self._pool: DecodePool | None = None
        self._setting_up: asyncio.Task[None] | None = None
        self._local: dict[int, int] = {}  # index of the population -> index in the world
        self._indices: list[int] = []  # and back
        self._clocks: list[PhaseClock] = []
        self._phases = _no_phases()
        self._by_method: dict[str, dict[str, Histogram]] = {}
        self._lag = Histogram()
        self._seen: list[msg.Seen] = []
        self._heard: dict[int, deque[msg.Heard]] = {}  # by device
        self._done = asyncio.Event()
        self._gone = asyncio.Event()
        self._broken = False

    async def run(self, end: socket.socket) -> None:
        """Serve until the end."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._fail(context.get("exception")))
        self._clock = Clock(loop)
        self._ambush = Ambush(self._strike)
        await self._link.attach(end)
        beats = [
            loop.create_task(self._every(FLUSH_S, self._flush)),
            loop.create_task(self._every(PULSE_S, self._pulse)),
            loop.create_task(self._probe_lag()),
        ]
        await self._done.wait()
        for beat in beats:
            beat.cancel()
        self._flush()
        self._pulse()
        self._link.close()
        await self._close_world()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._gone.wait()  # until then the last reports are on their way
        except TimeoutError:
            pass

    async def _close_world(self) -> None:
        if self._setting_up is not None:
            self._setting_up.cancel()
            await asyncio.gather(self._setting_up, return_exceptions=True)
        if self._world is not None:
            await self._world.close()
        if self._pool is not None:
            await self._pool.close()

    def _lost(self) -> None:
        self._gone.set()
        self._done.set()

    # --- orders ---------------------------------------------------------------------------------

    def _obey(self, order: msg.Order) -> None:
        try:
            _ORDERS[type(order)](self, order)
        except Exception as error:  # noqa: BLE001 - the loop would only drop the line to the runner
            self._fail(error)

    def set_up_soon(self, order: msg.SetUp) -> None:
        """Begin to create the world; a worker process or two have to start."""
        self._setting_up = asyncio.get_running_loop().create_task(self._set_up(order))

    async def _set_up(self, order: msg.SetUp) -> None:
        try:
            await self._make_world(order)
        except SimulatorError as error:
            self._fail(error)
        else:
            self._link.send(msg.ShardReady(len(self._indices)))

    async def _make_world(self, order: msg.SetUp) -> None:
        self._order = order
        self._sites = {site.name: AccessPoint(site.networks, site.join_ms) for site in order.sites}
        self._world = LiveWorld(
            sites=self._sites,
            observer=self._observe,
            journal=FlashJournal(Path(order.journal)),
            broadcast_ip=order.broadcast_ip,
            seed=derive(order.seed, order.shard),
        )
        await self._make_devices(order.devices)

    async def _make_devices(self, specs: Iterable[msg.DeviceSpec]) -> None:
        profiles = {spec.profile: catalog.load(spec.profile) for spec in specs}
        if self._pool is None and not all(profile.wired for profile in profiles.values()):
            order = self._order
            self._pool = await DecodePool.open(order.decoder, workers=order.decode_workers)
            self._live.give_eyes(Eyes(self._pool, LensSettings(), order.seed))
        for spec in specs:
            profile = profiles[spec.profile]
            device = make_device(spec, profile, self._order)
            self._local[spec.index] = self._live.add(device, ip=spec.ip, site=spec.site)
            self._indices.append(spec.index)
            method = method_of(wired=profile.wired)
            self._clocks.append(PhaseClock(partial(self._record, method)))

    def add_soon(self, order: msg.AddDevices) -> None:
        """Begin to create more devices."""
        self._setting_up = asyncio.get_running_loop().create_task(self._add(order))

    async def _add(self, order: msg.AddDevices) -> None:
        for site in order.sites:
            self._sites[site.name].networks.update(site.networks)
        try:
            await self._make_devices(order.devices)
        except SimulatorError as error:
            self._fail(error)
        else:
            self._link.send(msg.DevicesAdded(len(order.devices)))

    def remove(self, order: msg.RemoveDevices) -> None:
        """Switch devices off for good; their places stay, or all others would have another number."""
        for local in self._locals(order.indices):
            self._live.tell(local, PowerRemoved())
            self._live.show(local, None)
        for index in order.indices:
            del self._local[index]

    def power(self, order: msg.SwitchPower) -> None:
        """Apply or remove the supply voltage."""
        event = PowerApplied() if order.on else PowerRemoved()
        for local in self._locals(order.indices):
            self._live.tell(local, event)

    def hold(self, order: msg.HoldButton) -> None:
        """Press the buttons, and let go later."""
        locals_ = self._locals(order.indices)
        for local in locals_:
            self._clocks[local].pressed(self._clock.now_ms())
            self._live.tell(local, ButtonPressed())
        asyncio.get_running_loop().call_later(order.hold_ms / 1000, self._release, locals_)

    def _release(self, locals_: list[int]) -> None:
        for local in locals_:
            self._live.tell(local, ButtonReleased())

    def show(self, order: msg.ShowCode) -> None:
        """Bring a code into view or take it away."""
        for local in self._locals(order.indices):
            self._clocks[local].shown(self._clock.now_ms() if order.payload else 0)
            self._live.show(local, order.payload)

    def move(self, order: msg.MoveTo) -> None:
        """Carry devices elsewhere."""
        for local in self._locals(order.indices):
            self._live.move(local, order.site)

    def plug(self, order: msg.Plug) -> None:
        """Put cables in, or pull them; bring what has none out of the reach of Wi-Fi, or back."""
        for local in self._locals(order.indices):
            self._live.plug(local, connected=order.connected)
            self._live.bring(local, in_reach=order.connected)

    def switch_air(self, order: msg.SwitchAir) -> None:
        """Switch the access point of a place on or off."""
        self._live.switch_air(order.site, on=order.on)

    def intend(self, order: msg.Intend) -> None:
        """Tell the clocks what the next pairing is for."""
        for local in self._locals(order.indices):
            self._clocks[local].purpose = order.purpose

    def lay_ambush(self, order: msg.LayAmbush) -> None:
        """Let a fault strike devices in time."""
        self._ambush.lay(
            order.number, order.fault, self._locals(order.indices), order.delays_ms, order.state
        )

    def call_off(self, order: msg.CallOff) -> None:
        """Forget faults that have not begun."""
        self._ambush.calm(order.numbers)

    def _strike(self, local: int, fault: AnyFault) -> str:
        state = self._live.device(local).lifecycle.name
        self._live.strike(local, fault)
        return state

    def snapshot(self, _: msg.TakeSnapshot) -> None:
        """Report every device as it is now."""
        self._flush()
        chips = tuple(self._chip(index, local) for index, local in self._local.items())
        self._link.send(msg.Snapshot(chips))

    def _chip(self, index: int, local: int) -> msg.Chip:
        device = self._live.device(local)
        calls, connects = self._live.traffic(local)
        return msg.Chip(
            index=index,
            lifecycle=device.lifecycle.name,
            session=device.session.name,
            outcome=device.outcome.name,
            light=device.light,
            operator=device.operator,
            dev_id=device.flash.dev_id,
            activated=device.flash.activated,
            calls=calls,
            connects=connects,
            severed=self._live.severed(local),
            erasing=device.flash.resetting is not None,
        )

    def stop(self, _: msg.Stop) -> None:
        """End."""
        self._done.set()

    def _locals(self, indices: tuple[int, ...]) -> list[int]:
        return [self._local[index] for index in indices]

    @property
    def _live(self) -> LiveWorld:
        assert self._world is not None, "an order came before SetUp"
        return self._world

    # --- observations and measurements ----------------------------------------------------------

    def _observe(self, local: int, effect: StateShown | Noted, now_ms: int) -> None:
        index = self._indices[local]
        if isinstance(effect, Noted):  # of a device that never stops, the oldest ones go
            notes = self._heard.setdefault(index, deque(maxlen=NOTES_PER_DEVICE_MAX))
            notes.append(msg.Heard(index, now_ms, effect.kind, effect.detail))
        else:
            seen = msg.Seen(index, now_ms, effect.lifecycle, effect.session, effect.light,
                            effect.operator, effect.cause)  # fmt: skip
            self._seen.append(seen)
            self._clocks[local].saw(seen)
            self._ambush.saw(local, seen.lifecycle)
            if len(self._seen) > PENDING_MAX:
                self._fail(RuntimeError("the runner does not take what this shard observes"))

    def _record(self, method: str, phase: str, spent_ms: int) -> None:
        self._phases[phase].record(spent_ms)
        own = self._by_method.setdefault(method, {})
        own.setdefault(phase, Histogram()).record(spent_ms)

    def _flush(self) -> None:
        """Send what was observed, unless the runner is behind: then it waits here, bounded."""
        while (self._seen or self._heard) and not self._link.clogged:
            seen, self._seen = self._seen[: msg.STATES_MAX], self._seen[msg.STATES_MAX :]
            self._link.send(msg.Observed(tuple(seen), self._some_heard()))

    def _some_heard(self) -> tuple[msg.Heard, ...]:
        """Take the notes of as many devices as go into one message."""
        notes: list[msg.Heard] = []
        while self._heard and len(notes) + NOTES_PER_DEVICE_MAX <= msg.STATES_MAX:
            notes += self._heard.pop(next(iter(self._heard)))
        return tuple(notes)

    def _pulse(self) -> None:
        if self._world is not None and self._world.failure is not None:
            self._fail(self._world.failure)
        phases = {name: histogram for name, histogram in self._phases.items() if histogram.count}
        stats = self._pool.stats if self._pool is not None else None
        self._link.send(
            msg.Pulse(
                phases=phases,
                loop_lag=self._lag,
                frames=stats.frames if stats else 0,
                decoded=stats.decoded if stats else 0,
                lens_cpu_ms=stats.cpu_ms if stats else 0.0,
                struck=self._ambush.take_struck(),
                by_method=self._by_method,
            )
        )
        self._phases, self._by_method, self._lag = _no_phases(), {}, Histogram()

    async def _every(self, pause_s: float, work: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(pause_s)
            work()

    async def _probe_lag(self) -> None:
        """Measure how much later than asked the loop comes round."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + LAG_PROBE_S
            await asyncio.sleep(LAG_PROBE_S)
            self._lag.record(1000 * (loop.time() - due_s))

    def _fail(self, error: object) -> None:
        """Tell the runner in one line why this shard cannot go on, once, and end."""
        if self._broken:
            return
        self._broken = True
        text = (
            str(error) if isinstance(error, SimulatorError) else f"{type(error).__name__}: {error}"
        )
        self._link.send(msg.ShardBroken(text))
        self._done.set()


def make_device(spec: msg.DeviceSpec, profile: Profile, order: msg.SetUp) -> Device:
    """Return the device of a specification; `order` says where its cloud is."""
    return Device(
        profile,
        Identity(spec.uuid, spec.auth_key, spec.product_id),
        spec.seed,
        (order.iot_dns_host, order.iot_dns_port),
        spec.flash,
        spec.lan_version,
        order.iot_dns_anchor,
    )


def _no_phases() -> dict[str, Histogram]:
    return {name: Histogram() for name in PHASES}


_ORDERS: dict[type[Any], Callable[[Shard, Any], None]] = {
    msg.SetUp: Shard.set_up_soon,
    msg.SwitchPower: Shard.power,
    msg.HoldButton: Shard.hold,
    msg.ShowCode: Shard.show,
    msg.MoveTo: Shard.move,
    msg.Plug: Shard.plug,
    msg.SwitchAir: Shard.switch_air,
    msg.AddDevices: Shard.add_soon,
    msg.RemoveDevices: Shard.remove,
    msg.Intend: Shard.intend,
    msg.LayAmbush: Shard.lay_ambush,
    msg.CallOff: Shard.call_off,
    msg.TakeSnapshot: Shard.snapshot,
    msg.Stop: Shard.stop,
}
