from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinytuya.core import message_helper

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, Truncated, UsageError
from firmware_sim.wire import lan_frame_gcm
from firmware_sim.wire.ciphers import hmac_sha256
from firmware_sim.wire.lan_frame import (
    SIZE_MAX,
    Command,
    Frame,
    FrameCutter,
    RawFrame,
    cut,
    decode,
    encode,
)

from .support import VECTORS, flipped, outcome, pieces, truncations, vector_bytes

KEY = b"0123456789abcdef"
WORD = st.integers(0, 2**32 - 1)
CODES = st.none() | st.integers(0, 255)
FRAMES = {
    "heart_beat_reply": Frame(7, Command.HEART_BEAT, b"", 0),
    "token_bind_plain": Frame(1, Command.TOKEN_BIND, b'{"token":"AYnqMwn1NdreKE"}'),
    "token_bind_reply": Frame(1, Command.TOKEN_BIND, b"", 0),
}
FAMILIES = [
    encode(Frame(5, 9, b"payload", 0)),
    lan_frame_gcm.encode(Frame(6, 8, b"p"), KEY, KEY[:12]),
]


@pytest.mark.parametrize("name", FRAMES)
def test_golden_frames_both_ways(name: str) -> None:
    frame, data = FRAMES[name], vector_bytes(name, "frame")
    assert encode(frame) == data
    assert decode(data, from_device=frame.return_code is not None) == frame


def test_a_golden_frame_with_an_hmac() -> None:
    key, data = vector_bytes("lan34_query", "key"), vector_bytes("lan34_query", "frame")
    frame = decode(data, from_device=False, key=key)
    assert (frame.sequence, frame.command, len(frame.payload)) == (3, Command.DP_QUERY_NEW, 16)
    assert encode(frame, key) == data


@given(WORD, WORD, st.binary(max_size=200), CODES, st.none() | st.just(KEY))
def test_round_trip(
    sequence: int, command: int, payload: bytes, code: int | None, key: bytes | None
) -> None:
    frame = Frame(sequence, command, payload, code)
    assert decode(encode(frame, key), from_device=code is not None, key=key) == frame


@given(
    WORD,
    st.integers(0, 255),
    st.binary(max_size=200),
    st.integers(0, 255),
    st.none() | st.just(KEY),
)
def test_tinytuya_reads_our_frames(
    sequence: int, command: int, payload: bytes, code: int, key: bytes | None
) -> None:
    data = encode(Frame(sequence, command, payload, code), key)
    message = message_helper.unpack_message(data, hmac_key=key)
    assert message.crc_good
    assert (message.seqno, message.cmd) == (sequence, command)
    assert (message.retcode, message.payload) == (code, payload)


@given(WORD, st.integers(0, 255), st.binary(max_size=200), st.none() | st.just(KEY))
def test_we_read_the_frames_of_tinytuya(
    sequence: int, command: int, payload: bytes, key: bytes | None
) -> None:
    message = message_helper.TuyaMessage(sequence, command, None, payload, 0)
    frame = decode(message_helper.pack_message(message, hmac_key=key), from_device=False, key=key)
    assert frame == Frame(sequence, command, payload)


# --- broken frames ------------------------------------------------------------------------------


@pytest.mark.parametrize("data", FAMILIES)
def test_every_truncation_is_refused(data: bytes) -> None:
    for short in truncations(data):
        with pytest.raises(Truncated):
            cut(short)


@pytest.mark.parametrize("key", [None, KEY])
def test_every_flipped_bit_is_refused(key: bytes | None) -> None:
    for broken in flipped(encode(FRAMES["token_bind_plain"], key)):
        with pytest.raises(PeerError):
            decode(broken, from_device=False, key=key)


def test_trailing_bytes_are_malformed() -> None:
    with pytest.raises(Malformed, match="1 bytes follow"):
        decode(vector_bytes("token_bind_plain", "frame") + b"\0", from_device=False)


