"""What protects a message on its way to a user's program: the key, two encryptions, the envelope.

The envelope is that of the message push. Version 1.0 encrypts with AES-128-ECB; 2.0 with GCM, where
the nonce is preceded by its length in four bytes and the envelope's `t`, as text, is authenticated
along with the data. The key is the middle of the connection's password. Source: tuya/tuya-iot-
python-sdk, `tuya_iot/openmq.py`; "Sync Status" (developer.tuya.com) for the key.
"""

from base64 import b64encode

from firmware_sim.wire.ciphers import NONCE_SIZE, ecb_encrypt, gcm_encrypt
from fleet.cloud.keys import Entropy
from fleet.cloud.open.push_crypto import seal

ECB_VERSION, GCM_VERSION = "1.0", "2.0"

_LENGTH_SIZE = 4


def envelope(
    version: str, password: str, protocol: int, plain: bytes, t_ms: int, entropy: Entropy
) -> bytes:
    """Return the JSON of the envelope around the message `plain` (JSON).

    `version` is one of the two; GCM takes a nonce from `entropy`; `password` is ASCII of at least
    24 characters.
    """
    key = password[8:24].encode()
    if version == ECB_VERSION:
        data = ecb_encrypt(key, plain)
    else:
        nonce = entropy(NONCE_SIZE)
        length = NONCE_SIZE.to_bytes(_LENGTH_SIZE, "big")
        data = length + nonce + gcm_encrypt(key, nonce, plain, str(t_ms).encode())
    return seal(b64encode(data).decode(), protocol, t_ms, key)
