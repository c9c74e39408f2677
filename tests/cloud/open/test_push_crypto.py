"""Passwords, keys and envelopes of push messages, by published vectors and by decrypting."""

import json
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire.ciphers import ecb_decrypt, gcm_decrypt
from fleet.cloud.open.push_crypto import Encryption, data_key, encrypt, envelope, password

# Computed apart from this code, for a made-up pair of keys.
ACCESS_ID, SECRET = "tuyasim0client0id000", "0123456789abcdef0123456789abcdef"
PLAIN = b'{"bizCode":"delete","devId":"bf01"}'
NONCE = b"0123456789ab"
ECB = "xTKKlZ/3qEooA9mn7hN0GjKMjdu5znR0+J/MdFy3NvYig+Bov6y15qi/hvD+4Rrs"
GCM = "MDEyMzQ1Njc4OWFiMSr2jRqsorVi3rRrSxf8EQtEVPuZdCsiRbMxyWeuodS0QTm/Svkx3Zss8qQeIUD4V42Z"


def nonce(_size: int) -> bytes:
    return NONCE


def test_the_password() -> None:
    assert password(ACCESS_ID, SECRET) == "3267bec17a642c25"


def test_the_key() -> None:
    assert data_key(SECRET) == b"89abcdef01234567"


@pytest.mark.parametrize("secret", ["", "short", "0123456789abcdef", "é" * 32])
def test_any_secret_gives_a_key(secret: str) -> None:
    assert len(data_key(secret)) == 16


@pytest.mark.parametrize(("encryption", "wanted"), [(Encryption.ECB, ECB), (Encryption.GCM, GCM)])
def test_the_data(encryption: Encryption, wanted: str) -> None:
    assert encrypt(encryption, data_key(SECRET), PLAIN, nonce) == wanted


@given(st.binary(max_size=200), st.integers(0, 2**31), st.integers(0, 2**45))
def test_an_envelope_is_ascii_and_holds_what_was_put_in(
    plain: bytes, protocol: int, t_ms: int
) -> None:
    key = data_key(SECRET)
    for encryption in Encryption:
        told = json.loads(envelope(encryption, key, protocol, plain, t_ms, nonce).decode("ascii"))
        assert (told["protocol"], told["t"], told["pv"]) == (protocol, t_ms, "2.0")
        assert len(told["sign"]) == 32
        data = b64decode(told["data"])
        if encryption is Encryption.ECB:
            assert ecb_decrypt(key, data) == plain
        else:
            assert gcm_decrypt(key, data[:12], data[12:], b"") == plain


def test_the_sign_depends_on_everything() -> None:
    signs = {
        json.loads(envelope(Encryption.ECB, data_key(secret), protocol, plain, t_ms, nonce))["sign"]
        for secret in (SECRET, SECRET[::-1])
        for protocol in (4, 20)
        for plain in (b"{}", b"[]")
        for t_ms in (1, 2)
    }
    assert len(signs) == 16
