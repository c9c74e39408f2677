"""The sub-devices behind a gateway, as its LAN clients see them.

A client names one by its node id (`cid`). The vendor's gateways use the address of the child's
radio there, 16 hexadecimal digits for Zigbee; ours follows from the gateway's uuid. A child that
was removed is not there any more.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from firmware_sim.device.flash import Tie
from firmware_sim.wire.ciphers import md5_hex
from firmware_sim.wire.lan_body import ChildStatus

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

_REMOVED = (Tie.LEAVING, Tie.GONE)


def cid(uuid: str, number: int) -> str:
    """Return the node id of child `number` (from 0) of the device `uuid`: 16 hexadecimal digits."""
    return md5_hex(f"{uuid}/{number}")[:16]


def number_of(device: "Device", node_id: str) -> int | None:
    """Return the number of the child that `node_id` names, wherever it is, else None."""
    for number in range(len(device.profile.children)):
        if cid(device.identity.uuid, number) == node_id:
            return number
    return None


def find(device: "Device", node_id: str) -> int | None:
    """Return the number of the child that `node_id` names if it is there and in reach, else None."""
    number = number_of(device, node_id)
    if number is None or device.children is None:
        return None
    there = device.flash.kept(number).tie not in _REMOVED
    return number if there and device.children.each[number].reached else None


def status_of_children(device: "Device", asked: tuple[str, ...]) -> ChildStatus:
    """Return which of the `asked` children, all when none is named, are in reach."""
    reach: dict[bool, list[str]] = {True: [], False: []}
    for number, node_id in _there(device):
        if device.children is not None and (not asked or node_id in asked):
            reach[device.children.each[number].online].append(node_id)
    return ChildStatus(online=tuple(reach[True]), offline=tuple(reach[False]))


def _there(device: "Device") -> Iterator[tuple[int, str]]:
    for number in range(len(device.profile.children)):
        if device.flash.kept(number).tie not in _REMOVED:
            yield number, cid(device.identity.uuid, number)
