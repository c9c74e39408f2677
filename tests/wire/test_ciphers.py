import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadChecksum, Malformed, UsageError
from firmware_sim.wire.ciphers import (
    UDP_KEY,
    aes_key,
    ecb_decrypt,
    ecb_encrypt,
    md5_hex,
    short_md5,
)

KEY = bytes(range(16))


def test_the_udp_key_is_the_one_in_every_client() -> None:
    assert UDP_KEY.hex() == "6c1ec8e2bb9bb59ab50b0daf649b410a"


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


def test_md5() -> None:
    assert md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e"
    assert md5_hex(b"abc") == md5_hex("abc") == "900150983cd24fb0d6963f7d28e17f72"
    assert short_md5("abc") == "3cd24fb0d6963f7d"


def test_a_key_text_gives_its_first_16_bytes() -> None:
    assert aes_key("0123456789abcdef0123456789ABCDEF") == b"0123456789abcdef"
    with pytest.raises(UsageError, match="at least 16"):
        aes_key("0123456789abcde")
