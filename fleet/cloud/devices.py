"""The registry: which devices exist, whose they are, and which credentials they hold.

A device is known by its uuid and authKey from the day it is made. Its first activation gives it a
device id, which stays its own through every reset and owner, and keys (secKey, localKey), which
are new with every binding. Lengths are those that firmware has room for
(tuya/tuya-connect-kit-for-mqtt-embedded-c, include/tuya_iot.h).

A device that loses its owner has a *pending reset* until its next activation: it must learn that
it is to erase itself. While its credentials are live it may connect to be told so; once they are
*revoked* it is refused at CONNECT and asks `tuya.device.info.sync` with its old key.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import msgspec

from fleet.cloud.keys import LOWER, Entropy, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.ordered import Ordered
from fleet.cloud.store.records import Record

_DEV_ID_PREFIX = "bf"
_DEV_ID_RANDOM = 20
_KEY_LENGTH = 16
_SOFTWARE_LENGTH_MAX = 16

ACTIVATION_CLIENT = "acon_"
MAIN_CHANNEL = 0
MODULES_MAX = 16
"""How many chips besides the main one a device may have."""


class ResetKind(StrEnum):
    """What a device without owner is told to erase: its binding, or everything."""

    RESET = "reset"
    RESET_FACTORY = "reset_factory"


class Site(msgspec.Struct, frozen=True):
    """Where a device is paired; every empty text stands for "not said".

    `region` is a data centre (none: the server's own), `home` a home of its owner, `space` a space
    of a project, `time_zone` an offset (`+08:00`), `lon` and `lat` are degrees.
    """

    region: str = ""
    home: str = ""
    space: str = ""
    time_zone: str = ""
    lon: str = ""
    lat: str = ""


class Device(Record, gc=False):
    """One device. Empty texts stand for "none"; a device with an `owner` (uid) is bound.

    `bound_by` is the pairing token and `released_by` the unbinding batch that brought it here, so
    that a repeated call whose reply was lost can be answered again. `last_owner` survives the
    owner. `reset_told` says that the device knows of its pending reset. `wipe` says that its last
    activation orders it to erase its user's data, and that it has not been heard of since (a
    sub-device: its values have not), so that the answer may have been lost.

    `region` to `lat` are its `Site`. `created_ms` is its first activation and `activated_ms` its
    last; `updated_ms` is when something about it was last changed from here. A `frozen` device
    takes no commands. A sub-device has the device id of its `gateway`, its own `node_id` there, and no
    keys but the gateway's localKey (`fleet.cloud.children`).
    `point_names` are the names that its data points were given: pairs of code and name.

    `generation` is that of its firmware as far as it has said (`firmware_sim.wire.generation`),
    `modules` the versions of its other chips: pairs of channel and version. `asked_s` is by its own
    clock when it last asked to be activated and was, in seconds.
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
    region: str = ""
    home: str = ""
    space: str = ""
    time_zone: str = ""
    lon: str = ""
    lat: str = ""
    ip: str = ""
    created_ms: int = 0
    updated_ms: int = 0
    frozen: bool = False
    gateway: str = ""
    node_id: str = ""
    point_names: tuple[tuple[str, str], ...] = ()
    generation: str = ""
    modules: tuple[tuple[int, str], ...] = ()
    asked_s: int = 0

    @property
    def bound(self) -> bool:
        """Tell whether the device has an owner."""
        return self.owner != ""

    @property
    def live(self) -> bool:
        """Tell whether the device holds credentials that are accepted."""
        return self.sec_key != "" and not self.revoked

    def version_of(self, channel: int) -> str:
        """Return which firmware of a channel it runs, or "" while it has not said."""
        return self.software if channel == MAIN_CHANNEL else dict(self.modules).get(channel, "")

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
        self._by_gateway: dict[str, dict[str, None]] = {}
        self._by_space: dict[str, dict[str, None]] = {}
        self._by_product: dict[str, Ordered[str]] = {}  # device ids
        for device in self._devices:
            self._file(device)
            if device.dev_id:
                self._by_product.setdefault(device.product_id, Ordered()).add(device.dev_id)
        self._ids = Ordered(self._by_dev_id)

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
        return self._those(sorted(self._by_owner.get(uid, ())))

    def behind(self, dev_id: str) -> list[Device]:
        """Return the sub-devices of a gateway, sorted by uuid."""
        children = self._by_gateway.get(dev_id)
        return self._those(sorted(children)) if children is not None else []

    def in_space(self, space_id: str) -> list[Device]:
        """Return the devices that are in a space of a project, sorted by uuid."""
        return self._those(sorted(self._by_space.get(space_id, ())))

    def after(self, dev_id: str) -> Iterator[Device]:
        """Go through all devices with ids above `dev_id`, in order of id ("": all of them)."""
        return self._walk(self._ids, dev_id)

    def of_product(self, product_id: str, after: str = "") -> Iterator[Device]:
        """Go through the devices of a product as `after` goes through all."""
        return self._walk(self._by_product.get(product_id, Ordered()), after)

    def all(self) -> list[Device]:
        """Return all devices, sorted by uuid."""
        return sorted(self._devices, key=lambda device: device.uuid)

    # --- transitions ----------------------------------------------------------------------------

    def add(self, device: Device) -> Device:
        """Register a device as it left the factory, or as a seed or its gateway describes it."""
        return self._put(device)

    def drop(self, device: Device) -> None:
        """Forget a device that is nobody's for good."""
        _unlist(self._by_gateway, device.gateway, device.uuid)
        self._by_product[device.product_id].remove(device.dev_id)
        self._ids.remove(device.dev_id)
        del self._by_dev_id[device.dev_id]
        self._devices.remove(device)

    def bind(
        self,
        device: Device,
        owner: str,
        token: str,
        *,
        name: str,
        wipe: bool,
        now_ms: int,
        site: Site,
    ) -> Device:
        """Give the device to `owner` at `site`, with new keys; nothing is pending any more.

        Under another owner than the last one the names of its data points are forgotten.
        """
        same = device.last_owner in {"", owner}
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
                point_names=device.point_names if same else (),
                **msgspec.structs.asdict(site),
            )
        )

    def release(
        self, device: Device, batch: str, kind: ResetKind, now_ms: int, *, admit: bool
    ) -> Device:
        """Take the owner away in the name of `batch`.

        With `admit` the device is activated under no owner, to be told of its reset once it is
        online; without, it is refused from now on.
        """
        changes = {**_without_owner(kind), "released_by": batch}
        if admit:
            return self._put(self._activated(device, now_ms, **changes))
        return self._replace(device, revoked=True, **changes)

    def offer_again(self, device: Device) -> Device:
        """Let a released device in once more with the keys it was given, to be told again."""
        return self._replace(device, revoked=False, reset_told=False)

    def remove(self, device: Device, kind: ResetKind, *, reachable: bool) -> Device:
        """Take the owner away; a device that is not `reachable` is refused from now on."""
        return self._replace(device, revoked=not reachable, **_without_owner(kind))

    def confirm_reset(self, device: Device) -> Device:
        """Note that the device knows of its pending reset: its credentials are void."""
        return self._replace(device, revoked=True, reset_told=True)

    def note_activation(self, device: Device, *, generation: str, asked_s: int, ip: str) -> Device:
        """Remember how, when by its own clock, and from where the device was activated."""
        return self._replace(device, generation=generation, asked_s=asked_s, ip=ip)

    def confirm_wipe(self, device: Device) -> Device:
        """Note that the device has the answer to its activation, and so any order to erase."""
        return self._replace(device, wipe=False) if device.wipe else device

    def note_version(self, device: Device, channel: int, version: str) -> Device:
        """Remember which firmware the device runs; channel 0 is the main one."""
        version = _version(version)
        if channel == MAIN_CHANNEL:
            same = version == device.software
            return device if same else self._replace(device, software=version)
        modules = {**dict(device.modules), channel: version}
        if modules == dict(device.modules) or len(modules) > MODULES_MAX:
            return device
        return self._replace(device, modules=tuple(sorted(modules.items())))

    def note_generation(self, device: Device, generation: str) -> Device:
        """Remember of which generation the device's firmware is."""
        same = generation == device.generation
        return device if same else self._replace(device, generation=generation)

    def rename(self, device: Device, name: str, now_ms: int) -> Device:
        """Give the device another name."""
        return self._replace(device, name=name, updated_ms=now_ms)

    def name_points(self, device: Device, names: dict[str, str], now_ms: int) -> Device:
        """Give some data points (by code) names of their own; an empty one takes it away."""
        merged = {**dict(device.point_names), **names}
        kept = tuple((code, name) for code, name in merged.items() if name)
        return self._replace(device, point_names=kept, updated_ms=now_ms)

    def freeze(self, device: Device, now_ms: int, *, frozen: bool) -> Device:
        """Let the device take no commands any more, or take them again."""
        return self._replace(device, frozen=frozen, updated_ms=now_ms)

    def move(self, device: Device, now_ms: int, *, space: str) -> Device:
        """Put the device into a space of a project."""
        return self._replace(device, space=space, updated_ms=now_ms)

    # --- details --------------------------------------------------------------------------------

    def _activated(self, device: Device, now_ms: int, **changes: Any) -> Device:
        return msgspec.structs.replace(
            device,
            dev_id=device.dev_id or self._new_dev_id(),
            sec_key=random_text(self._entropy, _KEY_LENGTH),
            local_key=random_text(self._entropy, _KEY_LENGTH),
            created_ms=device.created_ms or device.activated_ms or now_ms,
            activated_ms=now_ms,
            revoked=False,
            **changes,
        )

    def _new_dev_id(self) -> str:
        return _DEV_ID_PREFIX + random_text(self._entropy, _DEV_ID_RANDOM, LOWER)

    def _replace(self, device: Device, **changes: Any) -> Device:
        return self._put(msgspec.structs.replace(device, **changes))

    def _those(self, uuids: Iterable[str]) -> list[Device]:
        return [device for device in map(self._devices.get, uuids) if device is not None]

    def _walk(self, order: Ordered[str], after: str) -> Iterator[Device]:
        ids = order.items
        for index in range(bisect_right(ids, after), len(ids)):
            device = self._devices.get(self._by_dev_id[ids[index]])
            assert device is not None, "what is in the order is kept"
            yield device

    def _put(self, device: Device) -> Device:
        before = self._devices.get(device.uuid)
        if before is not None:
            _unlist(self._by_owner, before.owner, before.uuid)
            _unlist(self._by_gateway, before.gateway, before.uuid)
            _unlist(self._by_space, before.space, before.uuid)
        if device.dev_id and device.dev_id not in self._by_dev_id:
            self._ids.add(device.dev_id)
        if before is None or (before.dev_id, before.product_id) != (
            device.dev_id,
            device.product_id,
        ):
            self._order_by_product(before, device)
        self._file(device)
        return self._devices.put(device)

    def _order_by_product(self, before: Device | None, device: Device) -> None:
        if before is not None and before.dev_id:
            self._by_product[before.product_id].remove(before.dev_id)
        if device.dev_id:
            self._by_product.setdefault(device.product_id, Ordered()).add(device.dev_id)

    def _file(self, device: Device) -> None:
        if device.dev_id:
            self._by_dev_id[device.dev_id] = device.uuid
        _list(self._by_owner, device.owner, device.uuid)
        _list(self._by_gateway, device.gateway, device.uuid)
        _list(self._by_space, device.space, device.uuid)


def _list(lists: dict[str, dict[str, None]], name: str, uuid: str) -> None:
    if name:
        lists.setdefault(name, {})[uuid] = None


def _unlist(lists: dict[str, dict[str, None]], name: str, uuid: str) -> None:
    if name:
        del lists[name][uuid]
        if not lists[name]:
            del lists[name]


def _version(text: str) -> str:
    return text[:_SOFTWARE_LENGTH_MAX].replace("\0", "")  # PostgreSQL keeps no NUL


def _without_owner(kind: ResetKind) -> dict[str, Any]:
    """Return what changes with every loss of the owner; a wipe takes the names as well."""
    wiped: dict[str, Any] = {"name": "", "point_names": ()}
    return {
        "owner": "",
        "bound_by": "",
        "home": "",
        "space": "",
        "pending_reset": kind.value,
        "reset_told": False,
        **(wiped if kind is ResetKind.RESET_FACTORY else {}),
    }
