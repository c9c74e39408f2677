"""The runner's side of one shard: starts the process, passes orders on, replaces it when it dies.

Whatever a person has done to a device (supply, place, code in view) is remembered here, because
it outlives the process that simulates the device. A dead shard is a power cut for its devices:
the replacement finds their flash in the journal, puts them where they were and switches them on.
"""

import asyncio
import socket
from collections.abc import Callable, Container, Iterable
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live.journal import FlashJournal
from fleet.run import messages as msg
from fleet.run import shard
from fleet.run.children import SPAWN, reap
from fleet.run.fault_plan import Strike
from fleet.run.link import Link

START_S = 60.0  # a process that has not made its devices by then never will
REPLACEMENTS_MAX = 5  # a shard that dies more often than that dies of something we do


class Hand(msgspec.Struct):
    """What people have done to one device; independent of the process that simulates it."""

    site: str
    powered: bool = False
    plugged: bool = True
    payload: bytes | None = None
    purpose: str = ""

    def __repr__(self) -> str:
        """Show the place, never the code in view."""
        return f"Hand(site={self.site!r}, powered={self.powered})"


class ShardHost:
    """One shard. `on_report` gets what it tells, `on_death` is called when it dies unasked."""

    def __init__(
        self,
        setup: msg.SetUp,
        journal_stem: Path,
        on_report: Callable[[msg.Report], None],
        on_death: Callable[["ShardHost"], None],
    ) -> None:
        """Prepare; `setup` has an empty `journal`, each process writes `journal_stem`.N.flash."""
        self.number = setup.shard
        self._setup = setup
        self._journal_stem = journal_stem
        self._on_report = on_report
        self._on_death = on_death
        self._hands = {spec.index: Hand(spec.site) for spec in setup.devices}
        self._link: Link[msg.Report] | None = None
        self._process: BaseProcess | None = None
        self._ready: asyncio.Future[None] | None = None
        self._ended = asyncio.Event()
        self._adding: list[asyncio.Future[None]] = []
        self._dark: set[str] = set()  # places without Wi-Fi
        self._removed: set[int] = set()
        self._serving = False
        self._stopping = False
        self.generation = 0

    @property
    def indices(self) -> tuple[int, ...]:
        """Return the devices of this shard."""
        return self._mine(self._hands)

    @property
    def serving(self) -> bool:
        """Say whether there is a process that takes orders now."""
        return self._serving

    def hand(self, index: int) -> Hand:
        """Return what people have done to a device of this shard."""
        return self._hands[index]

    @property
    def pid(self) -> int:
        """Return the id of the process, 0 before there is one."""
        return (self._process.pid or 0) if self._process is not None else 0

    # --- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the process and create the devices. Raises UsageError when that fails."""
        ours, theirs = socket.socketpair()
        self._ended = asyncio.Event()
        self._ready = asyncio.get_running_loop().create_future()
        process = SPAWN.Process(
            target=shard.main, args=(theirs,), name=f"fleet-shard-{self.number}", daemon=False
        )
        process.start()
        theirs.close()
        self._process = process
        self._link = Link(msg.Report, self._take, self._lost)
        await self._link.attach(ours)
        journal = f"{self._journal_stem}.{self.generation}.flash"
        self._link.send(msgspec.structs.replace(self._setup, journal=journal))
        try:
            async with asyncio.timeout(START_S):
                await self._ready
        except TimeoutError:
            raise UsageError(
                f"shard {self.number} did not start within {START_S:g} s; is the machine overloaded?"
            ) from None
        self._serving = True

    async def replace(self) -> None:
        """Start a new process for the devices of the dead one. Raises UsageError when it keeps dying."""
        await self._reap(grace_s=1.0)
        if self.generation >= REPLACEMENTS_MAX:
            raise UsageError(
                f"shard {self.number} died {REPLACEMENTS_MAX + 1} times; see the messages above"
            )
        journal = Path(f"{self._journal_stem}.{self.generation}.flash")
        images = FlashJournal.replay(journal)
        devices = tuple(
            msgspec.structs.replace(
                spec, site=self._hands[spec.index].site, flash=images.get(local, spec.flash)
            )
            for local, spec in enumerate(self._setup.devices)
            if spec.index not in self._removed
        )
        self._setup = msgspec.structs.replace(self._setup, devices=devices)
        self.generation += 1
        await self.start()
        self._restore()

    async def stop(self, grace_s: float) -> None:
        """End the process: politely, then after `grace_s` by force."""
        self._stopping = True
        if self._link is not None:
            self._link.send(msg.Stop())
        await self._reap(grace_s)

    def _restore(self) -> None:
        """Do to the new devices what people had done to the old ones."""
        for site in sorted(self._dark):
            self._send(msg.SwitchAir(site, on=False))
        hands = {index: self._hands[index] for index in self.indices}
        unplugged = tuple(index for index, hand in hands.items() if not hand.plugged)
        self._send(msg.Plug(unplugged, connected=False))
        groups: dict[bytes | None, list[int]] = {}
        for index, hand in hands.items():
            groups.setdefault(hand.payload, []).append(index)
            self._send(msg.Intend((index,), hand.purpose))
        on = tuple(index for index, hand in hands.items() if hand.powered)
        self._send(msg.SwitchPower(on, on=True))
        for payload, indices in groups.items():
            if payload is not None:
                self._send(msg.ShowCode(tuple(indices), payload))

    async def _reap(self, grace_s: float) -> None:
        process, self._process = self._process, None
        if process is not None:
            await reap(process, self._ended, grace_s)
        if self._link is not None:
            self._link.close()
            self._link = None

    # --- talking --------------------------------------------------------------------------------

    def power(self, indices: Iterable[int], *, on: bool) -> None:
        """Apply or remove the supply voltage."""
        mine = self._mine(indices)
        for index in mine:
            self._hands[index].powered = on
        self._send(msg.SwitchPower(mine, on))

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:
        """Press the reset buttons for `hold_ms`; a finger does not survive a dead shard."""
        self._send(msg.HoldButton(self._mine(indices), hold_ms))

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:
        """Bring a code into view, or take it away."""
        mine = self._mine(indices)
        for index in mine:
            self._hands[index].payload = payload
        self._send(msg.ShowCode(mine, payload))

    def move(self, indices: Iterable[int], site: str) -> None:
        """Carry devices to another place."""
        mine = self._mine(indices)
        for index in mine:
            self._hands[index].site = site
        self._send(msg.MoveTo(mine, site))

    def plug(self, indices: Iterable[int], *, connected: bool) -> None:
        """Put Ethernet cables in, or pull them; others leave the reach of Wi-Fi, or come back."""
        mine = self._mine(indices)
        for index in mine:
            self._hands[index].plugged = connected
        self._send(msg.Plug(mine, connected))

    def switch_air(self, site: str, *, on: bool) -> None:
        """Switch the access point of a place on or off."""
        (self._dark.discard if on else self._dark.add)(site)
        self._send(msg.SwitchAir(site, on))

    async def add(
        self, sites: tuple[msg.SiteSpec, ...], devices: tuple[msg.DeviceSpec, ...]
    ) -> None:
        """Create more devices; `sites` are the places that have new networks, and which.

        Those of a shard that dies meanwhile are created with its replacement. Not for one that is
        not `serving`.
        """
        known = {site.name: site.networks for site in sites}
        self._setup = msgspec.structs.replace(
            self._setup,
            sites=tuple(
                msgspec.structs.replace(site, networks=site.networks | known.get(site.name, {}))
                for site in self._setup.sites
            ),
            devices=(*self._setup.devices, *devices),
        )
        self._hands |= {spec.index: Hand(spec.site) for spec in devices}
        added = asyncio.get_running_loop().create_future()
        self._adding.append(added)
        self._send(msg.AddDevices(sites, devices))
        await added

    def remove(self, indices: Iterable[int]) -> None:
        """Switch devices off for good."""
        mine = self._mine(indices)
        self._send(msg.RemoveDevices(mine))
        for index in mine:
            self._hands[index].powered = False
        self._removed.update(mine)

    def intend(self, indices: Iterable[int], purpose: str) -> None:
        """Say what the next pairing is for."""
        mine = self._mine(indices)
        for index in mine:
            self._hands[index].purpose = purpose
        self._send(msg.Intend(mine, purpose))

    def strike(self, strike: Strike) -> None:
        """Let a fault befall those of the devices that are ours; it does not survive a dead shard."""
        mine = strike.only(self._there())
        if mine.indices:
            self._send(
                msg.LayAmbush(mine.number, mine.fault, mine.indices, mine.delays_ms, mine.state)
            )

    def call_off(self, numbers: Iterable[int]) -> None:
        """Forget what the tables with these numbers have not begun."""
        self._send(msg.CallOff(tuple(numbers)))

    def ask_snapshot(self) -> None:
        """Have the shard report a `Snapshot`."""
        self._send(msg.TakeSnapshot())

    def _mine(self, indices: Iterable[int]) -> tuple[int, ...]:
        there = self._there()
        return tuple(index for index in indices if index in there)

    def _there(self) -> Container[int]:
        return self._hands.keys() - self._removed if self._removed else self._hands

    def _send(self, order: msg.Order) -> None:
        """Send an order; a shard that does not serve yet is told by `_restore` when it does."""
        if self._link is not None and self._serving:
            self._link.send(order)

    def _take(self, report: msg.Report) -> None:
        waiting = self._ready is not None and not self._ready.done()
        if isinstance(report, msg.ShardReady) and waiting:
            assert self._ready is not None
            self._ready.set_result(None)
        elif isinstance(report, msg.ShardBroken) and waiting:
            assert self._ready is not None
            self._ready.set_exception(UsageError(report.text))
        elif isinstance(report, msg.DevicesAdded):
            self._added(1)
        else:
            self._on_report(report)

    def _added(self, count: int) -> None:
        for added in self._adding[:count]:
            if not added.done():
                added.set_result(None)
        del self._adding[:count]

    def _lost(self) -> None:
        self._link = None
        self._serving = False
        self._added(len(self._adding))
        self._ended.set()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(UsageError(f"shard {self.number} died while it started"))
        elif not self._stopping:
            self._on_death(self)
