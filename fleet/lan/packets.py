"""From a captured packet to what it carries for the LAN: a datagram or a segment, or nothing.

Only IPv4 and only the ports of the LAN, by hand: Scapy takes a hundred times as long for the same
headers. Whatever is cut off, of another protocol or impossible is nothing. Link types as in
https://www.tcpdump.org/linktypes.html.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from firmware_sim.wire.discovery import PORT_CONTROL, PORT_ENCRYPTED, PORT_PLAIN, PORT_SOLICITED
from fleet.lan.pcap import Record

DISCOVERY_PORTS = frozenset({PORT_PLAIN, PORT_ENCRYPTED, PORT_SOLICITED})

_IPV4 = 0x0800
_VLANS = (0x8100, 0x88A8)
_VLANS_MAX = 2
_TCP, _UDP = 6, 17
_SYN, _ACK = 2, 16
_IPV4_FIRST = range(0x45, 0x50)  # version, and at least five words of header
_TCP_WORDS_MIN = 5
_FRAGMENT = 0x3FFF  # more fragments, or an offset
_IP = struct.Struct(">BxHxxHxBxx4s4s")
_PORTS = struct.Struct(">HH")
_TCP_HEAD = struct.Struct(">IIBB")


class Address(NamedTuple):
    """One end: a dotted quad and a port."""

    ip: str
    port: int

    def __str__(self) -> str:
        """Return ip:port."""
        return f"{self.ip}:{self.port}"


class Datagram(NamedTuple):
    """What UDP carried on a port of discovery; `time_ns` since the epoch."""

    time_ns: int
    source: Address
    target: Address
    data: bytes


class Segment(NamedTuple):
    """What TCP carried on the port of control; `ack` is None where that number means nothing."""

    time_ns: int
    source: Address
    target: Address
    sequence: int
    ack: int | None
    opens: bool
    data: bytes


def parse(record: Record) -> Datagram | Segment | None:
    """Return what `record` carries for the LAN."""
    find = _LINKS.get(record.link)
    if find is None:
        return None
    try:
        at = find(record.data)
        return None if at is None else _parse_ip(record.time_ns, record.data, at)
    except (struct.error, IndexError):
        return None  # cut off


def _parse_ip(time_ns: int, data: bytes, at: int) -> Datagram | Segment | None:
    first, total, fragment, protocol, source, target = _IP.unpack_from(data, at)
    if first not in _IPV4_FIRST or fragment & _FRAGMENT or protocol not in (_TCP, _UDP):
        return None
    end = at + total if total else len(data)  # 0: the network card was to cut it up
    at += (first & 15) * 4
    ports = _PORTS.unpack_from(data, at)
    wanted = PORT_CONTROL in ports if protocol == _TCP else not DISCOVERY_PORTS.isdisjoint(ports)
    if not wanted:
        return None
    ends = Address(_quad(source), ports[0]), Address(_quad(target), ports[1])
    if protocol == _UDP:
        return Datagram(time_ns, *ends, data[at + 8 : end])
    sequence, ack, offset, flags = _TCP_HEAD.unpack_from(data, at + 4)
    if offset >> 4 < _TCP_WORDS_MIN:
        return None
    return Segment(
        time_ns,
        *ends,
        sequence,
        ack if flags & _ACK else None,
        bool(flags & _SYN),
        data[at + (offset >> 4) * 4 : end],
    )


def _quad(address: bytes) -> str:
    return "{}.{}.{}.{}".format(*address)


# --- link types: where the IPv4 header begins, or None ------------------------------------------


def _ethernet(data: bytes) -> int | None:
    at = 12
    for _ in range(_VLANS_MAX + 1):
        (kind,) = struct.unpack_from(">H", data, at)
        if kind not in _VLANS:
            return at + 2 if kind == _IPV4 else None
        at += 4
    return None


def _protocol_at(at: int, size: int) -> Callable[[bytes], int | None]:
    """Return the finder for a header of `size` bytes that names the protocol at `at`."""

    def find(data: bytes) -> int | None:
        return size if struct.unpack_from(">H", data, at)[0] == _IPV4 else None

    return find


def _family(data: bytes) -> int | None:
    """Find it behind the address family of a BSD loopback, in either byte order."""
    return 4 if data[:4] in (b"\2\0\0\0", b"\0\0\0\2") else None


def _bare(_: bytes) -> int | None:
    return 0


_LINKS: dict[int, Callable[[bytes], int | None]] = {
    0: _family,
    1: _ethernet,
    12: _bare,
    14: _bare,
    101: _bare,
    108: _family,
    113: _protocol_at(14, 16),  # Linux, all interfaces
    228: _bare,
    276: _protocol_at(0, 20),  # the same, newer
}
