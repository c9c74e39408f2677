"""Capture files: those of Scapy are read as they were meant, broken ones end in one error."""

import struct
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import RawPcapNgWriter, RawPcapWriter

from firmware_sim.errors import UsageError
from fleet.lan.pcap import RECORD_BYTES_MAX, Record, read_records

DATA = (b"", b"a", b"four", b"x" * 1500)


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap(tmp_path: Path, endianness: str, nano: bool) -> None:
    path = tmp_path / "a.pcap"
    with RawPcapWriter(str(path), linktype=113, nano=nano, endianness=endianness) as writer:
        writer.write_header(None)
        for data in DATA:
            writer.write_packet(data, 1_700_000_000, 123_456)
    time_ns = 1_700_000_000_000_000_000 + 123_456 * (1 if nano else 1000)
    assert list(read_records(path)) == [Record(time_ns, 113, data) for data in DATA]


def test_pcapng(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    with RawPcapNgWriter(str(path)) as writer:
        writer.linktype = 1
        writer.write_header(None)
        for data in DATA:
            writer.write_packet(data, 1_700_000_000.25)
    assert list(read_records(path)) == [Record(1_700_000_000_250_000_000, 1, d) for d in DATA]


# --- pcapng by hand: what Scapy does not write --------------------------------------------------


def block(order: str, kind: int, body: bytes) -> bytes:
    padded = body + bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(padded) + 12)
    return struct.pack(f"{order}I", kind) + size + padded + size


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link: int, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(f"{order}HHI", link, 0, 65535) + options)


def packet(order: str, index: int, units: int, data: bytes) -> bytes:
    head = struct.pack(f"{order}IIIII", index, units >> 32, units & 0xFFFFFFFF, len(data), 9999)
    return block(order, 6, head + data)


def resolution(order: str, value: int) -> bytes:
    name = struct.pack(f"{order}HH4s", 2, 3, b"lo0")
    return name + struct.pack(f"{order}HHB3x", 9, 1, value) + struct.pack(f"{order}HH", 0, 0)


def written(tmp_path: Path, *blocks: bytes) -> Path:
    path = tmp_path / "made.pcapng"
    path.write_bytes(b"".join(blocks))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_each_interface_has_its_link_type_and_its_unit_of_time(tmp_path: Path, order: str) -> None:
    path = written(
        tmp_path,
        section(order),
        interface(order, 1),
        interface(order, 113, resolution(order, 9)),
        interface(order, 101, resolution(order, 0x80 | 10)),
        block(order, 0xBAD, b"of no interest"),
        packet(order, 1, 5_000_000_001, b"b"),
        packet(order, 0, 5_000_001, b"a"),
        packet(order, 2, 5 * 1024 + 512, b"c"),
        section(order),
        interface(order, 228, bytes(4) + resolution(order, 9)),
        packet(order, 0, 3, b"d"),
    )
    assert list(read_records(path)) == [
        Record(5_000_000_001, 113, b"b"),
        Record(5_000_001_000, 1, b"a"),
        Record(5_500_000_000, 101, b"c"),
        Record(3000, 228, b"d"),  # what is behind the end of the options counts for nothing
    ]


def test_the_two_older_kinds_of_packets(tmp_path: Path) -> None:
    old = struct.pack("<HHIIII", 0, 0, 0, 7, 3, 3) + b"old"
    simple = struct.pack("<I", 6) + b"simple"
    path = written(
        tmp_path, section("<"), interface("<", 1), block("<", 2, old), block("<", 3, simple)
    )
    assert list(read_records(path)) == [Record(7000, 1, b"old"), Record(0, 1, b"simple")]


# --- damage -------------------------------------------------------------------------------------

HEAD = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
ONE = struct.pack("<IIII", 1, 2, 3, 3) + b"abc"
BEGUN = section("<") + interface("<", 1)

DAMAGED = {
    "is neither pcap nor pcapng": b"GIF89a",
    "ends in the middle of its header": HEAD[:10],
    "ends in the middle of a packet's header; 1 packets": HEAD + ONE + ONE[:7],
    "ends in the middle of a packet; 1 packets": HEAD + ONE + ONE[:-1],
    "names a packet of 4294967295 bytes": HEAD + struct.pack("<IIII", 1, 2, 2**32 - 1, 3),
    "a section header that is none": section("<")[:8] + b"none",
    "a section header of 27 bytes": section("<")[:4] + struct.pack("<II", 27, 0x1A2B3C4D),
    "ends in the middle of a section header": section("<")[:20],
    "ends in the middle of a block; 1": BEGUN
    + packet("<", 0, 0, b"x")
    + packet("<", 0, 0, b"")[:9],
    "ends in the middle of a block; 0": BEGUN + b"\6\0",
    "has a block of 8 bytes": BEGUN + struct.pack("<II", 6, 8),
    "has a block of 4294967292 bytes": BEGUN + struct.pack("<II", 6, 2**32 - 4),
    "too short or names no interface; 0": BEGUN + packet("<", 1, 0, b"x"),
    "too short or names no interface": BEGUN + block("<", 6, b"short"),
    "names more than 4096 interfaces": section("<") + interface("<", 1) * 4097,
}


@pytest.mark.parametrize("message", DAMAGED)
def test_damage_is_one_error_that_says_where(tmp_path: Path, message: str) -> None:
    path = written(tmp_path, DAMAGED[message])
    with pytest.raises(UsageError, match=rf"made\.pcapng: .*{message}"):
        list(read_records(path))


def test_what_is_before_the_damage_is_read(tmp_path: Path) -> None:
    found = read_records(written(tmp_path, HEAD, ONE, ONE, b"?"))
    assert [next(found).data, next(found).data] == [b"abc", b"abc"]
    with pytest.raises(UsageError, match="2 packets were read before"):
        next(found)


def test_an_option_that_is_cut_off_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path, section("<"), interface("<", 1, struct.pack("<HH", 9, 1)))
    with pytest.raises(UsageError, match="too short"):
        list(read_records(path))


@pytest.mark.parametrize("name", ["not there", "."])
def test_a_file_that_cannot_be_read_is_the_callers_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_records(tmp_path / name))


def test_a_record_may_be_as_large_as_captures_make_them(tmp_path: Path) -> None:
    data = bytes(RECORD_BYTES_MAX)
    head = struct.pack("<IIII", 0, 0, len(data), len(data))
    assert [r.data for r in read_records(written(tmp_path, HEAD, head, data))] == [data]


@given(
    st.sampled_from([HEAD + ONE * 3, BEGUN + packet("<", 0, 0, b"abc") * 3]),
    st.integers(0, 150),
    st.binary(max_size=12),
)
def test_a_broken_file_is_read_or_refused_and_nothing_else(
    whole: bytes, place: int, noise: bytes
) -> None:
    place %= len(whole)
    broken = whole[:place] + noise + whole[place + len(noise) :]
    with NamedTemporaryFile() as file, suppress(UsageError):
        file.write(broken)
        file.flush()
        assert all(isinstance(record, Record) for record in read_records(Path(file.name)))
