"""How many calls each access key has made today, refused ones too.

Counted on arrival ("Open API FAQ", developer.tuya.com). A count is written down every thousandth
call, not with each, since most calls change nothing and should not wait for the disk: a cloud
that was killed forgets up to 999 calls of a key, in favour of the caller.
"""

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.settings import DAY_MS, Settings
from fleet.cloud.store.records import Record

NOTED_EVERY = 1_000


class CallCount(Record, gc=False):
    """Calls of one access key on one day (days since 1970-01-01, in the day's own zone)."""

    TABLE = "open_calls"
    KEY = ("access_id",)

    access_id: str
    day: int
    calls: int


class OpenCalls:
    """The counts of today."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored counts."""
        self._offset_ms = settings.open_calls_day_offset_min * 60_000
        self._noted: Ledger[CallCount] = Ledger(CallCount, load, journal)
        self._day = 0
        self._today: dict[str, int] = {}

    def count(self, access_id: str, now_ms: int) -> int:
        """Count a call; return how many it makes today."""
        day = (now_ms + self._offset_ms) // DAY_MS
        if day != self._day:
            self._day = day
            self._today = {row.access_id: row.calls for row in self._noted if row.day == day}
        calls = self._today.get(access_id, 0) + 1
        self._today[access_id] = calls
        if calls % NOTED_EVERY == 0:
            self._noted.put(CallCount(access_id, day, calls))
        return calls

    def today(self, access_id: str, now_ms: int) -> int:
        """Return how many calls the key has made today."""
        day = (now_ms + self._offset_ms) // DAY_MS
        return self._today.get(access_id, 0) if day == self._day else 0
