"""The registry: which devices exist, whose they are, and which credentials they hold.

A device is known by its uuid and authKey from the day it is made. Its first activation gives it a
device id, which stays its own through every reset and owner, and keys (secKey, localKey), which
are new with every binding. Lengths are those that firmware has room for
(tuya/tuya-connect-kit-for-mqtt-embedded-c, include/tuya_iot.h).

A device that loses its owner has a *pending reset* until its next activation: it must learn that
it is to erase itself. While its credentials are live it may connect to be told so; once they are
*revoked* it is refused at CONNECT and asks `tuya.device.info.sync` with its old key.
"""

from enum import StrEnum

import msgspec

from fleet.cloud.keys import LOWER, Entropy, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.store.records import Record

_DEV_ID_PREFIX = "bf"
_DEV_ID_RANDOM = 20
_KEY_LENGTH = 16
_SOFTWARE_LENGTH_MAX = 16

ACTIVATION_CLIENT = "acon_"


class ResetKind(StrEnum):
    """What a device without owner is told to erase: its binding, or everything."""

    RESET = "reset"
    RESET_FACTORY = "reset_factory"


class Device(Record, gc=False):
    """One device. Empty texts stand for "none"; a device with an `owner` (uid) is bound.

    `bound_by` is the pairing token and `released_by` the unbinding batch that brought it here, so
    that a repeated call whose reply was lost can be answered again. `last_owner` survives the
    owner. `reset_told` says that the device knows of its pending reset. `wipe` says that its last
    activation ordered it to erase its user's data.
    """

    TABLE = "devices"
    KEY = ("uuid",)

    uuid: str
    auth_key: str
    product_id: str
    name: str = ""
    software: str = ""
    dev_id: str = ""
    sec_key: str = ""
    local_key: str = ""
    owner: str = ""
    last_owner: str = ""
    bound_by: str = ""
    released_by: str = ""
    pending_reset: str = ""
    reset_told: bool = False
    wipe: bool = False
    revoked: bool = False
    activated_ms: int = 0

    @property
    def bound(self) -> bool:
        """Tell whether the device has an owner."""
        return self.owner != ""

    @property
    def live(self) -> bool:
        """Tell whether the device holds credentials that are accepted."""
        return self.sec_key != "" and not self.revoked

    def __repr__(self) -> str:
        """Show who and whose it is, never its keys."""
        state = f"owner={self.owner!r}, pending_reset={self.pending_reset!r}"
        return f"Device({self.uuid!r}, dev_id={self.dev_id!r}, {state}, revoked={self.revoked})"


class Devices:
    """All devices, and the transitions of one device. None of them checks a permission."""

    def __init__(self, load: Loader, journal: Journal, entropy: Entropy) -> None:
        """Take the stored devices."""
        self._entropy = entropy
        self._devices: Ledger[Device] = Ledger(Device, load, journal)
        self._by_dev_id: dict[str, str] = {}
        self._by_owner: dict[str, dict[str, None]] = {}
        for device in self._devices:
            self._file(device)

    def __len__(self) -> int:
        """Return the number of devices."""
        return len(self._devices)

    # --- look up --------------------------------------------------------------------------------

    def get(self, uuid: str) -> Device | None:
        """Return the device of that uuid."""
        return self._devices.get(uuid)

    def by_dev_id(self, dev_id: str) -> Device | None:
        """Return the device that has or had the device id."""
        return self._devices.get(self._by_dev_id.get(dev_id, ""))

    def owned_by(self, uid: str) -> list[Device]:
        """Return the devices of a consumer, sorted by uuid."""
        owned = (self._devices.get(uuid) for uuid in sorted(self._by_owner.get(uid, ())))
        return [device for device in owned if device is not None]

    def all(self) -> list[Device]:
        """Return all devices, sorted by uuid."""
        return sorted(self._devices, key=lambda device: device.uuid)

    # --- transitions ----------------------------------------------------------------------------

    def add(self, device: Device) -> Device:
        """Register a device as it left the factory or as a seed describes it."""
        return self._put(device)

    def bind(
        self, device: Device, owner: str, token: str, *, name: str, wipe: bool, now_ms: int
    ) -> Device:
        """Give the device to `owner`, with new keys; nothing is pending any more."""
        return self._put(
            self._activated(
                device,
                now_ms,
                name=name,
                owner=owner,
                last_owner=owner,
                bound_by=token,
                released_by="",
                pending_reset="",
                reset_told=False,
                wipe=wipe,
            )
        )

    def release(
        self, device: Device, batch: str, kind: ResetKind, now_ms: int, *, admit: bool
    ) -> Device:
        """Take the owner away in the name of `batch`.

        With `admit` the device is activated under no owner, to be told of its reset once it is
        online; without, it is refused from now on.
        """
        changes: dict[str, str | bool] = {
            "owner": "",
            "bound_by": "",
            "name": _name_after(device, kind),
            "released_by": batch,
            "pending_reset": kind.value,
            "reset_told": False,
            "wipe": False,
        }
        if admit:
            return self._put(self._activated(device, now_ms, **changes))
        return self._replace(device, revoked=True, **changes)

    def offer_again(self, device: Device) -> Device:
        """Let a released device in once more with the keys it was given, to be told again."""
        return self._replace(device, revoked=False, reset_told=False)

    def remove(self, device: Device, kind: ResetKind, *, reachable: bool) -> Device:
        """Take the owner away; a device that is not `reachable` is refused from now on."""
        return self._replace(
            device,
            owner="",
            bound_by="",
            name=_name_after(device, kind),
            pending_reset=kind.value,
            reset_told=False,
            revoked=not reachable,
        )

    def confirm_reset(self, device: Device) -> Device:
        """Note that the device knows of its pending reset: its credentials are void."""
        return self._replace(device, revoked=True, reset_told=True)

    def note_software(self, device: Device, software: str) -> Device:
        """Remember the versions that the device reported."""
        software = software[:_SOFTWARE_LENGTH_MAX]
        return device if software == device.software else self._replace(device, software=software)

    # --- details --------------------------------------------------------------------------------

    def _activated(self, device: Device, now_ms: int, **changes: str | bool) -> Device:
        return msgspec.structs.replace(
            device,
            dev_id=device.dev_id or self._new_dev_id(),
            sec_key=random_text(self._entropy, _KEY_LENGTH),
            local_key=random_text(self._entropy, _KEY_LENGTH),
            activated_ms=now_ms,
            revoked=False,
            **changes,
        )

    def _new_dev_id(self) -> str:
        return _DEV_ID_PREFIX + random_text(self._entropy, _DEV_ID_RANDOM, LOWER)

    def _replace(self, device: Device, **changes: str | bool) -> Device:
        return self._put(msgspec.structs.replace(device, **changes))

    def _put(self, device: Device) -> Device:
        before = self._devices.get(device.uuid)
        if before is not None and before.owner:
            owned = self._by_owner[before.owner]
            del owned[device.uuid]
            if not owned:
                del self._by_owner[before.owner]
        self._file(device)
        return self._devices.put(device)

    def _file(self, device: Device) -> None:
        if device.dev_id:
            self._by_dev_id[device.dev_id] = device.uuid
        if device.owner:
            self._by_owner.setdefault(device.owner, {})[device.uuid] = None


def _name_after(device: Device, kind: ResetKind) -> str:
    return "" if kind is ResetKind.RESET_FACTORY else device.name
