"""The last value of each data point (DP) of each device, as devices reported them.

Kept as one compact JSON object per device, because values are only ever merged and handed out.
"""

import msgspec

from firmware_sim.errors import Malformed, TooLarge
from firmware_sim.wire.structs import decode_json, encode_json
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

Values = dict[str, msgspec.Raw]


class DpValues(Record, gc=False):
    """The values of one device: `dps` is a JSON object from DP id to value."""

    TABLE = "dp_values"
    KEY = ("dev_id",)

    dev_id: str
    dps: str
    reported_ms: int


class DataPoints:
    """The last values of all devices."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored values."""
        self._size_max = settings.dp_values_size_max
        self._values: Ledger[DpValues] = Ledger(DpValues, load, journal)

    def get(self, dev_id: str) -> Values:
        """Return the values of a device by DP id; none when it never reported."""
        kept = self._values.get(dev_id)
        return decode_json(Values, kept.dps.encode()) if kept is not None else {}

    def report(self, dev_id: str, reported: msgspec.Raw, now_ms: int) -> None:
        """Merge a reported JSON object into the values of the device.

        Raises Malformed when it is none, TooLarge when there would be too many values.
        """
        merged = encode_json({**self.get(dev_id), **decode_json(Values, reported)})
        try:
            dps = merged.decode()
        except UnicodeDecodeError:  # the values were passed through as they came
            raise Malformed("data points: not UTF-8") from None
        if len(merged) > self._size_max:
            raise TooLarge(f"{len(merged)} bytes of data points; the limit is {self._size_max}")
        self._values.put(DpValues(dev_id, dps, now_ms))

    def forget(self, dev_id: str) -> None:
        """Erase the values of a device, as a factory reset does."""
        kept = self._values.get(dev_id)
        if kept is not None:
            self._values.remove(kept)
