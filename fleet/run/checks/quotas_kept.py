"""No quota and no code releases more than it may, and only what was unbound is charged.

Recounted from the history alone: per account, per product and per code, by the days of the quota.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from fleet.app.messages import HistoryRow as ShownRow
from fleet.cloud.history import HistoryRow
from fleet.cloud.quotas import QuotaLimit, QuotaUse
from fleet.cloud.settings import DAY_MS
from fleet.cloud.tokens import UnbindToken
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.scene import Checker, Scene

CODE_MAX = 30  # devices per code, as published ("Unbind Smart Devices", developer.tuya.com)
ACCOUNT, PRODUCT = "account", "product"
Quota = tuple[str, str, str]  # scope, name, day


def day_of(time_ms: int, offset_min: int) -> str:
    """Return the quota day of a time, as an ISO date; the day begins so long before UTC's."""
    return datetime.fromtimestamp(time_ms / 1000 + offset_min * 60, UTC).date().isoformat()


def at_end(evidence: Evidence) -> Iterator[str]:
    """Hold quotas, codes and what operators saw against the history."""
    rows = [row for row in evidence.history if row.operation == "unbind" and row.status == "ok"]
    yield from _charged(evidence, rows)
    yield from _seen(evidence, rows)
    yield from _days(rows)
    for batch, count in Counter(row.batch for row in rows).items():
        if count > min(evidence.population.scenario.batch_max, CODE_MAX):
            yield f"batch {batch}: released {count} devices"


def _charged(evidence: Evidence, rows: list[ShownRow]) -> Iterator[str]:
    unbound: Counter[Quota] = Counter()
    for row in rows:
        unbound[ACCOUNT, row.account, row.day] += 1
        unbound[PRODUCT, row.product_id, row.day] += 1
    used: dict[Quota, int] = {}
    for quota in evidence.audit.quotas:
        used[quota.scope, quota.name, quota.day] = quota.used
        if quota.used > quota.limit:
            yield f"quota of {quota.scope} {quota.name}: {quota.used} used of {quota.limit}"
    kept_from = min((day for _, _, day in used), default="")  # the days before are forgotten
    for scope, name, day in sorted(used.keys() | unbound.keys()):
        spent, count = used.get((scope, name, day), 0), unbound[scope, name, day]
        if spent != count and day >= kept_from:
            yield f"quota of {scope} {name} on {day}: {spent} used, {count} devices unbound"


def _seen(evidence: Evidence, rows: list[ShownRow]) -> Iterator[str]:
    released = Counter(row.uuid for row in rows)
    for unit in evidence.population.units:
        seen = unit.index in evidence.tally.unbound
        if seen != (released[unit.uuid] > 0):
            yield f"{unit.uuid}: unbound {released[unit.uuid]} times, its operator saw {int(seen)}"


def _days(rows: list[ShownRow]) -> Iterator[str]:
    """Say of rows that no one hour of the day at which quotas begin anew can put on their days."""
    begins_ms, ends_ms = -DAY_MS, DAY_MS  # between which that hour lies, before midnight UTC
    for row in rows:
        day_ms = int(datetime.fromisoformat(f"{row.day}T00:00Z").timestamp()) * 1000
        begins_ms = max(begins_ms, day_ms - row.time_ms)
        ends_ms = min(ends_ms, day_ms + DAY_MS - row.time_ms)
        if begins_ms >= ends_ms:
            yield f"{row.uuid}: its release counts for {row.day}, which was another day"
            return


class Watcher(Checker):
    """Counts on with each transaction. Keeps a count per quota and per code, nothing per device."""

    def __init__(self, scene: Scene) -> None:
        """Follow uses, limits, codes, and the history."""
        super().__init__(scene)
        self._limits = scene.books.keep(QuotaLimit)
        self._uses = scene.books.keep(QuotaUse)
        self._unbound: Counter[Quota] = Counter()
        self._released: Counter[str] = Counter()
        self._touched: dict[Quota, None] = {}
        self._tokens: dict[str, UnbindToken] = {}  # by batch
        self._moved: dict[str, None] = {}  # batches whose token or count has changed
        scene.books.look(HistoryRow, self._recorded)
        scene.books.look(QuotaUse, self._used)
        scene.books.keep(UnbindToken)  # to know of which batch a code was that goes
        scene.books.look(UnbindToken, self._counted)

    def _recorded(self, _: HistoryRow | None, row: HistoryRow | None) -> None:
        if row is None or row.operation != "unbind" or row.status != "ok":
            return
        day = day_of(row.time_ms, self.scene.settings.quota_day_offset_min)
        if row.day != day:
            self.violated(row.uuid, f"its release counts for {row.day}, which was {day}")
        self._released[row.batch] += 1
        self._moved[row.batch] = None
        for quota in ((ACCOUNT, row.account, day), (PRODUCT, row.product_id, day)):
            self._unbound[quota] += 1
            self._touched[quota] = None

    def _used(self, before: QuotaUse | None, after: QuotaUse | None) -> None:
        if after is None:
            return
        self._touched[after.scope, after.name, after.day] = None
        limit = self._limit(after.scope, after.name)
        if after.used > max(limit, before.used if before is not None else 0):
            self.violated(f"quota of {after.scope} {after.name}", f"{after.used} used of {limit}")

    def _limit(self, scope: str, name: str) -> int:
        ticket = self._limits.get((scope, name))
        if ticket is not None:
            return ticket.quota_max
        settings = self.scene.settings
        by_scope = {
            ACCOUNT: settings.account_quota_per_day,
            PRODUCT: settings.product_quota_per_day,
        }
        return by_scope[scope]

    def _counted(self, before: UnbindToken | None, after: UnbindToken | None) -> None:
        if after is not None:
            self._tokens[after.batch] = after
            self._moved[after.batch] = None
        elif before is not None:
            self._tokens.pop(before.batch, None)

    def written(self) -> None:
        """Compare what was charged with what was unbound, where either has changed."""
        for quota in self._touched:
            use, count = self._uses.get(quota), self._unbound[quota]
            used = use.used if use is not None else 0
            if used != count:
                scope, name, day = quota
                self.violated(
                    f"quota of {scope} {name} on {day}", f"{used} used, {count} devices unbound"
                )
        self._touched.clear()
        for batch in self._moved:
            token, released = self._tokens.get(batch), self._released[batch]
            if token is None:
                self.violated(f"batch {batch}", f"released {released} devices, and has no code")
            elif token.used != released or released > min(token.devices_max, CODE_MAX):
                places = f"{token.used} of {token.devices_max} places taken"
                self.violated(f"batch {batch}", f"released {released} devices, {places}")
        self._moved.clear()
