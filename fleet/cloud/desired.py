"""Values that a device is to take as soon as it is there: the desired part of its shadow.

A developer's program leaves a value with a time of life; it is sent when the device comes online,
once ("Set Desired Property", developer.tuya.com). A value that was sent stays visible, as sent,
until its time is up.
"""

import msgspec

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.store.records import Record


class Desired(Record, gc=False):
    """One value: `value` is JSON, `sent` says that the device was there to be told."""

    TABLE = "desired_points"
    KEY = ("dev_id", "dp_id")

    dev_id: str
    dp_id: int
    value: str
    set_ms: int
    expires_ms: int
    sent: bool = False


class DesiredPoints:
    """The desired values of all devices."""

    def __init__(self, load: Loader, journal: Journal) -> None:
        """Take the stored values."""
        self._points: Ledger[Desired] = Ledger(Desired, load, journal)
        self._by_device: dict[str, dict[int, None]] = {}
        for point in self._points:
            self._by_device.setdefault(point.dev_id, {})[point.dp_id] = None

    def put(self, point: Desired) -> None:
        """Wish for a value, in place of an older wish for the same data point."""
        self._by_device.setdefault(point.dev_id, {})[point.dp_id] = None
        self._points.put(point)

    def of(self, dev_id: str, now_ms: int) -> list[Desired]:
        """Return the wishes for a device that are still alive, by data point id."""
        wished = self._by_device.get(dev_id)
        if wished is None:
            return []
        kept = (self._points.get((dev_id, dp)) for dp in sorted(wished))
        return [point for point in kept if point is not None and now_ms < point.expires_ms]

    def mark_sent(self, points: list[Desired]) -> None:
        """Note that the device was told of these."""
        for point in points:
            self._points.put(msgspec.structs.replace(point, sent=True))

    def forget(self, dev_id: str) -> None:
        """Drop all wishes for a device, as the end of a binding does."""
        for dp_id in self._by_device.pop(dev_id, {}):
            point = self._points.get((dev_id, dp_id))
            assert point is not None, "what is listed is kept"
            self._points.remove(point)
