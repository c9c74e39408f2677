"""The flash of a device: what survives a power cut, and which part of it survives a reset.

A reset keeps the last device id and the reported versions and erases keys, schema, network and
region (tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c); a factory reset erases the
user's settings and its list of sub-devices as well (vendor page "Device Reset"). Identity (uuid and authKey) is burnt in at
production and is not in here. Erasing takes time: a marker is written first, so a power cut in the
middle ends in a finished reset after the next boot and never in half a binding.
"""

import sys
from enum import IntEnum

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.wire.datapoint import Value


class ResetKind(IntEnum):
    """Why a device erases its binding; numbers as in the vendor's reset callback."""

    LOCAL_FACTORY = 0
    REMOTE_UNBIND = 1
    LOCAL_UNBIND = 2
    REMOTE_FACTORY = 3
    DATA_FACTORY = 4
    """Only the settings go, at activation; the device neither unbinds itself nor restarts."""

    @property
    def remote(self) -> bool:
        """Say whether the cloud, and not the button, asked for it."""
        return self in (ResetKind.REMOTE_UNBIND, ResetKind.REMOTE_FACTORY)

    @property
    def factory(self) -> bool:
        """Say whether the user's settings go as well."""
        return self not in (ResetKind.REMOTE_UNBIND, ResetKind.LOCAL_UNBIND)


class Tie(IntEnum):
    """How the binding of a sub-device stands."""

    NEW = 0  # to be bound as soon as the cloud is there
    BOUND = 1
    LEAVING = 2  # given up; the cloud is still to be told
    GONE = 3  # removed; not bound again before somebody pairs it with us anew


class Kept(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is kept of a sub-device: its tie, and the device id that the cloud gave it last."""

    tie: Tie
    dev_id: str = ""


NOT_KEPT = Kept(Tie.NEW)


class Flash(msgspec.Struct, array_like=True, gc=False):
    """The contents, field by field; empty text means erased.

    `values` holds the data points that differ from the profile's, None when there are none;
    `child_values` those of sub-devices, by the number of the child. `software` is the version that
    was installed last, none when it is still the profile's: no reset takes firmware back. `children`
    are the sub-devices by number that ever were bound or removed, None when there are none, and
    `child_software` is what was installed on them.
    """

    dev_id: str = ""
    sec_key: str = ""
    local_key: str = ""
    schema_id: str = ""
    time_zone: str = ""
    region: str = ""
    env: str = ""
    ssid: str = ""
    password: str = ""
    versions: str = ""
    resetting: ResetKind | None = None
    last_reset: ResetKind | None = None
    values: dict[int, Value] | None = None
    child_values: dict[int, dict[int, Value]] | None = None
    software: str = ""
    children: dict[int, Kept] | None = None
    child_software: dict[int, str] | None = None

    @property
    def activated(self) -> bool:
        """Say whether the device holds credentials of the cloud."""
        return bool(self.sec_key)

    def begin_reset(self, kind: ResetKind) -> None:
        """Set the marker that a reset is under way."""
        self.resetting = kind

    def finish_reset(self) -> None:
        """Erase the binding; what a reset keeps stays."""
        if self.resetting is not None and self.resetting.factory:
            self.forget_settings()
        self.last_reset, self.resetting = self.resetting, None
        self.sec_key = self.local_key = self.schema_id = self.time_zone = ""
        self.region = self.env = self.ssid = self.password = ""

    def forget_settings(self) -> None:
        """Erase what users have set, on the device and behind it, and which children they removed."""
        self.values = self.child_values = self.children = None

    def kept(self, child: int) -> Kept:
        """Return what is kept of a sub-device."""
        return (self.children or {}).get(child, NOT_KEPT)

    def keep(self, child: int, tie: Tie, dev_id: str | None = None) -> None:
        """Let a sub-device have another tie, and another device id if one is given."""
        dev_id = self.kept(child).dev_id if dev_id is None else dev_id
        self.children = {**(self.children or {}), child: Kept(tie, dev_id)}

    def forget_values(self, child: int) -> None:
        """Erase what was set on a sub-device."""
        others = self.child_values or {}
        self.child_values = {n: each for n, each in others.items() if n != child} or None

    def install_behind(self, child: int, version: str) -> None:
        """Let a sub-device run another firmware from now on."""
        self.child_software = {**(self.child_software or {}), child: version}

    def rebind_children(self) -> None:
        """Have the sub-devices bound once more: under a new binding of ours theirs count no longer."""
        for child, kept in (self.children or {}).items():
            if kept.tie is Tie.BOUND:
                self.keep(child, Tie.NEW)

    def record_release(self) -> None:
        """Remember that the cloud disowned a device that holds no binding anyway."""
        self.last_reset = ResetKind.REMOTE_UNBIND

    def image(self) -> bytes:
        """Return the contents as bytes."""
        return _ENCODER.encode(self)

    def __repr__(self) -> str:
        """Show no key and no password."""
        state = "activated" if self.activated else "erased"
        return f"Flash({state}, dev_id={self.dev_id!r}, resetting={self.resetting!r})"


_ALIKE = ("schema_id", "time_zone", "region", "env", "versions", "software")
"""What is the same on thousands of devices, and kept once."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Flash)


def read_image(image: bytes) -> Flash:
    """Return the flash stored in `image`; no bytes mean a device fresh from the factory.

    Raises UsageError when the bytes are not an image that `Flash.image` made.
    """
    if not image:
        return Flash()
    try:
        flash = _DECODER.decode(image)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"not a flash image of this program ({error}); erase it") from error
    for name in _ALIKE:
        setattr(flash, name, sys.intern(getattr(flash, name)))
    return flash