def test_a_wrong_crc_is_a_bad_checksum() -> None:
    data = bytearray(vector_bytes("token_bind_plain", "frame"))
    data[-5] ^= 1
    with pytest.raises(BadChecksum, match="CRC"):
        decode(bytes(data), from_device=False)


def test_an_hmac_under_another_key_is_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum, match="HMAC"):
        decode(encode(Frame(1, 9, b"", 0), KEY), from_device=True, key=KEY[::-1])


def test_a_crc_where_an_hmac_belongs_is_refused() -> None:
    for payload in (b"", bytes(16), bytes(48)):
        with pytest.raises((BadChecksum, Malformed)):
            decode(encode(Frame(1, 9, payload)), from_device=False, key=KEY)


def test_a_device_frame_without_room_for_its_return_code_is_malformed() -> None:
    short = encode(Frame(1, Command.HEART_BEAT, b""))
    assert decode(short, from_device=False).payload == b""
    with pytest.raises(Malformed, match="too short"):
        decode(short, from_device=True)


@pytest.mark.parametrize(
    "head",
    [
        "000055aa000000010000000900000007",
        "00006699000000000001000000090000001b",
    ],
)
def test_a_length_without_room_for_the_parts_is_malformed(head: str) -> None:
    with pytest.raises(Malformed, match="too short"):
        FrameCutter().feed(bytes.fromhex(head))


@pytest.mark.parametrize(
    "head", ["000055aa0000000100000009ffffffff", "0000669900000000000100000009ffffffff"]
)
def test_a_huge_length_is_refused_at_once(head: str) -> None:
    with pytest.raises(TooLarge):
        cut(bytes.fromhex(head))


@pytest.mark.parametrize("data", FAMILIES)
def test_each_family_has_its_own_end(data: bytes) -> None:
    other = FAMILIES[data is FAMILIES[0]]
    with pytest.raises(Malformed, match="end"):
        cut(data[:-4] + other[-4:])


def test_the_other_family_is_malformed() -> None:
    with pytest.raises(Malformed, match="6699 where 55AA"):
        decode(FAMILIES[1], from_device=True)


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


@pytest.mark.parametrize(("key", "size"), [(None, SIZE_MAX - 28), (KEY, SIZE_MAX - 56)])
def test_the_longest_frame_travels(key: bytes | None, size: int) -> None:
    frame = Frame(0, 0, bytes(size), 0)
    assert len(encode(frame, key)) == SIZE_MAX
    assert decode(encode(frame, key), from_device=True, key=key) == frame


# --- streams ------------------------------------------------------------------------------------

MIXED = st.lists(
    st.tuples(st.booleans(), WORD, WORD, st.binary(max_size=60)).map(
        lambda made: (
            lan_frame_gcm.encode(Frame(*made[1:]), KEY, KEY[:12])
            if made[0]
            else encode(Frame(*made[1:]), KEY)
        )
    ),
    max_size=8,
)


@given(MIXED, st.lists(st.integers(0, 90), max_size=40))
def test_any_cut_of_a_mixed_stream_gives_the_same_frames(
    frames: list[bytes], sizes: list[int]
) -> None:
    cutter = FrameCutter()
    found = [raw for piece in pieces(b"".join(frames), sizes) for raw in cutter.feed(piece)]
    assert found == [cut(frame) for frame in frames]
    assert cutter.pending_size == 0


def test_a_mixed_stream_byte_by_byte() -> None:
    cutter = FrameCutter()
    stream = b"".join(FAMILIES) * 2
    found = [raw for byte in stream for raw in cutter.feed(bytes((byte,)))]
    assert [(raw.sealed, raw.sequence, raw.command) for raw in found] == [
        (False, 5, 9),
        (True, 6, 8),
    ] * 2
    assert [raw.data for raw in found] == FAMILIES * 2


