"""Each golden frame is taken apart and put together again, from its fields."""

from typing import Any
from zlib import crc32

import pytest
from scapy.packet import fuzz
from scapy.volatile import RandInt

from firmware_sim.wire.ciphers import UDP_KEY, gcm_decrypt, hmac_sha256
from fleet.lan.frame_layers import (
    PREFIX_55AA,
    PREFIX_6699,
    SUFFIX_55AA,
    SUFFIX_6699,
    Lan55AA,
    Lan55AAHmac,
    Lan6699,
    LanFrame,
)
from fleet.lan.layers import Lan

from .vectors import GOLDEN, Golden

KEY = b"0123456789abcdef"
COMPUTED = ("length", "crc", "hmac", "tag")


def opened(golden: Golden) -> Any:
    """Return the golden frame as a layer that knows its key."""
    return type(Lan(golden.frame))(golden.frame, key=golden.key)


def without_header(body: bytes) -> bytes:
    if body.startswith(b"3.1"):
        return body[3:]
    return body[15:] if body.startswith(b"3.") else body


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_frame_says_what_it_should(name: str) -> None:
    golden = GOLDEN[name]
    seen = opened(golden)
    assert (seen.kind, seen.return_code, seen.key) == (golden.kind, golden.return_code, golden.key)
    assert without_header(seen.body) == golden.body


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_frame_is_rebuilt_from_what_it_says(name: str) -> None:
    seen = opened(GOLDEN[name])
    said = {field: value for field, value in seen.fields.items() if field not in COMPUTED}
    assert bytes(type(seen)(**said, key=seen.key)) == GOLDEN[name].frame


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_frame_is_rebuilt_without_its_key(name: str) -> None:
    layer = type(opened(GOLDEN[name]))
    unopened = layer(GOLDEN[name].frame)
    assert unopened.key is None
    assert bytes(layer(**unopened.fields)) == GOLDEN[name].frame


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_frame_survives_copying_and_a_key_that_does_not_fit(name: str) -> None:
    golden = GOLDEN[name]
    seen = opened(golden)
    assert bytes(seen) == bytes(seen.copy()) == golden.frame
    strange = type(seen)(golden.frame, key=b"another key here")
    assert (strange.key, bytes(strange)) == (None, golden.frame)


# --- what is computed ---------------------------------------------------------------------------


def test_length_and_crc_are_computed_unless_given() -> None:
    built = bytes(Lan55AA(sequence=1, kind=9, body=b"{}"))
    assert built[12:16] == (10).to_bytes(4, "big")
    assert built[-8:-4] == crc32(built[:-8]).to_bytes(4, "big")
    odd = bytes(Lan55AA(sequence=1, kind=9, body=b"{}", length=0xFFFFFFFF, crc=1))
    assert odd[12:16] == b"\xff" * 4
    assert odd[-8:-4] == b"\0\0\0\1"


def test_an_hmac_is_computed_unless_given_and_takes_a_key() -> None:
    built = bytes(Lan55AAHmac(kind=9, body=b"{}", key=KEY))
    assert len(built) == 68
    assert built[-36:-4] == hmac_sha256(KEY, built[:-36])
    assert bytes(Lan55AAHmac(body=b"{}", key=KEY, hmac=b"x" * 32))[-36:-4] == b"x" * 32
    assert bytes(Lan55AAHmac(body=b"{}"))[-36:-4] == bytes(32)


def test_a_tag_is_computed_unless_given_and_covers_the_head() -> None:
    built = bytes(Lan6699(sequence=5, kind=9, nonce=b"n" * 12, return_code=0, body=b"{}", key=KEY))
    assert gcm_decrypt(KEY, b"n" * 12, built[30:-4], built[4:18]) == b"\0\0\0\0{}"
    odd = bytes(Lan6699(nonce=b"n" * 12, body=b"{}", key=KEY, tag=b"t" * 16, length=99))
    assert (odd[14:18], odd[-20:-4]) == (b"\0\0\0\x63", b"t" * 16)


def test_each_frame_6699_has_a_nonce_of_its_own() -> None:
    frame = Lan6699(body=b"{}", key=KEY)
    nonces = {bytes(frame)[18:30] for _ in range(4)}
    assert len(nonces) == 4


def test_a_changed_field_of_an_opened_frame_is_encrypted_again() -> None:
    seen = opened(GOLDEN["lan35_query_reply"])
    seen.body = b'{"dps":{"1":false}}'
    del seen.length, seen.tag
    again = Lan6699(bytes(seen), key=seen.key)
    assert (again.return_code, again.body) == (0, b'{"dps":{"1":false}}')


# --- what is seen -------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"3.1not base64!", b"3.3", b"{}", b"x" * 16, b"3.1" + b"A" * 40])
def test_a_body_that_no_key_made_stays_as_it_is(body: bytes) -> None:
    data = bytes(Lan55AA(kind=7, body=body))
    seen = Lan55AA(data, key=KEY)
    assert (seen.key, seen.body, bytes(seen)) == (None, body, data)


def test_a_body_of_31_with_a_wrong_digest_stays_as_it_is() -> None:
    frame = GOLDEN["lan31_control"].frame
    wire = frame[:20] + b"?" + frame[21:]
    seen = Lan55AA(wire, key=KEY)
    assert (seen.key, seen.body, bytes(seen)) == (None, wire[16:-8], wire)


def test_a_frame_of_the_device_may_be_too_short_for_a_return_code() -> None:
    seen = Lan55AA(bytes(Lan55AA(kind=9, body=b"\0\0")))
    assert (seen.return_code, seen.body) == (None, b"\0\0")


def test_a_summary_shows_no_body() -> None:
    assert opened(GOLDEN["token_bind_plain"]).summary() == "55AA TOKEN_BIND seq 1"
    assert opened(GOLDEN["lan33_query_error"]).summary() == "55AA DP_QUERY seq 5 ret 1"
    assert Lan6699(kind=0x99).summary() == "6699 0x99 seq 0"


# --- fuzz ---------------------------------------------------------------------------------------

ODD: list[LanFrame] = [
    Lan55AA(prefix=PREFIX_55AA, suffix=SUFFIX_55AA),
    Lan55AA(prefix=PREFIX_55AA, suffix=SUFFIX_55AA, key=KEY),
    Lan55AAHmac(prefix=PREFIX_55AA, suffix=SUFFIX_55AA, key=KEY),
    Lan6699(prefix=PREFIX_6699, suffix=SUFFIX_6699, key=KEY),
    Lan6699(key=KEY),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: f"{odd.name}, key {odd.key is not None}")
def test_fuzzed_frames_can_be_told_apart_and_taken_apart(odd: LanFrame) -> None:
    frames = {bytes(fuzz(odd)) for _ in range(20)}
    assert len(frames) == 20
    for data in frames:
        seen = type(odd)(data, key=odd.key)
        assert bytes(seen) == data


def test_any_field_can_be_fuzzed() -> None:
    crcs = {bytes(Lan55AA(crc=RandInt()))[-8:-4] for _ in range(4)}
    assert len(crcs) == 4
    assert Lan55AA(bytes(fuzz(Lan55AA(key=UDP_KEY, kind=0, body=b"{}"))), key=UDP_KEY).body == b"{}"
