"""What is found in captured packets, compared with what Scapy put into them."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback
from scapy.packet import Packet, Raw

from fleet.lan.packets import Address, Datagram, Segment, parse
from fleet.lan.pcap import Record

IP_PART = IP(src="10.0.0.9", dst="10.0.0.255")
UDP_PART = UDP(sport=6667, dport=40_000) / Raw(b"announcement")
EXPECTED = Datagram(7, Address("10.0.0.9", 6667), Address("10.0.0.255", 40_000), b"announcement")


def parsed(link: int, packet: Packet | bytes) -> Datagram | Segment | None:
    return parse(Record(7, link, bytes(packet)))


@pytest.mark.parametrize(
    ("link", "head"),
    [
        (1, Ether()),
        (1, Ether() / Dot1Q(vlan=5)),
        (1, Ether() / Dot1AD(vlan=5) / Dot1Q(vlan=6)),
        (113, CookedLinux()),
        (276, CookedLinuxV2()),
        (0, Loopback()),
        (108, Loopback()),
    ],
    ids=repr,
)
def test_a_datagram_is_found_behind_every_kind_of_link(link: int, head: Packet) -> None:
    assert parsed(link, head / IP_PART / UDP_PART) == EXPECTED


@pytest.mark.parametrize("link", [12, 14, 101, 228])
def test_a_datagram_is_found_without_a_link(link: int) -> None:
    assert parsed(link, IP_PART / UDP_PART) == EXPECTED


@pytest.mark.parametrize("ports", [(6666, 1), (1, 6666), (6667, 1), (7000, 7000), (1, 7000)])
def test_the_ports_of_discovery(ports: tuple[int, int]) -> None:
    packet = Ether() / IP_PART / UDP(sport=ports[0], dport=ports[1]) / Raw(b"x")
    assert isinstance(parsed(1, packet), Datagram)


@pytest.mark.parametrize(
    ("flags", "ack", "opens"),
    [("S", None, True), ("SA", 77, True), ("A", 77, False), ("F", None, False)],
)
def test_a_segment(flags: str, ack: int | None, opens: bool) -> None:
    head: Any = TCP(sport=6668, dport=50_000, seq=2**32 - 1, ack=77, flags=flags)
    head.options = [("NOP", None)] * 4
    expected = (7, Address("10.0.0.9", 6668), Address("10.0.0.1", 50_000), 2**32 - 1, ack, opens)
    packet = Ether() / IP(src="10.0.0.9", dst="10.0.0.1") / head / Raw(b"data")
    assert parsed(1, packet) == Segment(*expected, b"data")


def test_what_pads_a_short_frame_is_no_data() -> None:
    packet = bytes(Ether() / IP_PART / UDP(sport=6667, dport=1) / Raw(b"x")) + bytes(20)
    found = parsed(1, packet)
    assert found is not None
    assert found.data == b"x"


def test_a_packet_that_a_network_card_was_to_cut_up_has_no_length() -> None:
    packet = bytearray(bytes(Ether() / IP_PART / UDP_PART))
    packet[16:18] = b"\0\0"
    assert parsed(1, bytes(packet)) == EXPECTED


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (1, Ether() / ARP()),
        (1, Ether() / IPv6() / UDP_PART),
        (1, Ether() / Dot1Q() / Dot1Q() / Dot1Q() / IP_PART / UDP_PART),
        (1, Ether() / IP_PART / UDP(sport=53, dport=6668)),
        (1, Ether() / IP_PART / TCP(sport=6667, dport=7000)),
        (1, Ether() / IP(proto=47) / Raw(b"\x1a\x0b\x1a\x0b" * 9)),
        (1, Ether() / IP(flags="MF") / UDP_PART),
        (1, Ether() / IP(frag=5) / UDP_PART),
        (1, Ether() / IP(src="10.0.0.9", ihl=4) / UDP_PART),
        (1, Ether() / IP_PART / TCP(sport=6668, dataofs=4) / Raw(b"x")),
        (0, struct.pack(">I", 30) + bytes(IP_PART / UDP_PART)),
        (101, IPv6() / UDP_PART),
        (147, IP_PART / UDP_PART),
    ],
)
def test_everything_else_is_nothing(link: int, packet: Packet | bytes) -> None:
    assert parsed(link, packet) is None


@given(st.sampled_from([0, 1, 101, 113, 276]), st.binary(max_size=80))
def test_garbage_is_nothing(link: int, data: bytes) -> None:
    assert parsed(link, data) is None or len(data) >= 28


@given(st.integers(0, 60), st.sampled_from([UDP_PART, TCP(sport=6668) / Raw(b"x")]))
def test_a_packet_that_is_cut_off_gives_what_is_left(size: int, part: Packet) -> None:
    whole = bytes(Ether() / IP_PART / part)
    found = parsed(1, whole[:size])
    assert found is None or bytes(part.payload).startswith(found.data)


def test_an_address_reads_as_people_write_it() -> None:
    assert str(EXPECTED.source) == "10.0.0.9:6667"