def test_a_cut_frame_is_not_checked() -> None:
    data = bytearray(vector_bytes("token_bind_plain", "frame"))
    data[-5] ^= 1
    (raw,) = FrameCutter().feed(bytes(data))
    assert raw == RawFrame(sealed=False, sequence=1, command=0x0C, data=bytes(data))
    with pytest.raises(BadChecksum):
        decode(raw, from_device=False)


def test_a_stream_in_one_piece() -> None:
    cutter = FrameCutter()
    data = vector_bytes("token_bind_plain", "frame")
    assert cutter.feed(data * 3 + data[:20]) == [cut(data)] * 3
    assert cutter.pending_size == 20


@given(
    st.lists(
        st.tuples(st.sampled_from(["000055aa", "00006699", ""]), st.binary(max_size=40)),
        max_size=30,
    )
)
def test_a_stream_of_anything_is_bounded(parts: list[tuple[str, bytes]]) -> None:
    cutter = FrameCutter(size_max=100)
    for magic, data in parts:
        if isinstance(outcome(cutter.feed, bytes.fromhex(magic) + data), PeerError):
            break
        assert cutter.pending_size < 100


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1]))
def test_no_length_makes_a_stream_wait_beyond_its_limit(length: int, family: int) -> None:
    cutter = FrameCutter()
    at = (12, 14)[family]
    head = FAMILIES[family][:at] + length.to_bytes(4, "big")
    try:
        assert cutter.feed(head) == []
        cutter.feed(bytes(SIZE_MAX))
    except PeerError:
        return
    pytest.fail("more zeros than a frame can hold are no frame")


def test_a_stream_has_its_own_limit() -> None:
    with pytest.raises(TooLarge, match="the limit is 40"):
        FrameCutter(size_max=40).feed(vector_bytes("token_bind_plain", "frame")[:16])


def test_a_stream_that_is_not_frames_is_malformed() -> None:
    with pytest.raises(Malformed, match="neither"):
        FrameCutter().feed(b"GET / HTTP/1.1\r\n")


@given(st.binary(max_size=100), st.booleans(), st.none() | st.just(KEY))
def test_garbage_is_a_frame_or_a_peer_error(
    data: bytes, from_device: bool, key: bytes | None
) -> None:
    outcome(decode, data, from_device=from_device, key=key)
    body = bytes.fromhex("000055aa0000000100000009") + (len(data) + 4).to_bytes(4, "big") + data
    for framed in (body, body[:-4] + crc32(body[:-4]).to_bytes(4, "big"), body + bytes(32)):
        outcome(decode, framed + b"\0\0\xaa\x55", from_device=from_device, key=key)


def test_garbage_under_the_right_hmac_is_read() -> None:
    signed = bytes.fromhex("000055aa000000010000000900000028") + b"code"
    data = signed + hmac_sha256(KEY, signed) + b"\0\0\xaa\x55"
    assert decode(data, from_device=True, key=KEY) == Frame(1, 9, b"", int.from_bytes(b"code"))


# --- what is shown ------------------------------------------------------------------------------


def test_a_payload_is_not_shown() -> None:
    assert repr(FRAMES["token_bind_plain"]) == (
        "Frame(sequence=1, command=0xc, payload of 26 bytes, return_code=None)"
    )
    assert repr(cut(vector_bytes("token_bind_plain", "frame"))) == (
        "RawFrame(sealed=False, sequence=1, command=0xc, 50 bytes)"
    )


def test_command_numbers_agree_with_the_vectors() -> None:
    commands = {name: VECTORS[name]["command"] for name in VECTORS if "command" in VECTORS[name]}
    assert set(commands.values()) <= set(Command)
    assert commands["token_bind_plain"] == Command.TOKEN_BIND
    assert commands["announcement_encrypted"] == Command.UDP_ENCRYPTED
    assert commands["solicitation"] == Command.SOLICITATION
