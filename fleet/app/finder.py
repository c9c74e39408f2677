"""Which devices are on this LAN, and which of them wait for a token: announcements -> two lists.

A core: the driver in `lan_client` feeds datagrams. The vendor's app offers a device for wired
pairing if and only if it announces `token` true and `active` 0, and once per `gwId`; see "Wired
Device Pairing" on developer.tuya.com for the flow. It knows one device per address: a new `gwId` at
a known address replaces the old one (public reading of the vendor's SDK: BookCatKid/pypopur).
"""

from collections.abc import Iterable, KeysView
from ipaddress import IPv4Address, IPv4Network
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.wire.discovery import ACTIVE_NO, Announcement, decode_announcement
from firmware_sim.wire.provisioning import TokenForm
from fleet.app.address import is_ipv4
from fleet.app.handover import form_for

EVERYWHERE = "0.0.0.0/0"
FOUND_MAX = 4096
HEARD_MAX = 65536
NAME_SIZE_MAX = 64
"""The longest id, product and version that is believed; ids have 16 to 22 characters."""


class Found(msgspec.Struct, frozen=True):
    """A device that offers to take a token. `source_ip` is where its announcement came from."""

    uuid: str
    ip: str
    product_id: str
    version: str
    source_ip: str

    @property
    def id(self) -> str:
        """What it is known by: its uuid, as long as it is nobody's."""
        return self.uuid

    @property
    def foreign_source(self) -> bool:
        """Whether it announced an address that is not the one it speaks from."""
        return self.ip != self.source_ip

    def form(self, newer: TokenForm = TokenForm.ECB) -> TokenForm:
        """Return the form of the token that its LAN version asks for; `newer` is for 3.4 and 3.5."""
        return form_for(self.version, newer)


class Heard(msgspec.Struct, frozen=True):
    """A device that announced itself, in whatever state it is.

    `id` is the device id, or the uuid while `active` is 0. `token` says that it takes a token.
    """

    id: str
    ip: str
    version: str
    active: int
    product_id: str
    token: bool
    source_ip: str

    @property
    def awaits_token(self) -> bool:
        """Whether the app offers it for wired pairing."""
        return self.token and self.active == ACTIVE_NO

    @property
    def foreign_source(self) -> bool:
        """Whether it announced an address that is not the one it speaks from."""
        return self.ip != self.source_ip


