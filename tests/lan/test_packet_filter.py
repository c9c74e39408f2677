"""The kernel's program, carried out here step by step; tests/live/lan gives it to the kernel."""

import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from fleet.lan import packet_filter
from fleet.lan.packet_filter import SNAP_BYTES, attach, lan_filter, nothing

LAN = IPv4Network("127.16.0.0/16")
INSIDE, OUTSIDE = "127.16.1.2", "10.0.0.1"
HOST, OUTGOING = 0, 4
ETHERNET, LOOPBACK, TUNNEL = 1, 772, 65534
LOADS = {0x20: ">I", 0x28: ">H", 0x30: ">B"}


def carried_out(program: bytes, data: bytes, kind: int, hardware: int) -> int:
    """Return how many bytes of a packet a program keeps, as filter.rst of the kernel has it."""
    steps = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    a = x = place = 0
    while True:
        code, then, otherwise, value = steps[place]
        place += 1
        if code in LOADS:
            special = {0xFFFFF004: kind, 0xFFFFF01C: hardware}
            a = (
                special[value]
                if value in special
                else struct.unpack_from(LOADS[code], data, value)[0]
            )
        elif code == 0x48:
            (a,) = struct.unpack_from(">H", data, x + value)
        elif code == 0xB1:
            x = 4 * (data[value] & 15)
        elif code == 0x54:
            a &= value
        elif code in (0x15, 0x45):
            place += then if (a == value if code == 0x15 else a & value) else otherwise
        else:
            assert code == 0x06, f"{code:#x} is no instruction that is used here"
            return int(value)


def keeps(packet: Packet, *, kind: int = HOST, hardware: int = ETHERNET) -> bool:
    kept = carried_out(lan_filter(LAN), bytes(packet), kind, hardware)
    assert kept in (0, SNAP_BYTES)
    return bool(kept)


def sent(source: str, target: str, part: Packet) -> Packet:
    return Ether() / IP(src=source, dst=target) / part / Raw(b"something to say")


def both_ways(one: int, other: int) -> Iterator[tuple[int, int]]:
    return iter(((one, other), (other, one)))


@pytest.mark.parametrize("port", [6666, 6667, 7000])
def test_discovery_from_and_to_the_network_is_kept(port: int) -> None:
    for sport, dport in both_ways(port, 40_000):
        part = UDP(sport=sport, dport=dport)
        assert keeps(sent(INSIDE, OUTSIDE, part))
        assert keeps(sent(OUTSIDE, INSIDE, part))
        assert not keeps(sent(OUTSIDE, OUTSIDE, part))
        assert not keeps(sent(INSIDE, OUTSIDE, TCP(sport=sport, dport=dport)))


def test_control_from_and_to_the_network_is_kept() -> None:
    for sport, dport in both_ways(6668, 40_000):
        part = TCP(sport=sport, dport=dport)
        assert keeps(sent(INSIDE, OUTSIDE, part))
        assert keeps(sent(OUTSIDE, INSIDE, part))
        assert not keeps(sent(OUTSIDE, OUTSIDE, part))
        assert not keeps(sent(INSIDE, OUTSIDE, UDP(sport=sport, dport=dport)))


@pytest.mark.parametrize("everybody", ["255.255.255.255", "127.255.255.255"])
def test_of_others_only_questions_to_everybody_are_kept(everybody: str) -> None:
    assert keeps(sent(OUTSIDE, everybody, UDP(sport=5, dport=7000)))
    assert not keeps(sent(OUTSIDE, everybody, UDP(sport=7000, dport=6667)))


def test_other_packets_are_dropped() -> None:
    ours = UDP(sport=6667, dport=6667)
    assert not keeps(Ether() / ARP())
    assert not keeps(Ether() / IPv6() / ours)
    assert not keeps(Ether() / IP(src=INSIDE, frag=9) / ours / Raw(bytes(40)))
    assert not keeps(Ether() / IP(src=INSIDE, proto=47) / Raw(b"\x1a\x0b" * 40))
    assert not keeps(sent(INSIDE, INSIDE, UDP(sport=53, dport=53)))
    assert not keeps(sent(INSIDE, INSIDE, TCP(sport=443, dport=8883)))
    assert not keeps(sent(INSIDE, INSIDE, ours), hardware=TUNNEL)


def test_of_a_loopback_interface_what_arrives_is_kept() -> None:
    packet = sent(INSIDE, INSIDE, UDP(dport=6667))
    assert keeps(packet, kind=HOST, hardware=LOOPBACK)
    assert not keeps(packet, kind=OUTGOING, hardware=LOOPBACK)
    assert keeps(packet, kind=OUTGOING, hardware=ETHERNET)


def test_ports_are_found_behind_options() -> None:
    packet = Ether() / IP(src=INSIDE, options=[]) / UDP(sport=6667) / Raw(b"x" * 9)
    data = bytearray(bytes(packet))
    data[14] = 0x46  # four bytes of options
    data[34:34] = b"\1\1\1\1"
    assert carried_out(lan_filter(LAN), bytes(data), HOST, ETHERNET)


def test_the_network_of_everybody_is_everything() -> None:
    everybody = lan_filter(IPv4Network("0.0.0.0/0"))
    packet = sent("8.8.8.8", "9.9.9.9", TCP(dport=6668))
    assert carried_out(everybody, bytes(packet), HOST, ETHERNET) == SNAP_BYTES


def test_a_program_is_given_to_the_kernel() -> None:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    keep_three = packet_filter._assemble([packet_filter._Step(0x06, 3)])
    with left, right:
        attach(right, keep_three)
        left.send(b"four")
        attach(right, nothing())
        left.send(b"dropped")
        assert right.recv(9) == b"fou"
        with pytest.raises(BlockingIOError):
            right.recv(9, socket.MSG_DONTWAIT)
