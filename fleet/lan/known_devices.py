"""Which device is at which address, and its key: from a devices.json, and from announcements.

The file is the list that tinytuya's wizard writes (jasonacox/tinytuya, README.md): objects with
`id` and `key`, and perhaps `ip`, `name` and `version`; whatever else they hold is ignored.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import msgspec

from firmware_sim.errors import Malformed, UsageError
from firmware_sim.wire.ciphers import KEY_SIZE
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.structs import Secretive, decode_json

FILE_BYTES_MAX = 256 << 20
ANNOUNCED_MAX = 100_000
ID_SIZE_MAX = 64

_VERSIONS = {version.value: version for version in LanVersion}


class Device(Secretive, frozen=True):
    """A device of the list; `key` has 16 ASCII characters or is empty, as behind a gateway."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"key"})

    id: str
    name: str
    key: bytes
    ip: str = ""
    version: LanVersion | None = None


class _Entry(msgspec.Struct):
    id: str
    key: str | None = None
    name: str | None = None
    ip: str | None = None
    version: str | float | None = None


def read_devices(path: Path) -> list[Device]:
    """Return the devices of the list in the file `path`; raises UsageError if it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > FILE_BYTES_MAX:
        raise UsageError(f"{path}: more than {FILE_BYTES_MAX >> 20} MiB are no list of devices")
    try:
        return [_device(entry) for entry in decode_json(list[_Entry], data)]
    except Malformed as error:
        raise UsageError(f"{path}: not a devices.json as tinytuya writes it: {error}") from None


def _device(entry: _Entry) -> Device:
    key = (entry.key or "").encode()
    return Device(
        id=entry.id,
        name=entry.name or "",
        key=key if len(key) == KEY_SIZE and key.isascii() else b"",
        ip=entry.ip or "",
        version=_VERSIONS.get(str(entry.version)),
    )


class DeviceBook:
    """Finds devices by address. What an address announces is newer than what the list says."""

    def __init__(self, devices: Iterable[Device] = ()) -> None:
        """Know these devices."""
        self._by_id: dict[str, Device] = {}
        self._by_ip: dict[str, Device] = {}
        self._announced: dict[str, tuple[str, LanVersion | None]] = {}
        for device in devices:
            if device.id:
                self._by_id[device.id] = device
            if device.ip:
                self._by_ip[device.ip] = device

    def announce(self, ip: str, device_id: str, version: str) -> None:
        """Note who says to be at `ip`, for at most ANNOUNCED_MAX addresses.

        An id of more than ID_SIZE_MAX characters is nobody's.
        """
        if ip in self._announced or len(self._announced) < ANNOUNCED_MAX:
            known = device_id if len(device_id) <= ID_SIZE_MAX else ""
            self._announced[ip] = known, _VERSIONS.get(version)

    def device_at(self, ip: str) -> Device | None:
        """Return the device at `ip`, if it is on the list."""
        device_id, _ = self._announced.get(ip, ("", None))
        return self._by_id.get(device_id) or self._by_ip.get(ip)

    def version_at(self, ip: str) -> LanVersion | None:
        """Return what the device at `ip` is said to speak."""
        device = self.device_at(ip)
        listed = device.version if device is not None else None
        return listed or self._announced.get(ip, ("", None))[1]
