"""The keys that each device was ever given, as the disk of a virtual cloud has them.

A key ends when the next one takes its place; the one that a device has now may be revoked.
"""

from enum import Enum, auto

from fleet.cloud.devices import Device
from fleet.run.checks.books import Books


class Standing(Enum):
    """What a key is good for."""

    UNKNOWN = auto()  # it was never written
    LIVE = auto()
    REVOKED = auto()  # its device is nobody's, and knows
    REPLACED = auto()  # its device has another one now


class Keyring:
    """All keys of all devices."""

    def __init__(self, books: Books) -> None:
        """Follow the books."""
        self.devices = books.keep(Device)
        self._uuids: dict[str, str] = {}
        self._given: dict[str, dict[str, None]] = {}  # by uuid; the latest last
        books.look(Device, self._take)

    def _take(self, _: Device | None, after: Device | None) -> None:
        if after is None:
            return
        if after.dev_id:
            self._uuids[after.dev_id] = after.uuid
        if after.sec_key:
            self._given.setdefault(after.uuid, {})[after.sec_key] = None

    def by_dev_id(self, dev_id: str) -> Device | None:
        """Return the device of that id."""
        return self.devices.get(self._uuids.get(dev_id, ""))

    def given(self, uuid: str) -> list[str]:
        """Return all keys that a device was ever given, the latest first."""
        return list(reversed(self._given.get(uuid, {})))

    def standing(self, device: Device, key: str) -> Standing:
        """Return what a key of a device is good for."""
        if key != device.sec_key:
            known = key in self._given.get(device.uuid, {})
            return Standing.REPLACED if known else Standing.UNKNOWN
        return Standing.REVOKED if device.revoked else Standing.LIVE