class _Listed(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def ip(self) -> str: ...


Device = TypeVar("Device", bound=_Listed)


class _Register(Generic[Device]):
    """Devices by id, bounded; each has one address and each address one device."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._by_id: dict[str, Device] = {}
        self._id_by_ip: dict[str, str] = {}
        self.dropped = 0

    @property
    def devices(self) -> tuple[Device, ...]:
        return tuple(self._by_id.values())

    def those(self, ids: Iterable[str]) -> tuple[Device, ...]:
        return tuple(self._by_id[each] for each in ids if each in self._by_id)

    @property
    def ids(self) -> KeysView[str]:
        return self._by_id.keys()

    def offer(self, device: Device) -> bool:
        """Enter the device; return whether it is new or not as it was."""
        known = self._by_id.get(device.id)
        if known is device or known == device:
            return False
        if known is None and len(self._by_id) >= self._size_max:
            self.dropped += 1
            return False
        if known is not None:
            self._id_by_ip.pop(known.ip, None)
        if self._id_by_ip.get(device.ip, device.id) != device.id:
            self.withdraw(device.ip)  # one address, one device: the newer one lives there
        self._by_id[device.id] = device
        self._id_by_ip[device.ip] = device.id
        return True

    def withdraw(self, ip: str) -> None:
        device_id = self._id_by_ip.pop(ip, None)
        if device_id is not None:
            del self._by_id[device_id]


class Finder:
    """Collects announcements, bounded; what was heard last about an address counts."""

    def __init__(
        self, network: str = EVERYWHERE, found_max: int = FOUND_MAX, heard_max: int = HEARD_MAX
    ) -> None:
        """Hear devices of `network` only; keep `heard_max` of them, and `found_max` that wait.

        Several networks are written with spaces between them. What exceeds that is counted in `dropped`. On one host several LANs can share a broadcast
        address, so a phone that belongs to one of them has to say to which.
        """
        networks = [IPv4Network(one) for one in network.split()]
        self._networks = () if IPv4Network(EVERYWHERE) in networks else tuple(networks)
        self._waiting: _Register[Found] = _Register(found_max)
        self._heard: _Register[Heard] = _Register(heard_max)
        self._last: dict[str, _Said] = {}  # by the address that it came from
        self._last_max = heard_max
        self.unreadable = 0

    @property
    def found(self) -> tuple[Found, ...]:
        """The devices that can be selected now, in the order in which they were heard first."""
        return self._waiting.devices

    def select(self, uuids: Iterable[str]) -> tuple[Found, ...]:
        """Return those of `uuids` that can be selected now, in this order."""
        return self._waiting.those(uuids)

    @property
    def found_uuids(self) -> KeysView[str]:
        """The uuids of `found`, always as they are now."""
        return self._waiting.ids

    @property
    def heard(self) -> tuple[Heard, ...]:
        """All devices that announced themselves, in the order in which they were heard first."""
        return self._heard.devices

    @property
    def dropped(self) -> int:
        """How many announcements found no room in one of the lists."""
        return self._waiting.dropped + self._heard.dropped

    def take(self, datagram: bytes, source_ip: str) -> Found | None:
        """Learn from one datagram; return the device if it waits and is new, or new at this address.

        A device that was offered before and now announces itself as activated is withdrawn.
        """
        if self._networks and not self._is_near(source_ip):
            return None
        said = self._read(datagram, source_ip)
        if said is None:
            self.unreadable += 1
            return None
        self._heard.offer(said.heard)
        if said.found is None:
            self._waiting.withdraw(said.heard.ip)
            return None
        return said.found if self._waiting.offer(said.found) else None

    def _is_near(self, source_ip: str) -> bool:
        address = IPv4Address(source_ip)
        return any(address in network for network in self._networks)

    def _read(self, datagram: bytes, source_ip: str) -> "_Said | None":
        """Read a datagram; most say the same as the last one from there, letter by letter."""
        said = self._last.get(source_ip)
        if said is not None and said.datagram == datagram:
            return said
        announcement = _read(datagram)
        if announcement is None:
            return None
        found = _found(announcement, source_ip) if announcement.awaits_token else None
        said = _Said(datagram, _heard(announcement, source_ip), found)
        if source_ip in self._last or len(self._last) < self._last_max:
            self._last[source_ip] = said
        return said


class _Said(NamedTuple):
    """A datagram and what it comes to; `found` if the device waits for a token."""

    datagram: bytes
    heard: Heard
    found: Found | None


def _read(datagram: bytes) -> Announcement | None:
    """Return what `datagram` announces, None if it is none, or says what no device says.

    Texts of strangers end up on a screen: they are short, and nothing in them steers a terminal.
    """
    try:
        said = decode_announcement(datagram)
    except PeerError:
        return None
    texts = said.gw_id, said.product_key, said.version
    believable = all(len(text) <= NAME_SIZE_MAX and text.isprintable() for text in texts)
    return said if said.gw_id and believable and is_ipv4(said.ip) else None


def _found(announcement: Announcement, source_ip: str) -> Found:
    return Found(
        uuid=announcement.gw_id,  # until it is activated, a device announces its uuid here
        ip=announcement.ip,
        product_id=announcement.product_key,
        version=announcement.version,
        source_ip=source_ip,
    )


def _heard(announcement: Announcement, source_ip: str) -> Heard:
    return Heard(
        id=announcement.gw_id,
        ip=announcement.ip,
        version=announcement.version,
        active=announcement.active,
        product_id=announcement.product_key,
        token=bool(announcement.token),
        source_ip=source_ip,
    )
