"""What protects a push message: the consumer's password, the key of the data, and the envelope.

MD5 and AES-128-ECB are what the clients speak; message version 2.0.0 replaces ECB by GCM, told by
the message property `em`. Sources: tuya/tuya-connector-python, tuya_connector/openpulsar.py
(password, key, ECB, names of the envelope); tuya/tuya-pulsar-sdk-python and -java (GCM: nonce,
ciphertext, tag); "Message Types" (developer.tuya.com) for the envelope. How the vendor makes
`sign` is in no client and none checks it: here it is the MD5 of the other fields and the key.
"""

from base64 import b64encode
from enum import StrEnum

import msgspec

from firmware_sim.wire.ciphers import (
    KEY_SIZE,
    NONCE_SIZE,
    ecb_encrypt,
    gcm_encrypt,
    md5_hex,
    short_md5,
)
from firmware_sim.wire.structs import encode_json
from fleet.cloud.keys import Entropy

PROTOCOL_VERSION = "2.0"


class Encryption(StrEnum):
    """How the data are encrypted, by the value of property `em`."""

    ECB = "aes_ecb"
    GCM = "aes_gcm"


class Envelope(msgspec.Struct, frozen=True):
    """What the payload of a message holds; `data` is base64 of the encrypted JSON."""

    protocol: int
    pv: str
    t: int
    data: str
    sign: str


def password(access_id: str, secret: str) -> str:
    """Return the password of a project's consumers: 16 hex digits."""
    return short_md5(access_id + md5_hex(secret))


def data_key(secret: str) -> bytes:
    """Return the key of a project's data: characters 9 to 24 of its secret.

    Secrets have 32 ASCII characters; one that is too short is filled up with zeros.
    """
    return secret[8:24].encode()[:KEY_SIZE].ljust(KEY_SIZE, b"0")


def encrypt(encryption: Encryption, key: bytes, plain: bytes, entropy: Entropy) -> str:
    """Return the base64 text of the encrypted data; GCM takes a nonce from `entropy`."""
    if encryption is Encryption.ECB:
        return b64encode(ecb_encrypt(key, plain)).decode()
    nonce = entropy(NONCE_SIZE)
    return b64encode(nonce + gcm_encrypt(key, nonce, plain, b"")).decode()


def envelope(
    encryption: Encryption, key: bytes, protocol: int, plain: bytes, t_ms: int, entropy: Entropy
) -> bytes:
    """Return the JSON of the envelope around the message `plain` (JSON), which is pure ASCII."""
    return seal(encrypt(encryption, key, plain, entropy), protocol, t_ms, key)


def seal(data: str, protocol: int, t_ms: int, key: bytes) -> bytes:
    """Return the JSON of the envelope around data that are encrypted, signed with `key`."""
    told = f"data={data}||protocol={protocol}||pv={PROTOCOL_VERSION}||t={t_ms}||".encode()
    return encode_json(Envelope(protocol, PROTOCOL_VERSION, t_ms, data, md5_hex(told + key)))
