import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinytuya.core import udp_helper

from firmware_sim.errors import BadChecksum, Malformed, UsageError
from firmware_sim.wire.ciphers import (
    AP_KEY,
    KEY_3,
    UDP_KEY,
    aes_key,
    ecb_decrypt,
    ecb_encrypt,
    gcm_decrypt,
    gcm_encrypt,
    hmac_sha256,
    md5_hex,
    short_md5,
)

KEY = bytes(range(16))
NONCE = bytes(12)


def test_the_udp_key_is_the_one_in_every_client() -> None:
    assert udp_helper.udpkey == UDP_KEY
    assert UDP_KEY.hex() == "6c1ec8e2bb9bb59ab50b0daf649b410a"


def test_the_other_common_keys() -> None:
    assert AP_KEY.hex() == "c6f23aef1cafb170b8d812d7509c8e6d"
    assert KEY_3.hex() == "c9933f8c661b1a8bf604704cac03be60"


def test_ecb_known_answer() -> None:
    # FIPS 197, appendix C.1, with a full block of padding behind it.
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    data = ecb_encrypt(KEY, plain)
    assert data[:16].hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    assert len(data) == 32


@given(st.binary(max_size=100))
def test_ecb_round_trip(plain: bytes) -> None:
    data = ecb_encrypt(KEY, plain)
    assert len(data) == len(plain) // 16 * 16 + 16
    assert ecb_decrypt(KEY, data) == plain


@pytest.mark.parametrize("size", [0, 1, 15, 17])
def test_a_broken_size_is_malformed(size: int) -> None:
    with pytest.raises(Malformed):
        ecb_decrypt(KEY, bytes(size))


@pytest.mark.parametrize("padding", [b"\x00", b"\x11", b"\x01\x02", b"\x02\x03\x03"])
def test_bad_padding_is_a_bad_checksum(padding: bytes) -> None:
    # Encrypt a block that ends in the wrong padding and cut off the right one behind it.
    data = ecb_encrypt(KEY, padding.rjust(16, b"x"))[:16]
    with pytest.raises(BadChecksum):
        ecb_decrypt(KEY, data)


def test_a_wrong_key_is_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum):
        ecb_decrypt(bytes(16), ecb_encrypt(KEY, b"0123456789"))


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(UsageError, match="16 bytes"):
        ecb_encrypt(b"short", b"")


def test_gcm_known_answers() -> None:
    # The GCM specification (McGrew and Viega), appendix B, test cases 1 and 2.
    zeros = bytes(16)
    assert gcm_encrypt(zeros, NONCE, b"", b"").hex() == "58e2fccefa7e3061367f1d57a4e7455a"
    assert gcm_encrypt(zeros, NONCE, zeros, b"").hex() == (
        "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"
    )


@given(st.binary(max_size=100), st.binary(max_size=20))
def test_gcm_round_trip(plain: bytes, aad: bytes) -> None:
    data = gcm_encrypt(KEY, NONCE, plain, aad)
    assert len(data) == len(plain) + 16
    assert gcm_decrypt(KEY, NONCE, data, aad) == plain


def test_gcm_notices_another_key_nonce_text_or_head() -> None:
    data = gcm_encrypt(KEY, NONCE, b"text", b"head")
    for broken in (
        (bytes(16), NONCE, data, b"head"),
        (KEY, bytes(range(12)), data, b"head"),
        (KEY, NONCE, bytes(4) + data[4:], b"head"),
        (KEY, NONCE, data, b"tail"),
    ):
        with pytest.raises(BadChecksum, match="tag"):
            gcm_decrypt(*broken)


@pytest.mark.parametrize(("nonce", "data"), [(NONCE, bytes(15)), (b"short", bytes(16))])
def test_no_room_for_tag_or_nonce_is_malformed(nonce: bytes, data: bytes) -> None:
    with pytest.raises(Malformed, match=f"{len(nonce)} bytes and {len(data)}"):
        gcm_decrypt(KEY, nonce, data, b"")


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_a_nonce_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match="12 bytes"):
        gcm_encrypt(KEY, bytes(size), b"", b"")


def test_a_gcm_key_of_another_size_is_refused() -> None:
    with pytest.raises(UsageError, match="16 bytes"):
        gcm_encrypt(bytes(32), NONCE, b"", b"")


def test_hmac_known_answer() -> None:
    # RFC 4231, test case 2.
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_md5() -> None:
    assert md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e"
    assert md5_hex(b"abc") == md5_hex("abc") == "900150983cd24fb0d6963f7d28e17f72"
    assert short_md5("abc") == "3cd24fb0d6963f7d"


def test_a_key_text_gives_its_first_16_bytes() -> None:
    assert aes_key("0123456789abcdef0123456789ABCDEF") == b"0123456789abcdef"
    with pytest.raises(UsageError, match="at least 16"):
        aes_key("0123456789abcde")
