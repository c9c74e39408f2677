"""Which of the listed devices: `all`, numbers and ranges such as `1,3-5`, or uuids."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import TypeVar

from firmware_sim.errors import UsageError
from fleet.app.finder import Found, Heard

Device = TypeVar("Device", Found, Heard)


def in_order(devices: Sequence[Device]) -> list[Device]:
    """Return the devices by address, so that numbers mean the same in each search."""
    return sorted(devices, key=lambda device: (IPv4Address(device.ip), device.id))


def select(devices: Sequence[Found], text: str) -> list[Found]:
    """Return the devices that `text` names, each once, in the order of the list.

    Raises `UsageError` for anything that names no device: a wrong number must not pass as
    "nothing to do" where the next step cannot be undone.
    """
    chosen: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        chosen.update(_indexes(devices, part))
    if not chosen:
        raise UsageError("nothing selected; say all, numbers such as 1,3-5, or uuids")
    return [devices[index] for index in sorted(chosen)]


def _indexes(devices: Sequence[Found], part: str) -> range | list[int]:
    if part == "all":
        return range(len(devices))
    by_uuid = [index for index, found in enumerate(devices) if found.uuid == part]
    if by_uuid:
        return by_uuid
    first, dash, last = (piece.strip() for piece in part.partition("-"))
    if not (first.isdecimal() and (last.isdecimal() or not dash)):
        raise UsageError(f"{part!r} names no device; say all, numbers such as 1,3-5, or uuids")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= len(devices):
        raise UsageError(f"{part!r} names no device: the list has numbers 1 to {len(devices)}")
    return range(low - 1, high)
