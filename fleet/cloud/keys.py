"""Secrets of people and devices: made from entropy that comes in, kept as hashes, compared safely.

Entropy is an argument (`os.urandom` live, a seeded stream in tests), so this module needs neither
`secrets` nor `random`. Passwords are PBKDF2-HMAC-SHA256 (RFC 8018) with a salt each. Bearer
sessions are random, so one round of SHA-256 is enough to store them safely.
"""

import hashlib
import hmac
from collections.abc import Callable
from functools import cache

Entropy = Callable[[int], bytes]

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"

_SALT_SIZE = 16


def random_text(entropy: Entropy, count: int, alphabet: str = ALPHANUMERIC) -> str:
    """Return `count` characters drawn evenly from `alphabet` (at most 256 characters)."""
    table, unfair = _draw(alphabet)
    text = ""
    while len(text) < count:
        text += entropy(count - len(text)).translate(table, unfair).decode("latin-1")
    return text


@cache
def _draw(alphabet: str) -> tuple[bytes, bytes]:
    """Return which character each byte stands for, and the bytes that stand for none."""
    letters, size = alphabet.encode("latin-1"), len(alphabet)
    return bytes(letters[byte % size] for byte in range(256)), bytes(range(256 - 256 % size, 256))


def hash_password(password: str, entropy: Entropy, iterations: int) -> str:
    """Return `iterations$salt$hash` in hex, or "" for an empty password, which never logs in."""
    if not password:
        return ""
    salt = entropy(_SALT_SIZE)
    return f"{iterations}${salt.hex()}${_derive(password, salt, iterations)}"


def password_fits(password: str, kept: str) -> bool:
    """Tell whether `password` gives the hash that `hash_password` returned."""
    if not kept:
        return False
    iterations, salt, wanted = kept.split("$")
    found = _derive(password, bytes.fromhex(salt), int(iterations))
    return hmac.compare_digest(found, wanted)


def secret_fits(given: str, wanted: str) -> bool:
    """Compare two secret texts in a time that does not depend on where they differ."""
    return hmac.compare_digest(_bytes(given), _bytes(wanted))


def session_hash(token: str) -> str:
    """Return what is stored of a bearer token."""
    return hashlib.sha256(_bytes(token)).hexdigest()


def _derive(password: str, salt: bytes, iterations: int) -> str:
    return hashlib.pbkdf2_hmac("sha256", _bytes(password), salt, iterations).hex()


def _bytes(text: str) -> bytes:
    # Headers may have been decoded with surrogates for what was not UTF-8.
    return text.encode("utf-8", "surrogatepass")
