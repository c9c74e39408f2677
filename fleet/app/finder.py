"""Which devices on this LAN wait to be activated by wire: announcements -> a list to choose from.

A core: the driver in `lan_client` feeds datagrams. The vendor's app offers a device if and only if
it announces `token` true and `active` 0, and once per `gwId`; see "Wired Device Pairing" on
developer.tuya.com for the flow.
"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.wire.discovery import Announcement, decode_announcement

FOUND_MAX = 4096


class Found(msgspec.Struct, frozen=True):
    """A device that offers to take a token. `source_ip` is where its announcement came from."""

    uuid: str
    ip: str
    product_id: str
    version: str
    source_ip: str

    @property
    def foreign_source(self) -> bool:
        """Whether it announced an address that is not the one it speaks from."""
        return self.ip != self.source_ip

    @property
    def encrypted(self) -> bool:
        """Whether it expects the token encrypted: from LAN version 3.3 on."""
        return self.version >= "3.3"


class Finder:
    """Collects announcements, bounded; what was heard last about an address counts."""

    def __init__(self, network: str = "0.0.0.0/0", found_max: int = FOUND_MAX) -> None:
        """Hear devices of `network` only, and keep at most `found_max` of them.

        What exceeds that is counted in `dropped`. On one host several LANs can share a broadcast
        address, so a phone that belongs to one of them has to say to which.
        """
        self._network = IPv4Network(network)
        self._found_max = found_max
        self._by_uuid: dict[str, Found] = {}
        self._uuid_by_ip: dict[str, str] = {}
        self.unreadable = 0
        self.dropped = 0

    @property
    def found(self) -> tuple[Found, ...]:
        """The devices that can be selected now, in the order in which they were heard first."""
        return tuple(self._by_uuid.values())

    def take(self, datagram: bytes, source_ip: str) -> Found | None:
        """Learn from one datagram; return the device if it is new, or new at this address.

        A device that was offered before and now announces itself as activated is withdrawn.
        """
        if IPv4Address(source_ip) not in self._network:
            return None
        try:
            announcement = decode_announcement(datagram)
            IPv4Address(announcement.ip)
        except (PeerError, AddressValueError):
            self.unreadable += 1
            return None
        if not announcement.awaits_token:
            self._withdraw(announcement.ip)
            return None
        return self._offer(announcement, source_ip)

    def _offer(self, announcement: Announcement, source_ip: str) -> Found | None:
        found = Found(
            uuid=announcement.gw_id,  # until it is activated, a device announces its uuid here
            ip=announcement.ip,
            product_id=announcement.product_key,
            version=announcement.version,
            source_ip=source_ip,
        )
        known = self._by_uuid.get(found.uuid)
        if known == found:
            return None
        if known is None and len(self._by_uuid) >= self._found_max:
            self.dropped += 1
            return None
        if known is not None:
            self._uuid_by_ip.pop(known.ip, None)
        if self._uuid_by_ip.get(found.ip, found.uuid) != found.uuid:
            self._withdraw(found.ip)  # one address, one device: the newer one lives there
        self._by_uuid[found.uuid] = found
        self._uuid_by_ip[found.ip] = found.uuid
        return found

    def _withdraw(self, ip: str) -> None:
        uuid = self._uuid_by_ip.pop(ip, None)
        if uuid is not None:
            del self._by_uuid[uuid]
