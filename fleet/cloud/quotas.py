"""How many devices may be unbound in a day: per account and per product, raised by ticket.

The vendor publishes 100 devices per account and day, 100 per product and day, and "more by
ticket" ("Unbind Smart Devices", developer.tuya.com). It does not publish when the day turns, nor
whether a refused try counts; here the day turns at `quota_day_offset_min`, and only a device
that was released counts.
"""

from datetime import date
from enum import StrEnum

import msgspec

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import DAY_MS, Settings
from fleet.cloud.store.records import Record

_EPOCH = date(1970, 1, 1).toordinal()


class Scope(StrEnum):
    """What a quota is counted for."""

    ACCOUNT = "account"
    PRODUCT = "product"


class QuotaUse(Record, gc=False):
    """Devices unbound for one account or product on one day (ISO date)."""

    TABLE = "quota_uses"
    KEY = ("scope", "name", "day")

    scope: str
    name: str
    day: str
    used: int


class QuotaLimit(Record, gc=False):
    """A limit that differs from the default, as granted by ticket."""

    TABLE = "quota_limits"
    KEY = ("scope", "name")

    scope: str
    name: str
    quota_max: int


class Quota(msgspec.Struct, frozen=True):
    """A quota as it stands on one day."""

    scope: str
    name: str
    day: str
    used: int
    limit: int


class Quotas:
    """Use and limits of all quotas."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored use and limits."""
        self._settings = settings
        self._uses: Ledger[QuotaUse] = Ledger(QuotaUse, load, journal)
        self._limits: Ledger[QuotaLimit] = Ledger(QuotaLimit, load, journal)

    def day(self, now_ms: int) -> str:
        """Return the quota day that `now_ms` falls into, as an ISO date."""
        return self._date(now_ms).isoformat()

    def standing(self, scope: Scope, name: str, now_ms: int) -> Quota:
        """Return today's quota of an account or product."""
        day = self.day(now_ms)
        use = self._uses.get((scope.value, name, day))
        return Quota(scope.value, name, day, use.used if use else 0, self._limit(scope, name))

    def has_room(self, scope: Scope, name: str, now_ms: int) -> bool:
        """Tell whether one more device may be unbound today."""
        quota = self.standing(scope, name, now_ms)
        return quota.used < quota.limit

    def take(self, scope: Scope, name: str, now_ms: int) -> None:
        """Count one unbound device; the caller has made sure that there is room."""
        quota = self.standing(scope, name, now_ms)
        if not quota.used:
            self._forget_before(now_ms)
        self._uses.put(QuotaUse(scope.value, name, quota.day, quota.used + 1))

    def raise_limit(self, scope: Scope, name: str, limit: int) -> QuotaLimit:
        """Set the limit of one quota, as the vendor does on a ticket. Refused beyond reason."""
        if not 0 <= limit <= self._settings.quota_limit_max:
            raise Refused(
                Reason.BAD_REQUEST, f"a limit lies in 0 .. {self._settings.quota_limit_max}"
            )
        return self._limits.put(QuotaLimit(scope.value, name, limit))

    def all(self) -> list[Quota]:
        """Return every quota that was used on a day still remembered, sorted."""
        rows = [
            Quota(use.scope, use.name, use.day, use.used, self._limit(Scope(use.scope), use.name))
            for use in self._uses
        ]
        return sorted(rows, key=lambda quota: (quota.day, quota.scope, quota.name))

    def _limit(self, scope: Scope, name: str) -> int:
        raised = self._limits.get((scope.value, name))
        if raised is not None:
            return raised.quota_max
        if scope is Scope.ACCOUNT:
            return self._settings.account_quota_per_day
        return self._settings.product_quota_per_day

    def _date(self, now_ms: int) -> date:
        local_ms = now_ms + self._settings.quota_day_offset_min * 60_000
        return date.fromordinal(_EPOCH + local_ms // DAY_MS)

    def _forget_before(self, now_ms: int) -> None:
        oldest = self._date(now_ms - self._settings.quota_days_kept * DAY_MS).isoformat()
        for use in [use for use in self._uses if use.day < oldest]:
            self._uses.remove(use)
