"""Reading capture files, pcap and pcapng, record by record, whatever is in them.

Scapy and Wireshark have readers too; this one promises that a broken or hostile file costs no more
memory than one record and ends in one error that says where. Only what a record needs is read:
time, link type, bytes. Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from firmware_sim.errors import UsageError

RECORD_BYTES_MAX = 262_144
"""What capture programs cut packets to, unless told otherwise."""

_NS = 1_000_000_000
_PCAP_MAGIC = {  # byte order, and nanoseconds per unit of time
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
_SECTION = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDER = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_BLOCK_BYTES_MAX = RECORD_BYTES_MAX + 65_536  # a packet with its options
_INTERFACES_MAX = 4096
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 1, 2, 3, 6
_RESOLUTION, _END = 9, 0


class Record(NamedTuple):
    """One captured packet: nanoseconds since the epoch, link type, and what was kept of it."""

    time_ns: int
    link: int
    data: bytes


class _Interface(NamedTuple):
    link: int
    units_per_s: int


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of the capture file `path` in their order.

    Raises UsageError when it cannot be read, is no capture file, or is broken: then after the
    records in front of the damage.
    """
    count = 0
    try:
        with path.open("rb") as file:
            for record in _records(file):
                yield record
                count += 1
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except _Damage as damage:
        raise UsageError(f"{path}: {damage}; {count} packets were read before") from None


class _Damage(Exception):
    """The file does not go on as its format says."""


def _records(file: BinaryIO) -> Iterator[Record]:
    magic = file.read(4)
    if magic in _PCAP_MAGIC:
        return _pcap(file, *_PCAP_MAGIC[magic])
    if magic == _SECTION:
        return _pcapng(file)
    raise _Damage("is neither pcap nor pcapng (if it is compressed, unpack it first)")


def _take(file: BinaryIO, size: int, what: str) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise _Damage(f"ends in the middle of {what}")
    return data


# --- pcap ---------------------------------------------------------------------------------------


def _pcap(file: BinaryIO, order: str, unit_ns: int) -> Iterator[Record]:
    link = struct.unpack(f"{order}16xI", _take(file, 20, "its header"))[0] & 0xFFFF
    head = struct.Struct(f"{order}IIII")
    while first := file.read(1):
        at = first + _take(file, head.size - 1, "a packet's header")
        seconds, units, size, _ = head.unpack(at)
        if size > RECORD_BYTES_MAX:
            raise _Damage(f"names a packet of {size} bytes")
        yield Record(seconds * _NS + units * unit_ns, link, _take(file, size, "a packet"))


# --- pcapng -------------------------------------------------------------------------------------


def _pcapng(file: BinaryIO) -> Iterator[Record]:
    """Yield the records of all sections; the first four bytes are read."""
    order, interfaces = _section(file), list[_Interface]()
    while kind := file.read(4):
        if kind == _SECTION:
            order, interfaces = _section(file), []
            continue
        if len(kind) < 4:
            raise _Damage("ends in the middle of a block")
        block = _block(file, order)
        try:
            record = _understand(order, struct.unpack(f"{order}I", kind)[0], block, interfaces)
        except (struct.error, IndexError):
            raise _Damage("has a block that is too short or names no interface") from None
        if record is not None:
            yield record


def _section(file: BinaryIO) -> str:
    """Skip a section header, whose type is read; return the byte order of what follows."""
    size_bytes, magic = _take(file, 4, "a section header"), _take(file, 4, "a section header")
    order = _BYTE_ORDER.get(magic)
    if order is None:
        raise _Damage("has a section header that is none")
    (size,) = struct.unpack(f"{order}I", size_bytes)
    if not 28 <= size <= _BLOCK_BYTES_MAX:
        raise _Damage(f"has a section header of {size} bytes")
    _take(file, size - 12, "a section header")
    return order


def _block(file: BinaryIO, order: str) -> bytes:
    """Return the body of a block whose type is read."""
    (size,) = struct.unpack(f"{order}I", _take(file, 4, "a block"))
    if not 12 <= size <= _BLOCK_BYTES_MAX:
        raise _Damage(f"has a block of {size} bytes")
    return _take(file, -(-size // 4) * 4 - 8, "a block")[: size - 12]


def _understand(order: str, kind: int, block: bytes, interfaces: list[_Interface]) -> Record | None:
    """Return the packet that `block` holds; note an interface; None for anything else."""
    if kind == _INTERFACE:
        if len(interfaces) == _INTERFACES_MAX:
            raise _Damage(f"names more than {_INTERFACES_MAX} interfaces")
        (link,) = struct.unpack_from(f"{order}H6x", block)
        interfaces.append(_Interface(link, _units_per_s(order, block[8:])))
    elif kind in (_PACKET, _OLD_PACKET):
        layout = f"{order}IIIII" if kind == _PACKET else f"{order}HxxIIII"
        index, high, low, size, _ = struct.unpack_from(layout, block)
        link, units_per_s = interfaces[index]
        time_ns = (high << 32 | low) * _NS // units_per_s
        return Record(time_ns, link, block[20 : 20 + size])
    elif kind == _SIMPLE_PACKET:  # has no time
        (size,) = struct.unpack_from(f"{order}I", block)
        return Record(0, interfaces[0].link, block[4 : 4 + size])
    return None


def _units_per_s(order: str, options: bytes) -> int:
    """Return the resolution of time that the options of an interface name; else microseconds."""
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(f"{order}HH", options, at)
        if code == _END:
            break
        if code == _RESOLUTION and size == 1:
            exponent = options[at + 4]
            return 1 << (exponent & 0x7F) if exponent & 0x80 else int(10**exponent)
        at += 4 + -(-size // 4) * 4
    return 1_000_000
