import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinytuya.core import header, message_helper

from firmware_sim.errors import BadChecksum, Malformed, PeerError, Truncated, UsageError
from firmware_sim.wire import lan_frame
from firmware_sim.wire.ciphers import UDP_KEY
from firmware_sim.wire.lan_frame import SIZE_MAX, Command, Frame, cut
from firmware_sim.wire.lan_frame_gcm import decode, encode

from .support import VECTORS, flipped, outcome, truncations, vector_bytes

KEY = b"0123456789abcdef"
NONCE = bytes(range(12))
WORD = st.integers(0, 2**32 - 1)
CODES = st.none() | st.integers(0, 255)
ANSWER = encode(Frame(1, Command.DP_QUERY_NEW, b"{}", 0), KEY, NONCE)


@pytest.mark.parametrize(("name", "code"), [("announcement_sealed", 0), ("solicitation", None)])
def test_golden_frames_both_ways(name: str, code: int | None) -> None:
    vector, data = VECTORS[name], vector_bytes(name, "frame")
    frame = Frame(0, vector["command"], vector["json"].encode(), code)
    assert encode(frame, UDP_KEY, vector_bytes(name, "nonce")) == data
    assert decode(data, UDP_KEY, from_device=code is not None) == frame
    assert decode(cut(data), UDP_KEY, from_device=code is not None) == frame


@given(WORD, WORD, st.binary(max_size=200), CODES)
def test_round_trip(sequence: int, command: int, payload: bytes, code: int | None) -> None:
    frame = Frame(sequence, command, payload, code)
    assert decode(encode(frame, KEY, NONCE), KEY, from_device=code is not None) == frame


@given(WORD, st.integers(0, 255), st.binary(max_size=200), CODES)
def test_tinytuya_reads_our_frames(
    sequence: int, command: int, payload: bytes, code: int | None
) -> None:
    data = encode(Frame(sequence, command, payload, code), KEY, NONCE)
    message = message_helper.unpack_message(data, hmac_key=KEY, no_retcode=code is None)
    assert message.crc_good
    assert (message.seqno, message.cmd) == (sequence, command)
    assert (message.retcode, message.payload) == (code or 0, payload)


@given(WORD, st.integers(0, 255), st.binary(max_size=200), CODES)
def test_we_read_the_frames_of_tinytuya(
    sequence: int, command: int, payload: bytes, code: int | None
) -> None:
    message = message_helper.TuyaMessage(
        sequence, command, code, payload, 0, True, header.PREFIX_6699_VALUE, True
    )
    data = message_helper.pack_message(message, hmac_key=KEY)
    frame = decode(data, KEY, from_device=code is not None)
    assert frame == Frame(sequence, command, payload, code)


def test_the_reserved_bytes_are_covered_but_free() -> None:
    with pytest.raises(BadChecksum):
        decode(ANSWER[:4] + b"\x01" + ANSWER[5:], KEY, from_device=True)


def test_every_truncation_is_refused() -> None:
    for data in truncations(ANSWER):
        with pytest.raises(Truncated):
            decode(data, KEY, from_device=True)


def test_every_flipped_bit_is_refused() -> None:
    for broken in flipped(ANSWER):
        with pytest.raises(PeerError):
            decode(broken, KEY, from_device=True)


def test_another_key_is_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum, match="tag"):
        decode(ANSWER, KEY[::-1], from_device=True)


def test_a_device_frame_without_its_return_code_is_malformed() -> None:
    short = encode(Frame(1, Command.HEART_BEAT, b"abc"), KEY, NONCE)
    assert decode(short, KEY, from_device=False).payload == b"abc"
    with pytest.raises(Malformed, match="no return code"):
        decode(short, KEY, from_device=True)


def test_the_other_family_is_malformed() -> None:
    with pytest.raises(Malformed, match="55AA where 6699"):
        decode(lan_frame.encode(Frame(1, 9, b"")), KEY, from_device=False)


@pytest.mark.parametrize("nonce", [b"", bytes(11), bytes(16)])
def test_a_frame_needs_its_nonce(nonce: bytes) -> None:
    with pytest.raises(UsageError, match="a nonce of 12 bytes"):
        encode(Frame(1, 9, b""), KEY, nonce)


def test_the_longest_frame_travels() -> None:
    frame = Frame(0, 0, bytes(SIZE_MAX - 54), 0)
    assert len(encode(frame, KEY, NONCE)) == SIZE_MAX
    with pytest.raises(UsageError, match="exceeds"):
        encode(Frame(0, 0, bytes(SIZE_MAX - 53), 0), KEY, NONCE)


@given(st.binary(max_size=100), st.booleans())
def test_garbage_is_a_frame_or_a_peer_error(data: bytes, from_device: bool) -> None:
    outcome(decode, data, KEY, from_device=from_device)
    head = bytes.fromhex("0000669900000000000100000009") + len(data).to_bytes(4, "big")
    outcome(decode, head + data + b"\0\0\x99\x66", KEY, from_device=from_device)
    outcome(decode, encode(Frame(1, 9, data), KEY, NONCE), KEY, from_device=True)
