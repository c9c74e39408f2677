"""The data points (DPs) of devices: last values, the log of reports and commands, wishes.

Values are kept as one compact JSON object per device, because they are only ever merged and
handed out. The log (`dp_log`) and the wishes (`desired`) have modules of their own and are reached
through here.
"""

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

    def report(self, dev_id: str, reported: msgspec.Raw, now_ms: int) -> Values:
        """Merge a reported JSON object into the values of the device, log and return it.

        Raises Malformed when it is none or a value is nested or a number that programs could not
        read, TooLarge when there would be too many values.
        """
        decode_json(_Scalars, reported)
        values = decode_json(Values, reported)
        merged = encode_json({**self.get(dev_id), **values})
        try:
            dps = merged.decode()
        except UnicodeDecodeError:  # the values were passed through as they came
            raise Malformed("data points: not UTF-8") from None
        if len(merged) > self._size_max:
            raise TooLarge(f"{len(merged)} bytes of data points; the limit is {self._size_max}")
        self._values.put(DpValues(dev_id, dps, now_ms))
        self.log.add(dev_id, DpEvent.REPORT, encode_json(values).decode(), now_ms)
        return values

    def forget(self, dev_id: str) -> None:
        """Erase all about a device, as a factory reset does."""
        kept = self._values.get(dev_id)
        if kept is not None:
            self._values.remove(kept)
        self.log.forget(dev_id)
        self.desired.forget(dev_id)
