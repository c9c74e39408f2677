"""The few cryptographic helpers of the wire formats: AES-128 (ECB, GCM), digests, keys from text.

MD5 and ECB are what the peers speak, not a choice of ours
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_base.c and src/mqtt_service.c; tuya/TuyaOpen,
src/tuya_cloud_service/lan/tuya_lan.c for GCM and the common keys). Imports the `cryptography`
package and nothing of this project but the errors.
"""

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from firmware_sim.errors import BadChecksum, Malformed, UsageError

KEY_SIZE = 16
BLOCK_SIZE = 16
_KEYS_KEPT_MAX = 4096  # some 2 KB each
NONCE_SIZE = 12
TAG_SIZE = 16


def _common_key(text: bytes) -> bytes:
    return hashlib.md5(text, usedforsecurity=False).digest()


UDP_KEY = _common_key(b"yGAdlopoPVldABfn")
"""Protects everything said before a device has a key of its own; public in every client."""

AP_KEY = _common_key(b"OXLvslCvUxcTPLGO")
"""Protects what is said while a phone is joined to the network that a device opens for pairing."""

KEY_3 = _common_key(b"WzYwFxIUbiFhMmNJ")
"""Stands beside the other two in the vendor's source; what uses it is not public."""

_ECB = modes.ECB()  # noqa: S305 - prescribed by the peers
_PADDING = tuple(bytes((size,)) * size for size in range(BLOCK_SIZE + 1))


def ecb_encrypt(key: bytes, plain: bytes) -> bytes:
    """Return `plain` under AES-128-ECB with PKCS7 padding; `key` has 16 bytes."""
    encrypt, _ = _ecb(key)
    return encrypt(plain + _PADDING[BLOCK_SIZE - len(plain) % BLOCK_SIZE])


def ecb_decrypt(key: bytes, data: bytes) -> bytes:
    """Return the plaintext of `data` under AES-128-ECB with PKCS7 padding.

    Raises Malformed when the size is not a positive multiple of 16 bytes, and BadChecksum when the
    padding does not fit, which nearly always means a wrong key.
    """
    if not data or len(data) % BLOCK_SIZE:
        raise Malformed(f"ciphertext of {len(data)} bytes is not a whole number of blocks")
    _, decrypt = _ecb(key)
    plain = decrypt(data)
    size = plain[-1]
    if not 1 <= size <= BLOCK_SIZE or not plain.endswith(_PADDING[size]):
        raise BadChecksum("the padding does not fit: wrong key or damaged ciphertext")
    return plain[:-size]


def gcm_encrypt(key: bytes, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
    """Return ciphertext and tag of `plain` under AES-128-GCM; `aad` is covered by the tag only.

    `key` has 16 bytes and `nonce` 12, never the same twice under one key.
    """
    if len(nonce) != NONCE_SIZE:
        raise UsageError(f"AES-GCM needs a nonce of {NONCE_SIZE} bytes, this one has {len(nonce)}")
    return AESGCM(_checked(key)).encrypt(nonce, plain, aad)


def gcm_decrypt(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    """Return the plaintext of `data`, which is ciphertext and tag under AES-128-GCM.

    Raises Malformed when there is no room for a tag, and BadChecksum when the tag does not fit.
    """
    if len(data) < TAG_SIZE or len(nonce) != NONCE_SIZE:
        raise Malformed(
            f"a nonce of {len(nonce)} bytes and {len(data)} bytes of ciphertext and tag"
        )
    try:
        return AESGCM(_checked(key)).decrypt(nonce, data, aad)
    except InvalidTag:
        raise BadChecksum("the tag does not fit: wrong key or damaged ciphertext") from None


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Return the 32 bytes of the HMAC-SHA256 of `data`."""
    return hmac.digest(key, data, "sha256")


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


@lru_cache(maxsize=_KEYS_KEPT_MAX)
def _ecb(key: bytes) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    """Return what encrypts and what decrypts whole blocks.

    In ECB no block depends on another, so one context does for all messages under a key; making
    one costs several times what a short message does.
    """
    cipher = Cipher(algorithms.AES128(_checked(key)), _ECB)
    return cipher.encryptor().update, cipher.decryptor().update


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise UsageError(f"an AES-128 key has {KEY_SIZE} bytes, this one has {len(key)}")
    return key
