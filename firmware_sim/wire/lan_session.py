"""How LAN versions 3.4 and 3.5 agree on a session key: the bodies of three frames.

The client sends 16 random bytes (0x03); the device answers with 16 of its own and proof that it
knows the local key (0x04); the client proves the same (0x05). Both then derive the key. All three
travel under the local key, in frames that `lan_message` makes. Sources: tuya/TuyaOpen,
src/tuya_cloud_service/lan/tuya_lan.c; jasonacox/tinytuya, tinytuya/core/XenonDevice.py.
"""

from hmac import compare_digest

from firmware_sim.errors import BadChecksum, Malformed, UsageError
from firmware_sim.wire.ciphers import NONCE_SIZE, ecb_encrypt, gcm_encrypt, hmac_sha256
from firmware_sim.wire.lan_version import LanVersion

RANDOM_SIZE = 16
_PROOF_SIZE = 32


def start_random(body: bytes) -> bytes:
    """Return the client's random bytes from the body of 0x03; raise Malformed if it is short."""
    return _prefix(body, RANDOM_SIZE)[:RANDOM_SIZE]


def response(local_key: bytes, rand_a: bytes, rand_b: bytes) -> bytes:
    """Return the 48 bytes of 0x04: the device's random bytes, and proof over the client's."""
    return _random(rand_b) + hmac_sha256(local_key, _random(rand_a))


def check_response(body: bytes, local_key: bytes, rand_a: bytes) -> bytes:
    """Return the device's random bytes from the body of 0x04.

    Raises Malformed when it is short, and BadChecksum when the device has another local key.
    """
    known = _prefix(body, RANDOM_SIZE + _PROOF_SIZE)
    _prove(known[RANDOM_SIZE:], local_key, rand_a)
    return known[:RANDOM_SIZE]


def finish(local_key: bytes, rand_b: bytes) -> bytes:
    """Return the 32 bytes of 0x05: proof over the device's random bytes."""
    return hmac_sha256(local_key, _random(rand_b))


def check_finish(body: bytes, local_key: bytes, rand_b: bytes) -> None:
    """Check the body of 0x05; raise Malformed when it is short, BadChecksum for another key."""
    _prove(_prefix(body, _PROOF_SIZE), local_key, rand_b)


def session_key(version: LanVersion, local_key: bytes, rand_a: bytes, rand_b: bytes) -> bytes:
    """Return the 16 bytes under which the rest of the connection travels.

    Raises UsageError for a version that has no session.
    """
    a, b = int.from_bytes(_random(rand_a), "big"), int.from_bytes(_random(rand_b), "big")
    mixed = (a ^ b).to_bytes(RANDOM_SIZE, "big")
    if version is LanVersion.V34:
        return ecb_encrypt(local_key, mixed)[:RANDOM_SIZE]  # the second block is padding
    if version is LanVersion.V35:
        return gcm_encrypt(local_key, rand_a[:NONCE_SIZE], mixed, b"")[:RANDOM_SIZE]
    raise UsageError(f"LAN version {version} has no session key; 3.4 and 3.5 have one")


def _prefix(body: bytes, size: int) -> bytes:
    """Return the first `size` bytes; the vendor's device takes a longer body too."""
    if len(body) < size:
        raise Malformed(f"this step of a negotiation has {size} bytes, here are {len(body)}")
    return body[:size]


def _prove(said: bytes, local_key: bytes, rand: bytes) -> None:
    if not compare_digest(said, hmac_sha256(local_key, rand)):
        raise BadChecksum("the other side of a negotiation has another local key")


def _random(rand: bytes) -> bytes:
    if len(rand) != RANDOM_SIZE:
        raise UsageError(f"a negotiation takes {RANDOM_SIZE} random bytes, not {len(rand)}")
    return rand
