"""LAN frames seen with other eyes: Scapy describes them a second time, and makes odd ones.

The layers know nothing of our codec, so what both agree on is the format and not a habit of ours.
"""

from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw, fuzz
from scapy.volatile import RandInt

from firmware_sim.errors import BadChecksum
from firmware_sim.wire import lan_frame
from firmware_sim.wire.discovery import PORT_ENCRYPTED, decode_announcement
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_message import reveal, seal, unframe
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.frame_layers import LanFrame
from fleet.lan.layers import PREFIX_55AA, Discovery55AA, Lan55AA, Lan55AAHmac, Lan6699
from tests.wire.support import VECTORS, outcome, vector_bytes

FRAMES = ("announcement_plain", "announcement_encrypted", "heart_beat_reply", "token_bind_plain")
KEY = b"0123456789abcdef"
NONCE = b"only once..!"

LAYERS: dict[LanVersion, type[LanFrame]] = {
    **dict.fromkeys(LanVersion, Lan55AA),
    LanVersion.V34: Lan55AAHmac,
    LanVersion.V35: Lan6699,
}


@pytest.mark.parametrize("name", FRAMES)
def test_both_descriptions_agree(name: str) -> None:
    data = vector_bytes(name, "frame")
    seen = Lan55AA(data)
    ours = lan_frame.decode(data, from_device=name != "token_bind_plain")
    assert (seen.sequence, seen.kind) == (ours.sequence, ours.command)
    assert (seen.return_code, seen.body) == (ours.return_code, ours.payload)
    assert seen.crc == crc32(data[:-8])
    built = Lan55AA(
        sequence=seen.sequence, kind=seen.kind, return_code=seen.return_code, body=seen.body
    )
    assert bytes(built) == data == lan_frame.encode(ours)


def test_an_announcement_is_found_in_a_captured_datagram() -> None:
    frame = vector_bytes("announcement_encrypted", "frame")
    wire = bytes(IP(src="10.0.0.9", dst="255.255.255.255") / UDP(dport=PORT_ENCRYPTED) / Raw(frame))
    captured = IP(wire)
    announcement = decode_announcement(bytes(captured[Discovery55AA]))
    assert announcement.ip == captured.src
    assert announcement.gw_id in VECTORS["announcement_encrypted"]["json"]


def test_a_wrong_checksum_is_noticed() -> None:
    odd = Lan55AA(kind=lan_frame.Command.HEART_BEAT, crc=1)
    with pytest.raises(BadChecksum):
        lan_frame.decode(bytes(odd), from_device=False)


def test_odd_frames_are_read_or_refused_and_nothing_else() -> None:
    read = 0
    for _ in range(500):
        data = bytes(fuzz(Lan55AA(prefix=PREFIX_55AA, crc=RandInt())))
        read += isinstance(outcome(lan_frame.decode, data, from_device=False), lan_frame.Frame)
        outcome(decode_announcement, data)
    assert read == 0, "a random checksum does not fit by chance"


# --- every version, both ways -------------------------------------------------------------------

MESSAGES = st.builds(
    Frame,
    sequence=st.integers(0, 2**32 - 1),
    command=st.sampled_from([c for c in Command if c != Command.UDP_PLAIN]),
    payload=st.binary(min_size=1, max_size=200).map(lambda data: b"{" + data),
    return_code=st.none() | st.integers(0, 255),
)


def is_text(version: LanVersion, message: Frame) -> bool:
    """Say whether 3.1 leaves this as it is: all but settings and reports."""
    secret = Command.CONTROL if message.return_code is None else Command.STATUS
    return version is LanVersion.V31 and message.command != secret


def plain(seen: Any) -> bytes:
    """Return the body that a layer shows, without a header."""
    body = bytes(seen.body)
    if body.startswith(b"3.1"):
        return body[3:]
    return body[15:] if body.startswith(b"3.") else body


@given(st.sampled_from(LanVersion), MESSAGES, st.integers(0, 2**32 - 1))
def test_the_layers_read_what_the_codec_writes(
    version: LanVersion, message: Frame, header_sequence: int
) -> None:
    data = seal(message, version, KEY, nonce=NONCE, header_sequence=header_sequence)
    seen = LAYERS[version](data, key=None if is_text(version, message) else KEY)
    assert (seen.sequence, seen.kind) == (message.sequence, message.command)
    assert (seen.return_code, plain(seen)) == (message.return_code, message.payload)
    assert bytes(seen) == data


@given(st.sampled_from(LanVersion), MESSAGES)
def test_the_codec_reads_what_the_layers_write(version: LanVersion, message: Frame) -> None:
    body = message.payload
    if version is LanVersion.V31 and not is_text(version, message):
        body = b"3.1" + body
    frame = LAYERS[version](
        sequence=message.sequence,
        kind=message.command,
        return_code=message.return_code,
        body=body,
        key=None if is_text(version, message) else KEY,
    )
    raw = lan_frame.cut(bytes(frame))
    from_device = message.return_code is not None
    read = unframe(raw, version, KEY, from_device=from_device)
    assert (read.sequence, read.command) == (message.sequence, message.command)
    assert read.return_code == message.return_code
    assert reveal(read, version, KEY) == message.payload
