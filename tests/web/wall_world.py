"""A fleet of one process for the wall's tests: a watch, hands, and a cloud with a few words."""

from typing import Any

from fleet.app.messages import LogPage, LogRow
from fleet.cloud.api.admin_api import Audit, AuditedDevice
from fleet.run.messages import Seen
from fleet.run.population import Population, populate
from fleet.run.scenario import load_scenario
from fleet.run.shard_host import Hand
from fleet.run.stage import HOMES
from fleet.run.watch import Watch

T0_MS = 1_700_000_000_000


class OneShard:
    """What people have done to all devices."""

    def __init__(self, count: int) -> None:
        self.hands = [Hand(HOMES, powered=True) for _ in range(count)]

    def hand(self, index: int) -> Hand:
        return self.hands[index]


class Link:
    """The way to a cloud that knows one page of a log after another."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.closed = False

    async def call(self, method: str, path: str, kind: type[Any], **more: Any) -> Any:
        self.world.calls.append(f"{method} {path}")
        if path.endswith("/login"):
            return kind(session="s")
        rows = [row for row in self.world.log if row.id > more["query"]["after"]]
        page = tuple(rows[: self.world.page_rows])
        return LogPage(page, page[-1].id if len(rows) > len(page) else None)

    async def close(self) -> None:
        self.closed = True


class World:
    """Stands in for a supervisor; `now` is set by hand."""

    def __init__(self, count: int) -> None:
        self.population: Population = populate(load_scenario(), count, 1)
        self.watch = Watch(count)
        self.shard = OneShard(count)
        self.shards = [self.shard]
        self.now = T0_MS
        self.log: list[LogRow] = []
        self.page_rows = 2
        self.calls: list[str] = []
        self.links: list[Link] = []
        self.owner = "somebody"
        self.unknown: set[str] = set()

    def now_ms(self) -> int:
        return self.now

    def address(self, index: int) -> str:
        return f"127.16.0.{index + 1}"

    def host(self, _index: int) -> OneShard:
        return self.shard

    def open_link(self, _patience_s: float) -> Link:
        self.links.append(Link(self))
        return self.links[-1]

    async def audit(self) -> Audit:
        self.calls.append("audit")
        return Audit(
            [
                AuditedDevice(unit.uuid, unit.dev_id, unit.product.product_id, self.owner, True, "")
                for unit in self.population.units
                if unit.uuid not in self.unknown
            ],
            [],
            [],
        )

    def enter(self, index: int, lifecycle: str, light: str, operator: str = "") -> None:
        self.watch.take_seen(Seen(index, self.now, lifecycle, "DOWN", light, operator, "Because"))
