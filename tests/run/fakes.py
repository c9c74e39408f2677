"""A world of a few lines for the people of a run: devices that react at once, a cloud with rules.

No sockets, no processes, no time. The rules are those that people have to deal with: dead and
full tokens, rights, quotas, bound devices. Faults are set on attributes.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

import msgspec

from firmware_sim.wire.provisioning import TokenParts, decode_qr
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.finder import Found
from fleet.app.handover import Delivery, Outcome
from fleet.app.messages import (
    HistoryPage,
    HistoryRow,
    OwnedDevice,
    PairedDevice,
    PairFailure,
    PairResult,
    PairToken,
    ProductQuota,
    Quota,
    Quotas,
    Ticket,
    UnbindToken,
)
from fleet.run.calendar import Calendar
from fleet.run.messages import Seen
from fleet.run.population import Population, Unit, populate
from fleet.run.scenario import (
    Expect,
    Operator,
    Product,
    QuotaLimits,
    Scenario,
    Trouble,
    Warehouse,
)
from fleet.run.stage import Stage
from fleet.run.tally import Tally
from fleet.run.watch import Watch

SCENARIO = Scenario(
    name="small",
    title="A scenario for tests",
    devices=12,
    products=(Product("camera", "ipc-red-green", 8), Product("recorder", "nvr", 4)),
    operators=(
        Operator("owner@maker", "owner", 6),
        Operator("repair@partner", "partner", 3),
        Operator("after-sale@maker", "after_sale", 3),
    ),
    warehouse=Warehouse("Rückläufer", "returns-2024"),
    rebind_every=3,
    batch_max=4,
    patience_s=1,
    quotas=QuotaLimits(account=100, product=100),
    trouble=Trouble(),
    expect=Expect(),
)


def small(devices: int = 12, **changes: Any) -> Population:
    """Return a small population; `changes` are fields of its scenario."""
    return populate(msgspec.structs.replace(SCENARIO, **changes), devices, seed=1)


class MiniCloud:
    """The rules. `lose_replies` activations are carried out, but the device hears nothing.

    `later` is what happens as soon as somebody has looked into the history of a batch.
    """

    def __init__(self, population: Population) -> None:
        self.population = population
        self.owners = {unit.uuid: unit.owner.uid for unit in population.units}
        self.products = {unit.uuid: unit.product.product_id for unit in population.units}
        self.tokens: dict[str, UnbindToken] = {}
        self.makers: dict[str, str] = {}
        self.dead: set[str] = set()
        self.used: Counter[str] = Counter()
        self.limits: dict[str, int] = {}
        self.rows: list[HistoryRow] = []
        self.day = "2024-01-01"
        self.lose_replies = 0
        self.later: dict[str, list[Callable[[], None]]] = {}

    def limit(self, name: str) -> int:
        quotas = self.population.scenario.quotas
        product = any(product.product_id == name for product in self.population.products)
        return self.limits.get(name, quotas.product if product else quotas.account)

    def activate(self, uuid: str, token_text: str) -> str:
        """Unbind a device; return the reason why not, "" when it is unbound."""
        token = self.tokens[token_text]
        account, product = self.makers[token_text], self.products[uuid]
        released = sum(row.batch == token.batch and row.status == "ok" for row in self.rows)
        if token_text in self.dead:
            reason = "token_dead"
        elif released >= token.max_devices:
            reason = "token_full"
        elif not self.owners[uuid]:
            reason = "not_bound"
        elif account == self.population.purchaser.name:
            reason = "no_permission"
        elif self.used[account] >= self.limit(account):
            reason = "account_quota"
        elif self.used[product] >= self.limit(product):
            reason = "product_quota"
        else:
            reason = ""
            self.owners[uuid] = ""
            self.used[account] += 1
            self.used[product] += 1
        self.rows.append(
            HistoryRow(
                id=len(self.rows) + 1,
                time_ms=0,
                operation="unbind",
                status="refused" if reason else "ok",
                account=account,
                batch=token.batch,
                uuid=uuid,
                product_id=product,
                reason=reason,
                day=self.day,
            )
        )
        return reason


class MiniConsole:
    """A logged-in account; stands in for `ConsoleClient`."""

    def __init__(self, cloud: MiniCloud, name: str) -> None:
        self.cloud = cloud
        self.name = name
        self.tickets: list[Ticket] = []
        self.cancelled: list[str] = []

    async def unbind_token(
        self, method: str, *, max_devices: int | None = None, life_s: int | None = None
    ) -> UnbindToken:
        number = len(self.cloud.tokens)
        text = TokenParts("EU", f"tok{number:05d}", "pr_0").text
        token = UnbindToken(text, f"batch{number}", method, max_devices or 30, 0)
        self.cloud.tokens[text] = token
        self.cloud.makers[text] = self.name
        if life_s == 1:
            self.cloud.dead.add(text)
        return token

    async def cancel(self, batch: str) -> None:
        self.cancelled.append(batch)

    async def history(
        self, *, batch: str = "", status: str = "", after: int = 0, limit: int = 100
    ) -> HistoryPage:
        rows = tuple(
            row
            for row in self.cloud.rows
            if batch in ("", row.batch) and status in ("", row.status)
        )
        for happen in self.cloud.later.pop(batch, []):
            happen()
        return HistoryPage(rows)

    async def quotas(self) -> Quotas:
        cloud = self.cloud
        products = tuple(
            ProductQuota(p.product_id, cloud.used[p.product_id], cloud.limit(p.product_id))
            for p in cloud.population.products
        )
        return Quotas(cloud.day, Quota(cloud.used[self.name], cloud.limit(self.name)), products)

    async def ticket(self, ticket: Ticket) -> Ticket:
        self.tickets.append(ticket)
        self.cloud.limits[ticket.name] = ticket.limit
        return ticket

    @property
    def client(self) -> ConsoleClient:
        return cast("ConsoleClient", self)


class MiniApp:
    """A consumer's app; stands in for `ConsumerClient`."""

    def __init__(self, world: "MiniWorld", uid: str) -> None:
        self.world = world
        self.uid = uid

    async def pair_token(self) -> PairToken:
        text = f"EUpair{len(self.world.paired):04d}pr_0"
        self.world.paired[text] = self.uid
        return PairToken(text, 0)

    async def devices(self) -> tuple[OwnedDevice, ...]:
        mine = [uuid for uuid, uid in self.world.cloud.owners.items() if uid == self.uid]
        return tuple(OwnedDevice(f"id-{uuid}", uuid, "") for uuid in mine)

    async def pair_result(self, token: str) -> PairResult:
        mine = [u for u, uid in self.world.cloud.owners.items() if uid == self.world.paired[token]]
        if mine:
            return PairResult(success=tuple(PairedDevice(uuid, "") for uuid in mine))
        return PairResult(failed=(PairFailure("", "already_bound"),))


