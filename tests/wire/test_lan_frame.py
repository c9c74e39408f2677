from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinytuya.core import message_helper

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, Truncated, UsageError
from firmware_sim.wire.lan_frame import SIZE_MAX, Command, Frame, FrameDecoder, decode, encode

from .support import VECTORS, truncations, vector_bytes

WORD = st.integers(0, 2**32 - 1)
FRAMES = {
    "heart_beat_reply": Frame(7, Command.HEART_BEAT, b"", 0),
    "token_bind_plain": Frame(1, Command.TOKEN_BIND, b'{"token":"AYnqMwn1NdreKE"}'),
    "token_bind_reply": Frame(1, Command.TOKEN_BIND, b"", 0),
}


@pytest.mark.parametrize("name", FRAMES)
def test_golden_frames_both_ways(name: str) -> None:
    frame, data = FRAMES[name], vector_bytes(name, "frame")
    assert encode(frame) == data
    assert decode(data, from_device=frame.return_code is not None) == frame


@given(WORD, WORD, st.binary(max_size=200), st.none() | st.integers(0, 255))
def test_round_trip(sequence: int, command: int, payload: bytes, code: int | None) -> None:
    frame = Frame(sequence, command, payload, code)
    assert decode(encode(frame), from_device=code is not None) == frame


@given(WORD, st.integers(0, 255), st.binary(max_size=200), st.integers(0, 255))
def test_tinytuya_reads_our_frames(sequence: int, command: int, payload: bytes, code: int) -> None:
    message = message_helper.unpack_message(encode(Frame(sequence, command, payload, code)))
    assert message.crc_good
    assert (message.seqno, message.cmd) == (sequence, command)
    assert (message.retcode, message.payload) == (code, payload)


@pytest.mark.parametrize("name", FRAMES)
def test_every_truncation_is_refused(name: str) -> None:
    for data in truncations(vector_bytes(name, "frame")):
        with pytest.raises(Truncated):
            decode(data, from_device=True)


def test_every_flipped_bit_is_refused() -> None:
    data = vector_bytes("token_bind_plain", "frame")
    for bit in range(len(data) * 8):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PeerError):
            decode(bytes(broken), from_device=False)


def test_trailing_bytes_are_malformed() -> None:
    with pytest.raises(Malformed, match="follow"):
        decode(vector_bytes("token_bind_plain", "frame") + b"\0", from_device=False)


def test_a_wrong_crc_is_a_bad_checksum() -> None:
    data = bytearray(vector_bytes("token_bind_plain", "frame"))
    data[-5] ^= 1
    with pytest.raises(BadChecksum):
        decode(bytes(data), from_device=False)


def test_a_device_frame_without_room_for_its_return_code_is_malformed() -> None:
    short = encode(Frame(1, Command.HEART_BEAT, b""))
    assert decode(short, from_device=False).payload == b""
    with pytest.raises(Malformed, match="too short"):
        decode(short, from_device=True)


def test_a_length_without_room_for_the_tail_is_malformed() -> None:
    head = bytes.fromhex("000055aa000000010000000900000004")
    with pytest.raises(Malformed, match="too short"):
        decode(head + crc32(head).to_bytes(4, "big"), from_device=False)


def test_a_huge_length_is_refused_at_once() -> None:
    with pytest.raises(TooLarge):
        decode(bytes.fromhex("000055aa0000000100000009ffffffff"), from_device=False)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(-1, 0, b""),
        Frame(0, 2**32, b""),
        Frame(0, 0, b"", 256),
        Frame(0, 0, b"", -1),
        Frame(0, 0, bytes(SIZE_MAX - 23)),
        Frame(0, 0, bytes(SIZE_MAX - 27), 0),
    ],
)
def test_a_frame_that_cannot_travel_is_the_callers_mistake(frame: Frame) -> None:
    with pytest.raises(UsageError):
        encode(frame)


def test_the_longest_frame_travels() -> None:
    frame = Frame(0, 0, bytes(SIZE_MAX - 28), 0)
    assert len(encode(frame)) == SIZE_MAX
    assert decode(encode(frame), from_device=True) == frame


def test_a_stream_byte_by_byte() -> None:
    decoder = FrameDecoder(from_device=True)
    stream = vector_bytes("heart_beat_reply", "frame") + vector_bytes("token_bind_reply", "frame")
    found = [frame for byte in stream for frame in decoder.feed(bytes((byte,)))]
    assert found == [FRAMES["heart_beat_reply"], FRAMES["token_bind_reply"]]


def test_a_stream_in_one_piece() -> None:
    decoder = FrameDecoder(from_device=False)
    data = vector_bytes("token_bind_plain", "frame")
    assert decoder.feed(data * 3 + data[:20]) == [FRAMES["token_bind_plain"]] * 3
    assert decoder.pending_size == 20


def test_a_stream_has_its_own_limit() -> None:
    decoder = FrameDecoder(from_device=False, size_max=40)
    with pytest.raises(TooLarge, match="the limit is 40"):
        decoder.feed(vector_bytes("token_bind_plain", "frame")[:16])


def test_a_stream_that_is_not_frames_is_malformed() -> None:
    with pytest.raises(Malformed, match="begin"):
        FrameDecoder(from_device=True).feed(b"GET / HTTP/1.1\r\n")


def test_a_payload_is_not_shown() -> None:
    assert repr(FRAMES["token_bind_plain"]) == (
        "Frame(sequence=1, command=0xc, payload of 26 bytes, return_code=None)"
    )


def test_command_numbers_agree_with_the_vectors() -> None:
    assert VECTORS["token_bind_plain"]["command"] == Command.TOKEN_BIND
    assert VECTORS["announcement_encrypted"]["command"] == Command.UDP_ENCRYPTED
