"""Recordings written by hand: packets that Scapy builds, with the numbers that TCP would give them."""

from collections.abc import Sequence
from pathlib import Path

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import RawPcapWriter

from fleet.lan.packets import Address
from fleet.lan.pcap import Record

START_NS = 1_700_000_000_123_456_789
STEP_NS = 1_000_000
ETHERNET = 1

CLIENT = Address("10.0.0.1", 50_000)
DEVICE = Address("10.0.0.9", 6668)


def at(index: int, packet: Packet) -> Record:
    """Return `packet` as the record number `index`, a millisecond after the one before."""
    return Record(START_NS + index * STEP_NS, ETHERNET, bytes(packet))


def datagram(source: Address, target: Address, data: bytes) -> Packet:
    head = Ether() / IP(src=source.ip, dst=target.ip)
    return head / UDP(sport=source.port, dport=target.port) / Raw(data)


class Connection:
    """A TCP connection whose packets are kept in the order in which they are sent."""

    def __init__(
        self, client: Address = CLIENT, device: Address = DEVICE, start: int = 1000
    ) -> None:
        self.packets: list[Packet] = []
        self._ends = {False: client, True: device}
        self._next = {False: start, True: start + 5000}

    def open(self) -> None:
        self._add("S", from_device=False)
        self._add("SA", from_device=True)
        self._add("A", from_device=False)

    def say(self, data: bytes, *, from_device: bool) -> None:
        """Send `data` in one segment, which also says what was received."""
        self._add("PA", data, from_device=from_device)

    def acknowledge(self, *, from_device: bool) -> None:
        self._add("A", from_device=from_device)

    def close(self) -> None:
        self._add("FA", from_device=False)
        self._add("FA", from_device=True)
        self._add("A", from_device=False)

    def _add(self, flags: str, data: bytes = b"", *, from_device: bool) -> None:
        source, target = self._ends[from_device], self._ends[not from_device]
        tcp = TCP(
            sport=source.port,
            dport=target.port,
            flags=flags,
            seq=self._next[from_device] % 2**32,
            ack=self._next[not from_device] % 2**32 if "A" in flags else 0,
        )
        self._next[from_device] += len(data) + ("S" in flags or "F" in flags)
        self.packets.append(Ether() / IP(src=source.ip, dst=target.ip) / tcp / Raw(data))


def records(packets: Sequence[Packet]) -> list[Record]:
    return [at(index, packet) for index, packet in enumerate(packets)]


def write_pcap(path: Path, kept: Sequence[Record]) -> Path:
    """Write a capture file, by Scapy."""
    with RawPcapWriter(str(path), linktype=ETHERNET, nano=True) as writer:
        writer.write_header(None)
        for record in kept:
            seconds, ns = divmod(record.time_ns, 1_000_000_000)
            writer.write_packet(record.data, seconds, ns)
    return path