class MiniWorld:
    """Hands, phones and devices in one; every device waits for a code from the start.

    `deaf`: indices of devices that never react. `power_cuts`: indices that lose their power, once,
    after they have taken a token. `unreset`: indices that take a code only after their button was
    held. `kept`: lights of devices that believe until then that they are somebody's. `late`: indices
    that are in the dark when they are looked for, use their token afterwards, and then show this
    light. `unfinished`: indices that hang, once, in the reset after their release, until they are
    switched on again. `refuse_tokens`: how many times a wired device says no first.
    """

    def __init__(self, population: Population, cloud: MiniCloud) -> None:
        self.population = population
        self.cloud = cloud
        self.watch = Watch(len(population.units))
        self.deaf: set[int] = set()
        self.power_cuts: set[int] = set()
        self.hang: set[int] = set()
        self.late: dict[int, str] = {}
        self.unreset: set[int] = set()
        self.unfinished: set[int] = set()
        self.kept: dict[int, str] = {}
        self.refuse_tokens = 0
        self.log: list[tuple[Any, ...]] = []
        self.quota_day_offset_min = 0
        self.owners_at_once = 2
        self.calendar = Calendar(0, population.campaign.days, self.now_ms)
        self.networks = {"Rückläufer": "returns-2024"}
        for unit in population.units:
            for home in (unit.home, unit.new_home):
                if home is not None:
                    self.networks[home.ssid] = home.password
        self.paired: dict[str, str] = {}
        for index in range(len(population.units)):
            self.enter(index, "WAITING", "waiting", "waiting")

    def now_ms(self) -> int:
        """Return noon of the day that the cloud has."""
        return int(datetime.fromisoformat(f"{self.cloud.day}T12:00Z").timestamp() * 1000)

    # --- Hands ----------------------------------------------------------------------------------

    def power(self, indices: Iterable[int], *, on: bool) -> None:
        for index in indices:
            self.log.append(("power", index, on))
            if on:
                self.enter(index, "BOOTING", "booting", "")
                if index in self.kept:
                    self.enter(index, "REJOINING", self.kept[index], "")
                else:
                    self.enter(index, "WAITING", "waiting", "waiting")
            else:
                self.enter(index, "OFF", "off", "")

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:
        self.log.append(("hold", tuple(indices), hold_ms))
        for index in indices:
            if index in self.unreset or index in self.kept:
                self.unreset.discard(index)
                self.kept.pop(index, None)
                self.enter(index, "WAITING", "waiting", "waiting")

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:
        for index in indices:
            self.log.append(("show", index, payload is not None))
            if payload is not None and index not in self.deaf | self.unreset:
                asyncio.get_running_loop().call_soon(self._scan, index, payload)

    def move(self, indices: Iterable[int], site: str) -> None:
        self.log += [("move", index, site) for index in indices]

    def intend(self, indices: Iterable[int], purpose: str) -> None:
        self.log.append(("intend", tuple(indices), purpose))

    # --- Phones ---------------------------------------------------------------------------------

    async def wait_for(self, uuids: Iterable[str], timeout_s: float) -> tuple[Found, ...]:
        await asyncio.sleep(0)
        wanted = set(uuids)
        units = [unit for unit in self.population.units if unit.uuid in wanted]
        heard = tuple(self.found(unit) for unit in units if unit.index not in self.deaf)
        if not heard:
            await asyncio.sleep(timeout_s)
        return heard

    async def hand_over(self, found: Found, token_text: str) -> Delivery:
        await asyncio.sleep(0)
        if self.refuse_tokens:
            self.refuse_tokens -= 1
            return Delivery(found.ip, Outcome.REFUSED, 1)
        index = next(unit.index for unit in self.population.units if unit.uuid == found.uuid)
        asyncio.get_running_loop().call_soon(self._activate, index, token_text)
        return Delivery(found.ip, Outcome.ACCEPTED, 1)

    def found(self, unit: Unit) -> Found:
        ip = f"127.16.1.{unit.index + 1}"
        return Found(unit.uuid, ip, unit.product.product_id, "3.3", ip)

    # --- devices --------------------------------------------------------------------------------

    def enter(self, index: int, lifecycle: str, light: str, operator: str) -> None:
        self.watch.take_seen(Seen(index, 0, lifecycle, "DOWN", light, operator, ""))

    def _scan(self, index: int, payload: bytes) -> None:
        code = decode_qr(payload)
        self.enter(index, "JOINING", "joining", "unbinding")
        if self.networks.get(code.ssid) != code.password:
            self._fail(index, "join_failed")
        else:
            self._activate(index, code.token)

    def _activate(self, index: int, token_text: str) -> None:
        self.enter(index, "ACTIVATING", "registering", "unbinding")
        uuid = self.population.units[index].uuid
        if index in self.hang:
            self.hang.discard(index)
            return
        if token_text in self.paired:
            self._pair(index, uuid, token_text)
            return
        if index in self.late:
            light = self.late.pop(index)
            self.enter(index, "OFF", "off", "")
            batch = self.cloud.tokens[token_text].batch
            self.cloud.later.setdefault(batch, []).append(
                lambda: self._wake_late(index, token_text, light)
            )
            return
        reason = self.cloud.activate(uuid, token_text)
        if index in self.power_cuts:
            self.power_cuts.discard(index)
            self.power([index], on=False)
            self.power([index], on=True)
        elif self.cloud.lose_replies:
            self.cloud.lose_replies -= 1
            self._fail(index, "activation_failed")
        elif reason:
            self._fail(index, "activation_failed")
        else:
            self.enter(index, "RESETTING", "resetting", "unbinding")
            if index in self.unfinished:
                self.unfinished.discard(index)
            else:
                self.enter(index, "WAITING", "unbound", "unbound")

    def _wake_late(self, index: int, token_text: str, light: str) -> None:
        self.cloud.activate(self.population.units[index].uuid, token_text)
        self.enter(index, "WAITING", light, light)

    def _pair(self, index: int, uuid: str, token_text: str) -> None:
        if self.cloud.owners[uuid]:
            self._fail(index, "activation_failed")
            return
        self.cloud.owners[uuid] = self.paired[token_text]
        self.enter(index, "ONLINE", "online", "")

    def _fail(self, index: int, light: str) -> None:
        self.enter(index, "FAILED", light, "failed")
        self.enter(index, "WAITING", "waiting", "waiting")

    # --- everything together --------------------------------------------------------------------

    def stage(self, link: CloudLink | None = None) -> Stage:
        return Stage(
            population=self.population,
            hands=self,
            watch=self.watch,
            phones=self,
            link=cast("CloudLink", link),
            tally=Tally(),
            calendar=self.calendar,
            patience_s=0.2,
        )
