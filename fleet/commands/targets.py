"""Which devices a command is to speak with, and what that takes: address, local key, LAN version.

From tinytuya's devices.json, from the ready file of `fleet up`, and from options, which win.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from firmware_sim.errors import UsageError
from firmware_sim.wire.structs import Secretive
from fleet.app.address import is_ipv4
from fleet.app.lan_device import LanDevice
from fleet.app.lan_happenings import Push
from fleet.commands.access import read_ready
from fleet.lan.known_devices import read_devices

ALL = "all"


class Given(Secretive, frozen=True):
    """What the caller says; an empty text or None means that nothing was given."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"key"})

    devices_json: Path | None = None
    ready: Path | None = None
    key: str = ""
    version: str = ""
    ip: str = ""


class Target(Secretive, frozen=True):
    """A device to speak with, and all that it takes; what is not known is empty."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"key"})

    id: str
    ip: str = ""
    key: str = ""
    version: str = ""

    def connection(self, on_push: Callable[[Push], None] | None = None) -> LanDevice:
        """Return the device, not connected yet; raises `UsageError` for one that cannot be."""
        return LanDevice(self.ip, self.id, self.key, self.version, on_push=on_push)


def choose(names: Sequence[str], given: Given) -> list[Target]:
    """Return the devices that `names` tells by id or address, in order; `all` means each known one.

    Raises `UsageError` for a name that is none, and when something about a device is not known.
    """
    known = {target.id: target for target in _known(given) if target.id}
    if list(names) == [ALL]:
        return _all(known, given)
    if len(names) > 1 and (given.ip or given.key):
        raise UsageError("--ip and --key are one device's; name one, or give a file")
    by_ip = {target.ip: target for target in known.values()}
    return [_complete(_find(name, known, by_ip, given), given) for name in names]


def _known(given: Given) -> Iterator[Target]:
    if given.devices_json is not None:
        for entry in read_devices(given.devices_json):
            yield Target(entry.id, entry.ip, entry.key.decode(), entry.version or "")
    if given.ready is not None:
        for device in read_ready(given.ready).devices:
            yield Target(device.id, device.ip, device.local_key, device.version)


def _all(known: dict[str, Target], given: Given) -> list[Target]:
    usable = [one for one in known.values() if is_ipv4(one.ip) and one.key and one.version]
    if not usable:
        raise UsageError(
            "all of which devices? give --devices FILE or --ready FILE with addresses and keys"
        )
    if given.ip or given.key or given.version:
        raise UsageError("--ip, --key and --version are for one device, not for all")
    return usable


def _find(name: str, known: dict[str, Target], by_ip: dict[str, Target], given: Given) -> Target:
    target = known.get(name) or by_ip.get(name)
    if target is not None:
        return target
    if is_ipv4(name):
        raise UsageError(
            f"{name}: no device is known at this address; give its id with --ip {name}, or a file "
            "that has it with --devices or --ready"
        )
    if given.devices_json is not None or given.ready is not None:
        raise UsageError(f"{name}: no such device in {given.devices_json or given.ready}")
    return Target(name)


def _complete(target: Target, given: Given) -> Target:
    whole = Target(
        target.id,
        given.ip or target.ip,
        given.key or target.key,
        given.version or target.version,
    )
    for what, value, option in (
        ("address", whole.ip, "--ip"),
        ("local key", whole.key, "--key"),
        ("LAN version", whole.version, "--version"),
    ):
        if not value:
            raise UsageError(
                f"device {target.id}: its {what} is not known; give {option}, or a file that has "
                "it with --devices or --ready"
            )
    return whole
