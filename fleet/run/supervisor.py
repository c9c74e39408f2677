"""Keeps the cloud and the shards of a run alive, and is the hands of its people.

A process that dies is noticed at once, reported and replaced; what people had done to devices is
done to the replacement. What cannot be helped (a full disk, a process that keeps dying) ends the
run through `failure`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from firmware_sim.errors import SimulatorError, UsageError
from firmware_sim.runtime.live.world import HOST_SHORT
from fleet.app.cloud_link import CloudLink
from fleet.app.finder import FOUND_MAX
from fleet.app.lan_client import LanSearch
from fleet.cloud.api.admin_api import Audit
from fleet.cloud.edge.process import ServerConfig
from fleet.lan.addresses import AddressBlock
from fleet.lan.capture import Recording
from fleet.run import messages as msg
from fleet.run import seeding
from fleet.run.admin import AdminLink
from fleet.run.audit import fetch_audit
from fleet.run.bridge.host import BridgeHost, hosts_of
from fleet.run.chronicle import Chronicle
from fleet.run.cloud_faults import CloudFault
from fleet.run.cloud_host import CloudHost
from fleet.run.cloud_mischief import CloudMischief
from fleet.run.door import Door
from fleet.run.fault_kinds import FaultKind
from fleet.run.growth import grow, networks, newcomers
from fleet.run.live_door import LiveDoors
from fleet.run.live_hands import LiveHands
from fleet.run.live_options import Options, shard_count
from fleet.run.measured import nothing_measured
from fleet.run.outages import Outages
from fleet.run.owner import OWNERS_AT_ONCE
from fleet.run.phones import LanPhones
from fleet.run.population import Population, Unit
from fleet.run.recovery import Recovery
from fleet.run.retries import Retries
from fleet.run.shard_host import ShardHost
from fleet.run.stage import HOMES, WAREHOUSE, Phones
from fleet.run.usage import Meter
from fleet.run.watch import REMOVED, Watch

SNAPSHOT_S = 10.0


class Supervisor(LiveHands):
    """The processes of one run."""

    def __init__(
        self,
        population: Population,
        options: Options,
        folder: Path,
        cloud: ServerConfig,
        report: Callable[[str], None],
    ) -> None:
        """Prepare; nothing runs yet. `report` gets a line for whatever an operator should know."""
        self.recovery = Recovery(len(population.units), _now_ms(), self._cloud_cpu_s)
        self.retries = Retries()
        self.watch = Watch(len(population.units), self.recovery.saw)
        self.measured = nothing_measured()
        self.meter = Meter()
        self.chronicle = Chronicle(self.watch, self.retries, _now_ms(), self.meter.by_group)
        self.incidents: list[str] = []
        self.quota_day_offset_min = cloud.settings.quota_day_offset_min
        self.owners_at_once = OWNERS_AT_ONCE
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.cloud = CloudHost(cloud, self._cloud_died)
        self.shards: list[ShardHost] = []
        self.benches: dict[int, BridgeHost] = {}
        self.dark: set[str] = set()
        self._population = population
        self._admin_secret = cloud.settings.admin_secret
        self._admin: AdminLink | None = None
        self._growing = asyncio.Lock()
        self._options = options
        self._folder = folder
        self._report = report
        self._block: AddressBlock | None = None
        self._recording: Recording | None = None
        self._replacing: set[asyncio.Task[None]] = set()
        self._snapshots: dict[int, asyncio.Future[msg.Snapshot]] = {}
        self._shortages: set[int] = set()
        outages = Outages(self.watch, self.recovery, self.measured, _now_ms)
        self._mischief = CloudMischief(self.cloud, outages, self.sample, report)
        self._doors = LiveDoors(self.give_up)

    # --- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the cloud, then all shards. Raises UsageError when one of them cannot start."""
        self._block = AddressBlock(self._options.lan)
        if self._options.pcap is not None:
            recording = Recording(self._options.pcap, self._block.lan.network)
            recording.start()
            self._recording = recording
        await self.cloud.start()
        if self._options.lan is not None:
            lan = self._options.lan
            self._report(
                f"{lan.title}, {lan.network}: cloud at {self.cloud.url}, devices from "
                f"{lan.first_ip}; {lan.reach}"
            )
        count = shard_count(len(self._population.units), self._options.shards)
        self.shards = [self._shard(number, count) for number in range(count)]
        async with asyncio.TaskGroup() as group:
            for shard in self.shards:
                group.create_task(shard.start())
        self.benches = hosts_of(
            self._population,
            self._options.benches,
            self._options.site,
            lambda report: self._take(len(self.shards), report),
            self.give_up,
        )
        for bench in self.benches.values():
            bench.start()

    async def stop(self, grace_s: float) -> None:
        """End all processes: politely, then after `grace_s` by force."""
        self.retries.end()
        for task in self._replacing:
            task.cancel()
        await asyncio.gather(*self._replacing, return_exceptions=True)
        await self._doors.close()
        await asyncio.gather(*(bench.stop() for bench in self.benches.values()))
        if self._admin is not None:
            await self._admin.close()
        self.sample()
        await asyncio.gather(
            self.cloud.stop(grace_s), *(shard.stop(grace_s) for shard in self.shards)
        )
        await self._stop_recording()
        if self._block is not None:
            self._block.close()

    async def _stop_recording(self) -> None:
        recording, self._recording = self._recording, None
        if recording is None:
            return
        try:
            counts = await asyncio.to_thread(recording.stop)
            self._report(f"{self._options.pcap}: {counts}")
        except UsageError as error:
            self._incident(str(error))

    def sample(self) -> None:
        """Look at what all processes cost right now."""
        groups = {f"shards/{shard.number}": [shard.pid] for shard in self.shards if shard.pid}
        self.meter.sample(groups | {"cloud": [self.cloud.pid] if self.cloud.pid else []})

    # --- what people need -----------------------------------------------------------------------

    def open_link(self, patience_s: float) -> CloudLink:
        """Return people's way to the cloud."""
        ca_file = self.cloud.ready.ca_file
        return CloudLink(self.cloud.url, patience_s=patience_s, ca_file=ca_file)

    @asynccontextmanager
    async def phones(self) -> AsyncIterator[Phones]:
        """Let phones hear the LAN as long as the block lasts."""
        fleet = max(FOUND_MAX, len(self._population.units))
        near = (self.network, *(member.lan for member in self._options.benches))
        async with LanSearch(network=" ".join(near), found_max=fleet) as search:
            yield LanPhones(search)

    def now_ms(self) -> int:
        """Return the time."""
        return _now_ms()

    def door(self, index: int) -> Door:
        """Return the way to the cloud that the firmware of a device has."""
        return self._doors.of(self.address(index), self.cloud.ready)

    async def audit(self) -> Audit:
        """Return the cloud's books. Raises CloudUnreachable or Malformed."""
        return await fetch_audit(self.cloud.url, self._admin_secret, self.cloud.ready.ca_file)

    @property
    def network(self) -> str:
        """Return the LAN of this run's devices; other runs on the host have others."""
        assert self._block is not None, "addresses are taken at the start"
        return self._block.lan.network

    def address(self, index: int) -> str:
        """Return the address of a device."""
        assert self._block is not None, "addresses are taken at the start"
        return self._block.address(index)

    def _shard(self, number: int, count: int) -> ShardHost:
        assert self._block is not None, "addresses are taken at the start"
        units = [unit for unit in self._population.units[number::count] if not unit.foreign]
        homes = {unit.home.ssid: unit.home.password for unit in units}
        homes |= {unit.new_home.ssid: unit.new_home.password for unit in units if unit.new_home}
        scenario = self._population.scenario
        warehouse = self._population.warehouse
        setup = msg.SetUp(
            shard=number,
            seed=self._population.seed,
            sites=(
                msg.SiteSpec(HOMES, homes, scenario.home.join_ms),
                msg.SiteSpec(
                    WAREHOUSE, {warehouse.ssid: warehouse.password}, scenario.warehouse.join_ms
                ),
            ),
            iot_dns_host=self.cloud.ready.host,
            iot_dns_port=self.cloud.ready.http_port,
            iot_dns_anchor=self.cloud.ready.anchor,
            broadcast_ip=self._block.lan.broadcast_ip,
            decoder=self._options.decoder,
            decode_workers=1,
            journal="",
            devices=tuple(self._spec(unit) for unit in units),
        )
        stem = self._folder / f"shard-{number}"
        return ShardHost(setup, stem, lambda report: self._take(number, report), self._shard_died)

    def _spec(self, unit: Unit) -> msg.DeviceSpec:
        options = self._options
        return seeding.device_spec(
            self._population,
            unit,
            self.address(unit.index),
            options.site,
            bound=options.bound,
            reset=options.reset,
        )

    # --- more of them, fewer --------------------------------------------------------------------

    async def add(self, profile: str, count: int) -> Population:
        """Let `count` more devices of a model come, without power; return all there are then.

        Raises UsageError for what cannot be, or when the cloud or a shard is away.
        """
        async with self._growing:
            before = self._population
            after = grow(before, profile, count)
            new = after.units[len(before.units) :]
            self.address(new[-1].index)
            if not all(shard.serving for shard in self.shards):
                raise UsageError("a shard is being started: try again in a moment")
            await self.admin.add(newcomers(before, after, bound=self._options.bound))
            self._population = after
            self.watch.grow(len(after.units))
            self.recovery.grow(len(after.units))
            for shard, mine in self.spread(unit.index for unit in new):
                units = tuple(after.units[index] for index in mine)
                assert isinstance(shard, ShardHost), "who comes is simulated"
                homes = msg.SiteSpec(HOMES, networks(units), after.scenario.home.join_ms)
                await shard.add((homes,), tuple(self._spec(unit) for unit in units))
            return after

    async def remove(self, indices: Iterable[int]) -> None:
        """Take devices away for good: switched off, and nobody's in the cloud.

        Raises UsageError when the cloud is away; the devices are gone all the same.
        """
        leaving = tuple(indices)
        for shard, mine in self.spread(leaving):
            shard.remove(mine)
        self.watch.gone(leaving, _now_ms(), REMOVED)
        uuids = tuple(self._population.units[index].uuid for index in leaving)
        await self.admin.remove(uuids)

    @property
    def admin(self) -> AdminLink:
        """Return the line to the cloud of whoever runs it."""
        if self._admin is None:
            ready = self.cloud.ready
            self._admin = AdminLink(self.cloud.url, self._admin_secret, ready.ca_file)
        return self._admin

    @property
    def population(self) -> Population:
        """Return all devices that there are, and whose."""
        return self._population

    def _cloud_cpu_s(self) -> float:
        self.sample()
        return self.meter.cpu_s("cloud")

    # --- faults ---------------------------------------------------------------------------------

    def plays(self, kind: FaultKind) -> bool:
        """Say whether faults of this kind can be made to happen to live processes."""
        return kind.live

    async def strike_cloud(self, number: int, fault: CloudFault) -> None:
        """Let a fault befall the cloud, as table `number` says; return when it is over."""
        await self._mischief.strike(number, fault)

    # --- death ----------------------------------------------------------------------------------

    def _shard_died(self, shard: ShardHost) -> None:
        self.watch.gone(shard.indices, _now_ms())
        snapshot = self._snapshots.pop(shard.number, None)
        if snapshot is not None and not snapshot.done():
            snapshot.set_exception(UsageError(f"shard {shard.number} died"))
        self._incident(f"shard {shard.number} died (pid {shard.pid}), starting another one")
        self._replace(shard.replace(), f"shard {shard.number} is back")

    def _cloud_died(self, last_words: str) -> None:
        words = f": {last_words}" if last_words else ""
        self._incident(f"the cloud died (pid {self.cloud.pid}){words}; starting it again")
        self._replace(self.cloud.replace(), "the cloud is back")

    def _replace(self, work: Coroutine[None, None, None], told: str) -> None:
        async def replace() -> None:
            try:
                await work
                self._incident(told)
            except SimulatorError as error:
                self.give_up(error)

        task = asyncio.get_running_loop().create_task(replace())
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    def _incident(self, text: str) -> None:
        self.incidents.append(text)
        self._report(text)

    def give_up(self, error: SimulatorError) -> None:
        """End the fleet for a reason that cannot be helped."""
        if not self.failure.done():
            self.failure.set_exception(error)

    # --- eyes -----------------------------------------------------------------------------------

    def _take(self, number: int, report: msg.Report) -> None:
        if isinstance(report, msg.Observed):
            self._take_observed(number, report)
        elif isinstance(report, msg.Pulse):
            self.measured.take(number, report)
            self.chronicle.measured(_now_ms(), report.by_method, report.loop_lag)
        elif isinstance(report, msg.Snapshot):
            waiting = self._snapshots.pop(number, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(report)
        elif isinstance(report, msg.ShardBroken):
            self.give_up(UsageError(f"shard {number}: {report.text}"))

    def _take_observed(self, number: int, report: msg.Observed) -> None:
        for seen in report.seen:
            self.watch.take_seen(seen)
        for heard in report.heard:
            self.watch.take_heard(heard)
            self.retries.take(heard)
            if heard.kind == HOST_SHORT:
                self._short(number, heard.detail)

    def _short(self, number: int, text: str) -> None:
        """Pass on once per shard what this host lacks; thousands of devices would say the same."""
        if number not in self._shortages:
            self._shortages.add(number)
            self._incident(f"shard {number}: {text}; see fleet doctor")

    async def snapshot(self) -> dict[int, msg.Chip]:
        """Return what each device is and holds now. Raises UsageError when a shard says nothing."""
        loop = asyncio.get_running_loop()
        asked = []
        for shard in self.shards:
            self._snapshots[shard.number] = answer = loop.create_future()
            asked.append(answer)
            shard.ask_snapshot()
        try:
            async with asyncio.timeout(SNAPSHOT_S):
                snapshots = await asyncio.gather(*asked)
        except TimeoutError:
            raise UsageError(f"a shard gave no snapshot within {SNAPSHOT_S:g} s") from None
        chips = {chip.index: chip for snapshot in snapshots for chip in snapshot.chips}
        return chips | {index: bench.chip() for index, bench in self.benches.items()}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
