"""A live fleet without processes for tests of its control: what is ordered is written down."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from fleet.cloud.api.admin_api import Stats
from fleet.cloud.counters import Counters
from fleet.cloud.quotas import Quota
from fleet.run.attendance import Live, Told
from fleet.run.chronicle import Chronicle
from fleet.run.cloud_faults import CloudFault
from fleet.run.fault_plan import Strike
from fleet.run.growth import grow
from fleet.run.live_hands import LiveHands
from fleet.run.measured import nothing_measured
from fleet.run.messages import Seen
from fleet.run.population import Population
from fleet.run.recovery import Recovery
from fleet.run.retries import Retries
from fleet.run.runner import Run
from fleet.run.shard_host import Hand, ShardHost
from fleet.run.stage import HOMES
from fleet.run.supervisor import Supervisor
from fleet.run.usage import Meter
from fleet.run.watch import REMOVED, Watch
from fleet.web.fleet_room import FleetRoom
from fleet.web.premises import Premises
from tests.run.fakes import small

T0_MS = 1_700_000_000_000


class Shard:
    """Writes orders down."""

    number = 0
    serving = True

    def __init__(self, count: int) -> None:
        self.hands = {index: Hand(HOMES, powered=True) for index in range(count)}
        self.orders: list[tuple[Any, ...]] = []

    def hand(self, index: int) -> Hand:
        return self.hands[index]

    def power(self, indices: Iterable[int], *, on: bool) -> None:
        self.orders.append(("power", tuple(indices), on))

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:
        self.orders.append(("hold", tuple(indices), hold_ms))

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:
        self.orders.append(("show", tuple(indices), payload))

    def move(self, indices: Iterable[int], site: str) -> None:
        self.orders.append(("move", tuple(indices), site))

    def plug(self, indices: Iterable[int], *, connected: bool) -> None:
        self.orders.append(("plug", tuple(indices), connected))

    def switch_air(self, site: str, *, on: bool) -> None:
        self.orders.append(("air", site, on))

    def strike(self, strike: Strike) -> None:
        self.orders.append(("strike", strike))

    def call_off(self, numbers: Iterable[int]) -> None:
        self.orders.append(("call off", tuple(numbers)))


class Admin:
    """Whoever runs the cloud."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    async def stats(self) -> Stats:
        self._fail()
        return Stats(Counters(requests=7, cpu_ms=1500), {"dp_reports": 3}, 4)

    async def quotas(self) -> list[Quota]:
        self._fail()
        return [Quota("account", "owner@maker", "2024-01-01", 3, 100)]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class Fleet(LiveHands):
    """Stands in for a supervisor."""

    def __init__(self, population: Population) -> None:
        count = len(population.units)
        self.population = population
        self.recovery = Recovery(count, T0_MS, lambda: 0.0)
        self.watch = Watch(count, self.recovery.saw)
        self.retries = Retries()
        self.measured = nothing_measured()
        self.meter = Meter()
        self.chronicle = Chronicle(self.watch, self.retries, T0_MS)
        self.incidents: list[str] = []
        self.owners_at_once = 1
        self.quota_day_offset_min = 0
        self.shard = Shard(count)
        self.shards = [cast("ShardHost", self.shard)]
        self.benches = {}
        self.dark = set()
        self.admin = Admin()
        self.now = T0_MS
        self.struck: list[tuple[int, CloudFault]] = []
        self.failure: Exception | None = None
        self.cloud_failure: Exception | None = None

    def now_ms(self) -> int:
        return self.now

    def sample(self) -> None:
        self.meter.sample({})

    def give_up(self, error: Exception) -> None:
        self.failure = error

    async def strike_cloud(self, number: int, fault: CloudFault) -> None:
        self.struck.append((number, fault))
        if self.cloud_failure is not None:
            raise self.cloud_failure
        await asyncio.Event().wait()

    async def add(self, profile: str, count: int) -> Population:
        before = len(self.population.units)
        self.population = grow(self.population, profile, count)
        self.watch.grow(before + count)
        self.recovery.grow(before + count)
        for index in range(before, before + count):
            self.shard.hands[index] = Hand(HOMES)
        return self.population

    async def remove(self, indices: Iterable[int]) -> None:
        self.watch.gone(indices, self.now, REMOVED)

    def enter(self, index: int, lifecycle: str, light: str) -> None:
        self.watch.take_seen(Seen(index, self.now, lifecycle, "UP", light, "", "Because"))


class World:
    """A fleet of six, and everything around it; `playing` a scenario or only there."""

    def __init__(self, *, playing: bool = False, **changes: Any) -> None:
        self.population = small(6, **changes)
        self.fleet = Fleet(self.population)
        self.supervisor = cast("Supervisor", self.fleet)
        self.said: list[str] = []
        self.told = Told(self.said.append)
        self.stop = asyncio.Event()
        self.moved = 0
        self.run = Run(self.population, self.supervisor, self.told) if playing else None
        self.live = Live(
            self.population, self.supervisor, self.stop, self.told, "zxing", self.run, self._moved
        )
        self.premises = Premises(self.population, self.supervisor, self.population.people)
        self.control = FleetRoom(self.premises, self.live)

    @property
    def orders(self) -> list[tuple[Any, ...]]:
        return self.fleet.shard.orders

    def _moved(self) -> None:
        self.moved += 1
