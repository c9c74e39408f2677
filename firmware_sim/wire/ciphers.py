"""The few cryptographic helpers of the wire formats: AES-128-ECB, MD5 and keys made from text.

MD5 and ECB are what the peers speak, not a choice of ours
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_base.c and src/mqtt_service.c). Imports the
`cryptography` package and nothing of this project but the errors.
"""

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from firmware_sim.errors import BadChecksum, Malformed, UsageError

KEY_SIZE = 16
BLOCK_SIZE = 16

UDP_KEY = hashlib.md5(b"yGAdlopoPVldABfn", usedforsecurity=False).digest()
"""Protects everything said before a device has a key of its own; public in every client."""

_ECB = modes.ECB()  # noqa: S305 - prescribed by the peers
_PADDING = tuple(bytes((size,)) * size for size in range(BLOCK_SIZE + 1))


def ecb_encrypt(key: bytes, plain: bytes) -> bytes:
    """Return `plain` under AES-128-ECB with PKCS7 padding; `key` has 16 bytes."""
    encryptor = _cipher(key).encryptor()
    return encryptor.update(plain + _PADDING[BLOCK_SIZE - len(plain) % BLOCK_SIZE])


def ecb_decrypt(key: bytes, data: bytes) -> bytes:
    """Return the plaintext of `data` under AES-128-ECB with PKCS7 padding.

    Raises Malformed when the size is not a positive multiple of 16 bytes, and BadChecksum when the
    padding does not fit, which nearly always means a wrong key.
    """
    if not data or len(data) % BLOCK_SIZE:
        raise Malformed(f"ciphertext of {len(data)} bytes is not a whole number of blocks")
    plain = _cipher(key).decryptor().update(data)
    size = plain[-1]
    if not 1 <= size <= BLOCK_SIZE or not plain.endswith(_PADDING[size]):
        raise BadChecksum("the padding does not fit: wrong key or damaged ciphertext")
    return plain[:-size]


def md5_hex(data: bytes | str) -> str:
    """Return the MD5 of `data` (text as UTF-8) as 32 lower-case hexadecimal digits."""
    raw = data.encode() if isinstance(data, str) else data
    return hashlib.md5(raw, usedforsecurity=False).hexdigest()


def short_md5(text: str) -> str:
    """Return the middle 16 digits of the MD5 of `text`: MQTT passwords and reply signatures."""
    return md5_hex(text)[8:24]


def aes_key(text: str) -> bytes:
    """Return the AES key that a key text stands for: its first 16 bytes, raw.

    Raises UsageError for a text that is shorter.
    """
    key = text.encode()[:KEY_SIZE]
    if len(key) < KEY_SIZE:
        raise UsageError(f"a key text needs at least {KEY_SIZE} bytes, this one has {len(key)}")
    return key


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    if len(key) != KEY_SIZE:
        raise UsageError(f"an AES-128 key has {KEY_SIZE} bytes, this one has {len(key)}")
    return Cipher(algorithms.AES128(key), _ECB)
