"""The sub-devices behind a gateway, as its LAN clients see them.

A client names one by its node id (`cid`). The vendor's gateways use the address of the child's
radio there, 16 hexadecimal digits for Zigbee; ours follows from the gateway's uuid.
"""

from typing import TYPE_CHECKING

from firmware_sim.wire.ciphers import md5_hex
from firmware_sim.wire.lan_body import ChildStatus

if TYPE_CHECKING:
    from firmware_sim.device.device import Device


def cid(uuid: str, number: int) -> str:
    """Return the node id of child `number` (from 0) of the device `uuid`: 16 hexadecimal digits."""
    return md5_hex(f"{uuid}/{number}")[:16]


def find(device: "Device", node_id: str) -> int | None:
    """Return the number of the child that `node_id` names if it is in reach, else None."""
    for number, child in enumerate(device.profile.children):
        if child.online and cid(device.identity.uuid, number) == node_id:
            return number
    return None


def status_of_children(device: "Device", asked: tuple[str, ...]) -> ChildStatus:
    """Return which of the `asked` children, all when none is named, are in reach."""
    reach: dict[bool, list[str]] = {True: [], False: []}
    for number, child in enumerate(device.profile.children):
        node_id = cid(device.identity.uuid, number)
        if not asked or node_id in asked:
            reach[child.online].append(node_id)
    return ChildStatus(online=tuple(reach[True]), offline=tuple(reach[False]))
