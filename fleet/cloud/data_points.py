"""The data points (DPs) of devices: last values, the log of reports and commands, wishes.

Values are kept as one compact JSON object per device, because they are only ever merged and
handed out. The log (`dp_log`) and the wishes (`desired`) have modules of their own and are reached
through here.
"""

from functools import lru_cache

import msgspec

from firmware_sim.errors import Malformed, TooLarge
from firmware_sim.wire.structs import decode_json, encode_json
from fleet.cloud.desired import DesiredPoints
from fleet.cloud.dp_log import DpEvent, DpLog
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

Values = dict[str, msgspec.Raw]
_Scalars = dict[str, bool | int | float | str | None]
_REPORTS_CACHED = 256


class DpValues(Record, gc=False):
    """The values of one device: `dps` is a JSON object from DP id to value."""

    TABLE = "dp_values"
    KEY = ("dev_id",)

    dev_id: str
    dps: str
    reported_ms: int


class DataPoints:
    """The last values of all devices, with `log` and `desired`."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored values."""
        self._size_max = settings.dp_values_size_max
        self._values: Ledger[DpValues] = Ledger(DpValues, load, journal)
        self.log = DpLog(settings, load, journal)
        self.desired = DesiredPoints(load, journal)

    def get(self, dev_id: str) -> Values:
        """Return the values of a device by DP id; none when it never reported."""
        kept = self._values.get(dev_id)
        return decode_json(Values, kept.dps.encode()) if kept is not None else {}

    def reported_ms(self, dev_id: str) -> int:
        """Return when the device last reported, or 0."""
        kept = self._values.get(dev_id)
        return kept.reported_ms if kept is not None else 0

    def report(self, dev_id: str, reported: msgspec.Raw, now_ms: int) -> str:
        """Merge a reported JSON object into the values of the device, log and return it, compact.

        Raises Malformed when it is none or a value is nested or a number that programs could not
        read, TooLarge when there would be too many values.
        """
        report = _compact(bytes(reported))
        kept = self._values.get(dev_id)
        dps = report if kept is None else _merged(kept.dps, report)
        size = len(dps.encode())
        if size > self._size_max:
            raise TooLarge(f"{size} bytes of data points; the limit is {self._size_max}")
        self._values.put(DpValues(dev_id, dps, now_ms))
        self.log.add(dev_id, DpEvent.REPORT, report, now_ms)
        return report

    def forget(self, dev_id: str) -> None:
        """Erase all about a device, as a factory reset does."""
        kept = self._values.get(dev_id)
        if kept is not None:
            self._values.remove(kept)
        self.log.forget(dev_id)
        self.desired.forget(dev_id)


# Devices of a product report much the same, most of all when they come online.


@lru_cache(_REPORTS_CACHED)
def _compact(reported: bytes) -> str:
    decode_json(_Scalars, reported)
    return _json_text(decode_json(Values, reported))


@lru_cache(_REPORTS_CACHED)
def _merged(kept: str, report: str) -> str:
    older, newer = decode_json(Values, kept.encode()), decode_json(Values, report.encode())
    return _json_text(older | newer)


def _json_text(values: Values) -> str:
    try:
        return encode_json(values).decode()
    except UnicodeDecodeError:  # the values were passed through as they came
        raise Malformed("data points: not UTF-8") from None
