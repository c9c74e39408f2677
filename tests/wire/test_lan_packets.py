"""LAN frames seen with other eyes: Scapy describes them a second time, and makes odd ones.

Scapy knows nothing of our codec, so what both agree on is the format and not a habit of ours.
"""

from zlib import crc32

import pytest
from scapy.fields import FieldLenField, StrFixedLenField, StrLenField, XIntField
from scapy.layers.inet import IP, UDP
from scapy.packet import Packet, Raw, bind_layers, fuzz

from firmware_sim.errors import BadChecksum
from firmware_sim.wire import lan_frame
from firmware_sim.wire.discovery import PORT_ENCRYPTED, decode_announcement
from tests.wire.support import VECTORS, outcome, vector_bytes

FRAMES = ("announcement_plain", "announcement_encrypted", "heart_beat_reply", "token_bind_plain")


class Lan55AA(Packet):
    """The frame of LAN versions 3.1 to 3.3, field by field; `body` includes a return code."""

    name = "55AA"
    fields_desc = [  # noqa: RUF012 - Scapy wants a list
        StrFixedLenField("prefix", b"\x00\x00\x55\xaa", 4),
        XIntField("sequence", 0),
        XIntField("kind", 0),
        FieldLenField("length", None, fmt="I", length_of="body", adjust=lambda _, size: size + 8),
        StrLenField("body", b"", length_from=lambda packet: packet.length - 8),
        XIntField("crc", 0),
        StrFixedLenField("suffix", b"\x00\x00\xaa\x55", 4),
    ]


bind_layers(UDP, Lan55AA, dport=PORT_ENCRYPTED)


@pytest.mark.parametrize("name", FRAMES)
def test_both_descriptions_agree(name: str) -> None:
    data = vector_bytes(name, "frame")
    seen = Lan55AA(data)
    ours = lan_frame.decode(data, from_device=name != "token_bind_plain")
    code = b"" if ours.return_code is None else ours.return_code.to_bytes(4, "big")
    assert (seen.sequence, seen.kind) == (ours.sequence, ours.command)
    assert seen.body == code + ours.payload
    assert seen.crc == crc32(data[:-8])
    built = Lan55AA(sequence=seen.sequence, kind=seen.kind, body=seen.body, crc=seen.crc)
    assert bytes(built) == data == lan_frame.encode(ours)


def test_an_announcement_is_found_in_a_captured_datagram() -> None:
    frame = vector_bytes("announcement_encrypted", "frame")
    wire = bytes(IP(src="10.0.0.9", dst="255.255.255.255") / UDP(dport=PORT_ENCRYPTED) / Raw(frame))
    captured = IP(wire)
    announcement = decode_announcement(bytes(captured[Lan55AA]))
    assert announcement.ip == captured.src
    assert announcement.gw_id in VECTORS["announcement_encrypted"]["json"]


def test_a_wrong_checksum_is_noticed() -> None:
    odd = Lan55AA(kind=lan_frame.Command.HEART_BEAT, crc=1)
    with pytest.raises(BadChecksum):
        lan_frame.decode(bytes(odd), from_device=False)


def test_odd_frames_are_read_or_refused_and_nothing_else() -> None:
    read = 0
    for _ in range(500):
        data = bytes(fuzz(Lan55AA(prefix=b"\x00\x00\x55\xaa")))
        read += isinstance(outcome(lan_frame.decode, data, from_device=False), lan_frame.Frame)
        outcome(decode_announcement, data)
    assert read == 0, "a random checksum does not fit by chance"
