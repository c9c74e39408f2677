"""What devices reported and what they were sent, message by message: the log of data points.

The Open API shows it as events 7 (data point report) and 5 (command sent), one entry per point
("Query device log", developer.tuya.com); here a message is one row. It is apart from the device
log, because a talkative device would soon push its bindings and unbindings out of that one.
"""

from enum import StrEnum

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.row_log import Row, RowLog
from fleet.cloud.settings import Settings


class DpEvent(StrEnum):
    """Which way a message went."""

    REPORT = "report"
    COMMAND = "command"


class DpRow(Row, gc=False):
    """One message: `dps` is a JSON object from data point id to value."""

    TABLE = "dp_log"
    KEY = ("id",)

    time_ms: int
    dev_id: str
    event: str
    dps: str


class DpLog:
    """The messages of all devices, as far as the settings have them kept."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored rows."""
        self._rows_max = settings.dp_log_rows_per_device_max
        self._log = RowLog(
            Ledger(DpRow, load, journal),
            lambda row: (row.dev_id,),
            rows_max=settings.dp_log_rows_max,
            rows_per_name_max=max(1, self._rows_max),
        )

    def add(self, dev_id: str, event: DpEvent, dps: str, now_ms: int) -> None:
        """Add one message of or to a device."""
        if self._rows_max:
            self._log.append(DpRow(self._log.next_id, now_ms, dev_id, event.value, dps))

    def of(self, dev_id: str) -> list[DpRow]:
        """Return what is kept of a device, oldest first."""
        return self._log.page(dev_id, 0, max(1, self._rows_max)).rows

    def forget(self, dev_id: str) -> None:
        """Erase the messages of a device, as a factory reset does."""
        self._log.forget(dev_id)
