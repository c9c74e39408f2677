"""What was done and refused: the operation history, and the log of each device.

The vendor's developer app shows results and failure reasons in its history, and the console has
device logs per product ("Unbind Smart Devices", developer.tuya.com); the columns are ours.

Firmware may repeat a refused activation every second for ever, and a hostile device may alternate
between several. So the same refusal of the same device, by the same person and batch on the same
day, stays one row until an operation on the device succeeds, with the number of `tries` and the
time of the last: no single device can fill the history with refusals.
"""

from collections import Counter
from enum import StrEnum

import msgspec

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.row_log import Page, Row, RowLog
from fleet.cloud.settings import Settings

_What = tuple[str, ...]


class Operation(StrEnum):
    """What somebody tried to do: UNBIND in a batch, REMOVE as its owner, DELETE as a developer."""

    BIND = "bind"
    UNBIND = "unbind"
    REMOVE = "remove"
    DELETE = "delete"


class Way(StrEnum):
    """The method of an operation that took no token: the others have `qr` or `wired` there."""

    APP = "app"
    OPEN_API = "open_api"
    BUTTON = "button"
    GATEWAY = "gateway"


class Status(StrEnum):
    """How it ended."""

    OK = "ok"
    REFUSED = "refused"


class DeviceEvent(StrEnum):
    """What a device log tells."""

    BOUND = "bound"
    TAKEN_OVER = "taken_over"
    UNBOUND = "unbound"
    REMOVED = "removed"
    DELETED = "deleted"
    ONLINE = "online"
    OFFLINE = "offline"
    RESET_SENT = "reset_sent"
    RESET_CONFIRMED = "reset_confirmed"
    RESET_FETCHED = "reset_fetched"
    LOCAL_RESET = "local_reset"
    UPGRADE_ORDERED = "upgrade_ordered"
    UPGRADE_FAILED = "upgrade_failed"
    UPGRADED = "upgraded"
    RESTARTED = "restarted"
    RESTART_REASON = "restart_reason"


class HistoryRow(Row, gc=False):
    """One operation on a device.

    `account` is who did it: an account's name, or a consumer's uid, or "" where a token is
    unknown. `owner` had the product. `batch` is the unbinding token's, or "". `day` is the quota
    day. `reason` is "" for what went well.
    """

    TABLE = "history"
    KEY = ("id",)

    time_ms: int
    day: str
    account: str
    owner: str
    operation: str
    method: str
    batch: str
    uuid: str
    dev_id: str
    product_id: str
    status: str
    reason: str
    tries: int = 1


class LogRow(Row, gc=False):
    """One event in the life of a device."""

    TABLE = "device_log"
    KEY = ("id",)

    time_ms: int
    uuid: str
    event: str
    detail: str


class Unbound(msgspec.Struct, frozen=True):
    """How many devices the history says were unbound by an account, of a product, on a day."""

    account: str
    product_id: str
    day: str
    count: int


class History:
    """The operation history."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored rows."""
        self._settings = settings
        self._log = RowLog(
            Ledger(HistoryRow, load, journal),
            _viewers,
            rows_max=settings.history_rows_max,
            rows_per_name_max=settings.history_rows_max,
        )
        self._refusals: dict[str, dict[_What, int]] = {}  # by uuid, since its last success
        for row in self._log:
            self._remember(row)

    def add(self, row: HistoryRow) -> HistoryRow:
        """Add `row` (its id is given here), or count it as one more try of the same refusal."""
        before = self._log.get(self._refusals.get(row.uuid, {}).get(_what(row), 0))
        if before is not None:
            changes = {"time_ms": row.time_ms, "tries": before.tries + 1}
            return self._log.replace(msgspec.structs.replace(before, **changes))
        row = self._log.append(msgspec.structs.replace(row, id=self._log.next_id))
        self._remember(row)
        return row

    def page(
        self,
        viewer: str,
        *,
        batch: str = "",
        status: str = "",
        after: int = 0,
        limit: int = 0,
        newest: bool = False,
    ) -> Page[HistoryRow]:
        """Return rows that account `viewer` may see: its own operations and those on its products.

        Rows have ids above `after`; with `newest` they come newest first, with ids below `after`
        unless that is 0. `batch` and `status` select, where given. `limit` 0 means as many as a
        page may have.
        """
        turn = self._log.latest if newest else self._log.page
        return turn(
            viewer,
            after,
            min(limit or self._settings.page_rows_max, self._settings.page_rows_max),
            lambda row: batch in ("", row.batch) and status in ("", row.status),
        )

    def unbound(self) -> list[Unbound]:
        """Count what was unbound, per account, product and day, sorted."""
        counts = Counter(
            (row.account, row.product_id, row.day)
            for row in self._log
            if row.operation == Operation.UNBIND and row.status == Status.OK
        )
        return [Unbound(*key, count) for key, count in sorted(counts.items())]

    def _remember(self, row: HistoryRow) -> None:
        known = self._refusals.pop(row.uuid, {})
        if row.status == Status.REFUSED:
            kept = {what: of for what, of in known.items() if self._log.get(of) is not None}
            self._refusals[row.uuid] = {**kept, _what(row): row.id}


class DeviceLog:
    """The logs of all devices."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored rows."""
        self._settings = settings
        self._log = RowLog(
            Ledger(LogRow, load, journal),
            lambda row: (row.uuid,),
            rows_max=settings.device_log_rows_max,
            rows_per_name_max=settings.device_log_rows_per_device_max,
        )

    def add(self, uuid: str, event: DeviceEvent, now_ms: int, detail: str = "") -> LogRow:
        """Add one event to the log of device `uuid`."""
        return self._log.append(LogRow(self._log.next_id, now_ms, uuid, event.value, detail))

    def of(self, uuid: str) -> list[LogRow]:
        """Return all that is kept of the log of a device, oldest first."""
        return self._log.page(uuid, 0, self._settings.device_log_rows_per_device_max).rows

    def page(self, uuid: str, *, after: int = 0, limit: int = 0) -> Page[LogRow]:
        """Return the log of a device, oldest first; `limit` 0 means as many as a page may have."""
        limit = min(limit or self._settings.page_rows_max, self._settings.page_rows_max)
        return self._log.page(uuid, after, limit)


def _viewers(row: HistoryRow) -> tuple[str, ...]:
    # A consumer's uid is not an account: only the product's owner sees what consumers do.
    names = {row.owner}
    # Nor does a stranger learn here that a device exists which the Open API keeps from it.
    kept_from = row.operation == Operation.DELETE and row.status == Status.REFUSED
    if row.operation in {Operation.UNBIND, Operation.DELETE} and not kept_from:
        names.add(row.account)
    return tuple(sorted(names - {""}))


def _what(row: HistoryRow) -> _What:
    return (row.account, row.owner, row.operation, row.batch, row.reason, row.day)
